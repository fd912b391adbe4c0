"""Asterisk's side of the wire, without an Asterisk: it answers a service, and says what rings, at a given rate."""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from tests.ami.fake_server import SECRET, FakeAmi
from tests.system.house import ServiceHouse

TOKEN: Final = "0123456789abcdef0123456789abcdef"
AGI_SECRET: Final = "abcdef0123456789"
#: seconds between two looks at the clock, and how long a phone rings before the caller gives up
_STEP_S, _RINGS_S = 0.005, 2.0
_DATA: Final = Path(__file__).parent.parent / "data" / "ami" / "abandoned_while_ringing.ami"
_RECORDED: Final = re.compile("^Event: MixMonitorStart|UserEvent: CtiRecording")
_QUEUES: Final = ("complaint", "suggestion", "senior", "manager")

Made = Callable[[int], tuple[str, int]]


def _list(*blocks: str, end: str) -> str:
    return "\r\n\r\n".join(["Response: Success\r\nEventList: start", *blocks, f"Event: {end}\r\nEventList: Complete"])


def _stamped(event: str, **fields: str) -> str:
    lines = [f"Event: {event}", "Privilege: agent,all", f"Timestamp: {time.time():.6f}"]  # noqa: TID251 - Asterisk's
    return "\r\n".join([*lines, *(f"{key}: {value}" for key, value in fields.items())])


def member(event: str, queue: str, agent: str, status: int = 1) -> str:
    """What Asterisk says of a member of a queue."""
    phone = f"PJSIP/{agent}"
    return _stamped(
        event, Queue=queue, MemberName=agent, Interface=phone, StateInterface=phone, Membership="dynamic", Penalty="0",
        CallsTaken="0", LastCall="0", LastPause="0", LoginTime="1", InCall="0", Status=str(status), Paused="0",
        PausedReason="", Ringinuse="0", Wrapuptime="0",
    )  # fmt: skip


class Exchange(FakeAmi):
    """Its queues hold who is put into them; everything else it is asked it grants."""

    def __init__(self) -> None:
        super().__init__()
        for action in ("QueuePause", "QueueRemove", "QueuePenalty", "Setvar"):
            self.answers[action] = lambda _: "Response: Success"
        self.answers["CoreShowChannels"] = lambda _: _list(end="CoreShowChannelsComplete")
        params = [_stamped("QueueParams", Queue=name, Max="0", Strategy="rrmemory", Calls="0") for name in _QUEUES]
        self.answers["QueueStatus"] = lambda _: _list(*params, end="QueueStatusComplete")
        self.answers["QueueAdd"] = self._add
        captured = _DATA.read_text(encoding="utf-8").replace("\n", "\r\n").strip().split("\r\n\r\n")
        # without his signing in and out, and without a recording, whose file nobody would write
        self._call = [block for block in captured[1:-1] if not _RECORDED.search(block)]
        self._rings = next(at for at, block in enumerate(self._call) if block.startswith("Event: AgentCalled"))
        self._joins = next(at for at, block in enumerate(self._call) if block.startswith("Event: QueueCallerJoin"))
        self._run = int(time.monotonic() * 1000) % 10**9
        self._calls = 0

    def _add(self, action: dict[str, str]) -> str:
        agent = action["Interface"].removeprefix("PJSIP/")
        self.say(member("QueueMemberAdded", action["Queue"], agent))
        return "Response: Success\r\nMessage: Added interface to queue"

    def call(self, caller: str, agent: str) -> tuple[str, tuple[bytes, bytes, bytes]]:
        """A new call's id, and its events: in the menu, joining the queue until the phone rings, and its end."""
        self._calls += 1
        mark = f"{self._run}{self._calls:06d}"
        call_id = time.strftime("%Y%m%d%H%M%S", time.gmtime()) + f"-{int(mark) % 10**12:012d}"
        text = "\r\n\r\n".join(self._call)
        text = text.replace("13800002222", caller).replace("1002", agent)
        text = text.replace("trunk-00000005", f"trunk-{mark}").replace("-00000006", f"-a{mark}")
        text = re.sub(r"(?<=linkedid: |uniqueid: )[0-9]+\.([0-9]+)", rf"{mark}.\1", text, flags=re.IGNORECASE)
        text = re.sub(r"CTI_CALL_ID=[0-9]{14}-[0-9]{12}", f"CTI_CALL_ID={call_id}", text)
        blocks = text.split("\r\n\r\n")
        parts = blocks[: self._joins], blocks[self._joins : self._rings + 1], blocks[self._rings + 1 :]
        menu, rings, over = ("".join(f"{block}\r\n\r\n" for block in part).encode() for part in parts)
        return call_id, (menu, rings, over)

    async def wait(self, count: int, who: Callable[[int], str]) -> list[bytes]:
        """So many callers join the queue, and nobody's phone rings; returns what ends each wait."""
        ends = []
        for place in range(count):
            _, (menu, rings, over) = self.call(who(place), "1001")
            joined, *_ = rings.split(b"\r\n\r\n")
            self.write(now(menu + joined + b"\r\n\r\n"))
            ends.append(_of_caller(over))
            await asyncio.sleep(0)
        return ends

    async def ring(self, seconds: float, pops: float, noise: float, agents: list[str], who: Made) -> dict[str, int]:
        """Calls for that long, so many a second, each at the next agent's phone, beside `noise` other events a second.

        `who` says caller and seat of the n-th; returns the moment each call's ring was written, by call id.
        """
        sent: dict[str, int] = {}
        ending: list[tuple[float, bytes]] = []
        began = time.perf_counter()
        rung = other = 0
        while (gone := time.perf_counter() - began) < seconds + _RINGS_S:
            if gone < seconds:
                while other < noise * gone:
                    agent = agents[other % len(agents)]
                    self.write(f"{member('QueueMemberStatus', 'suggestion', agent)}\r\n\r\n".encode())
                    other += 1
                while rung < pops * gone:
                    caller, seat = who(rung)
                    call_id, (menu, rings, over) = self.call(caller, agents[seat])
                    self.write(now(menu))
                    await asyncio.sleep(0)
                    sent[call_id] = time.monotonic_ns()
                    self.write(now(rings))
                    ending.append((gone + _RINGS_S, over))
                    rung += 1
            while ending and ending[0][0] <= gone:
                self.write(now(ending.pop(0)[1]))
            await asyncio.sleep(_STEP_S)
        for _, over in ending:
            self.write(now(over))
        return sent

    def write(self, data: bytes) -> None:
        """To every session."""
        for writer in self.writers:
            writer.write(data)


def _of_caller(events: bytes) -> bytes:
    """Without what was said of the agent and his phone."""
    blocks = events.split(b"\r\n\r\n")[:-1]
    return b"".join(block + b"\r\n\r\n" for block in blocks if b"\r\nChannel: PJSIP/trunk" in block)


def now(events: bytes) -> bytes:
    """The events with the moment they are sent at."""
    return re.sub(rb"Timestamp: [0-9.]+", b"Timestamp: %.6f" % time.time(), events)  # noqa: TID251 - Asterisk's clock


def secrets(folder: Path) -> dict[str, Path]:
    """Settings that name the files a service reads the exchange's secrets from."""
    made = {"ami_secret_file": SECRET, "agi_secret_file": AGI_SECRET, "event_token_file": TOKEN}
    for name, value in made.items():
        (folder / name).write_text(value + "\n", encoding="ascii")
        (folder / name).chmod(0o600)
    return {name: folder / name for name in made}


@asynccontextmanager
async def service(exchange: Exchange, **changes: Any) -> AsyncIterator[ServiceHouse]:
    """The whole service in a folder of its own, with this exchange for its Asterisk: running, and ended in order."""
    with tempfile.TemporaryDirectory(prefix="hl-bench-") as folder:
        home = Path(folder)
        (home / "voice").mkdir()
        house = ServiceHouse(
            home, set_up=False, asterisk="remote", ami_host="127.0.0.1", ami_username="bridge", ami_port=exchange.port,
            spool=home / "voice", log_level="error", **secrets(home), **changes,
        )  # fmt: skip
        await house.start()
        try:
            yield house
        finally:
            await house.interrupt()
