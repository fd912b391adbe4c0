"""Calls a second through the whole path of a real Asterisk: caller, menu, queue, agent's phone, and what we write down.

`python -m tests.benchmarks.call_path` starts Asterisk with our dialplan twice. First the menu is answered by a bare AGI
server that sends the commands of one session and thinks nothing, and the events are read by a raw AMI reader; then the
whole service (`hotline up`) does both, with its database, journal, drafts and recordings. SIPp's callers press 1 in the
greeting, a SIPp phone answers at once and hangs up after a second; the rates are tried in turn until calls fail. CPU is
milliseconds of processor time a call, of Asterisk and of the process beside it. Then a third of the callers press 2,
wait two seconds in a queue where nobody is, hear the offer and hang up (`--seconds 60` for the goal's minute).
Goals: as many calls a second as the bare way, within 10 %; 8 ms of our CPU a call; 50 a second with a third overflowing
without a failure. It needs Asterisk and SIPp (`make test` installs both); without them it says so and ends well.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import sqlite3
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import delete, make_url

from cti.asterisk.provision import Installation, installed
from cti.asterisk.settings import HOME, Dnis, Phone
from cti.settings import default_cache
from tests.benchmarks import _centre, _seats, _sipp, agi_session
from tests.benchmarks.agi_session import cpu_s
from tests.benchmarks.service_memory import resident_kb
from tests.system.ami import Ami
from tests.system.conftest import Pbx, exchange, free_ports
from tests.system.house import ServiceHouse
from ticketing.db import Database
from ticketing.staff.tables import post_queue

RATES: Final = (10, 20, 30, 40, 50, 60, 80)
SHARE, CPU_MS = 0.9, 8.0
#: after the answer: the notice is heard and the greeting has begun
_PRESSES_MS: Final = 2200
_TALKS_MS: Final = 1000
#: two seconds in the queue, then what is offered
_LEAVES_MS: Final = 6000
_QUEUE_S: Final = 2
_WARM: Final = 20
_NUMBERS: Final = [_centre.number(place).removeprefix("+86") for place in range(5000)]


async def bare(agi_port: int, ami_port: int, secret: str) -> None:
    """The other way: in a process of its own, until its input ends."""
    commands = [command for command, _ in await agi_session.script()]
    told = next(at for at, command in enumerate(commands) if b"CtiStep" in command)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (await reader.readline()) not in (b"\n", b""):
            pass
        pressed = False
        for place, command in enumerate(commands):
            if pressed and place < told:
                continue
            writer.write(command)
            answer = await reader.readline()
            if not answer:
                break
            pressed = pressed or (command.startswith(b"STREAM FILE") and not answer.startswith(b"200 result=0"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", agi_port, backlog=512)
    reader, writer = await asyncio.open_connection("127.0.0.1", ami_port)
    writer.write(f"Action: Login\r\nActionID: 1\r\nUsername: bridge\r\nSecret: {secret}\r\n\r\n".encode())
    print("ready", flush=True)

    async def read() -> None:
        while await reader.read(65536):
            pass

    reading = asyncio.create_task(read())
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    reading.cancel()
    server.close()
    os._exit(0)


@dataclass(slots=True)
class Stage:
    """A running exchange with phones, and the process beside it."""

    pbx: Pbx
    folder: Path
    pid: int
    file: Path | None = None

    @property
    def asterisk(self) -> int:
        """Its process."""
        return int((self.pbx.settings.run_dir / "run" / "asterisk.pid").read_text(encoding="ascii"))


@dataclass(frozen=True, slots=True)
class Step:
    """One rate."""

    rate: float
    done: _sipp.Done
    #: milliseconds a call
    asterisk: float
    beside: float


@asynccontextmanager
async def stage(installation: Installation, folder: Path, agents: Sequence[str]) -> AsyncIterator[tuple[Pbx, Path]]:
    """Asterisk with our files; phones are not asked whether they live, and answer at a port of their own."""
    conf = folder / "conf"
    shutil.copytree(HOME / "asterisk-conf", conf)
    phones = conf / "pjsip.conf"
    text = phones.read_text(encoding="utf-8").replace("qualify_frequency = 30", "qualify_frequency = 0")
    phones.write_text(text.replace("rewrite_contact = yes\ndtmf_mode", "dtmf_mode"), encoding="utf-8")
    work = folder / "sipp"
    work.mkdir()
    async with exchange(
        installation,
        conf_dir=conf,
        roster=tuple(Phone(number=number, kind="desk") for number in agents),
        dnis=[Dnis(number="1860", notice="please-hold")],
        queue_seconds=_QUEUE_S,
        overflow=True,
    ) as pbx:
        (port,) = free_ports(1)
        async with _sipp.phones(work, pbx.sip, port, {n: pbx.phone_secret(n) for n in agents}, _TALKS_MS):
            yield pbx, work


@asynccontextmanager
async def bare_way(installation: Installation, agents: Sequence[str]) -> AsyncIterator[Stage]:
    """Answered by the bare server."""
    with tempfile.TemporaryDirectory(prefix="hl-bench-") as name:
        async with stage(installation, Path(name), agents) as (pbx, work):
            async with Ami(pbx) as ami:
                for number in agents:
                    phone = f"PJSIP/{number}"
                    seat = {"MemberName": number, "StateInterface": phone}
                    await ami.ask("QueueAdd", Queue="complaint", Interface=phone, **seat)
            settings = pbx.settings
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.benchmarks.call_path", "--serve"),
                *(str(settings.agi_port), str(settings.ami_port), pbx.secrets.ami_bridge),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            assert child.stdin is not None
            assert child.stdout is not None
            assert await child.stdout.readline() == b"ready\n"
            try:
                yield Stage(pbx, work, child.pid)
            finally:
                child.stdin.close()
                await child.wait()


@asynccontextmanager
async def our_way(installation: Installation, agents: Sequence[str]) -> AsyncIterator[Stage]:
    """Answered by the service."""
    with tempfile.TemporaryDirectory(prefix="hl-bench-") as name:
        async with stage(installation, Path(name), agents) as (pbx, work):
            home = Path(name) / "home"
            house = ServiceHouse(
                home, set_up=False, asterisk="remote", ami_host=pbx.settings.ami_host, ami_username="bridge",
                ami_port=pbx.settings.ami_port, agi_port=pbx.settings.agi_port, sip_port=pbx.settings.sip_port,
                spool=pbx.folder.voice, ami_secret_file=pbx.secrets.folder / "ami-bridge",
                agi_secret_file=pbx.secrets.folder / "agi", event_token_file=pbx.secrets.folder / "token",
                overflow=True, wrap_up_seconds=0, log_level="error",
            )  # fmt: skip
            await house.start()  # makes the database
            await house.interrupt()
            database = await Database.open(house.settings.database)
            await _seats.take(database, len(agents), phone="desk")
            async with database.write() as conn:  # in the queue of suggestions is nobody
                await conn.execute(delete(post_queue).where(post_queue.c.queue == "suggestion"))
            await database.close()
            await house.start()
            async with asyncio.timeout(60):
                while (await pbx.cli("queue show complaint")).count("(PJSIP/") < len(agents):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
            try:
                yield Stage(pbx, work, house.process.pid, Path(make_url(house.settings.database).database or ""))
            finally:
                await house.interrupt()


async def climb(at: Stage, rates: Sequence[float], seconds: float) -> list[Step]:
    """Tries one rate after another until calls fail, after a few calls that are the first of their kind."""
    steps: list[Step] = []
    for place, rate in enumerate((min(rates), *rates)):
        count = max(1, round(rate * seconds)) if place else min(_WARM, max(1, round(rate * seconds)))
        (port,) = free_ports(1)
        before = [cpu_s(pid) for pid in (at.asterisk, at.pid)]
        scenario = _sipp.caller("1860", "1", _PRESSES_MS, None)
        done = await _sipp.calls(
            at.folder, f"r{place}", scenario, at.pbx.sip, port, numbers=_NUMBERS, rate=rate, count=count
        )
        used = [cpu_s(pid) - first for pid, first in zip((at.asterisk, at.pid), before, strict=True)]
        if place:
            steps.append(Step(rate, done, *(each * 1000 / count for each in used)))
        if done.failed:
            break
    return steps


async def overflowing(at: Stage, rate: float, seconds: float) -> tuple[_sipp.Done, Counter[str]]:
    """So many calls a second, a third of which overflow; how they ended for the caller, and in our rows."""
    count = max(3, round(rate * seconds))
    assert at.file is not None
    async with asyncio.timeout(30):
        while outcomes(at.file, open_ones=True).total():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.2)
    before = outcomes(at.file)
    parts = []
    for name, key, leaves, share in (("talk", "1", None, 2 / 3), ("over", "2", _LEAVES_MS, 1 / 3)):
        (port,) = free_ports(1)
        scenario = _sipp.caller("1860", key, _PRESSES_MS, leaves)
        parts.append(
            _sipp.calls(
                at.folder,
                name,
                scenario,
                at.pbx.sip,
                port,
                numbers=_NUMBERS,
                rate=rate * share,
                count=round(count * share),
            )
        )
    ends = await asyncio.gather(*parts)
    done = _sipp.Done(sum(end.well for end in ends), sum(end.failed for end in ends))
    async with asyncio.timeout(30):  # every call has its row
        while (outcomes(at.file) - before).total() < done.well:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.2)
    return done, outcomes(at.file) - before


def outcomes(file: Path, *, open_ones: bool = False) -> Counter[str]:
    """Calls that are over by how they ended, or those that are not."""
    query = "SELECT coalesce(outcome, '-'), count(*) FROM call WHERE open = ? GROUP BY 1"
    with closing(sqlite3.connect(file, timeout=10)) as conn:
        return Counter(dict(conn.execute(query, (open_ones,)).fetchall()))


def told(name: str, steps: Sequence[Step]) -> float:
    """Prints a ladder; the highest rate without a failure."""
    for step in steps:
        print(
            f"{name:10}{step.rate:>8g}{step.done.well:>8}{step.done.failed:>8}{step.asterisk:>13.1f}{step.beside:>13.1f}",
            flush=True,
        )
    return max((step.rate for step in steps if not step.done.failed), default=0.0)


async def run(given: argparse.Namespace, installation: Installation) -> None:
    """Both ways, and the overflow."""
    agents = [_seats.number(seat) for seat in range(given.agents)]
    print(f"{_sipp.version()}; {len(agents)} phones, {given.seconds:g} s at each rate; load {os.getloadavg()[0]:.1f}")
    print(f"{'':10}{'calls/s':>8}{'well':>8}{'failed':>8}{'Asterisk ms':>13}{'beside ms':>13}")
    async with AsyncExitStack() as stack:
        low = await stack.enter_async_context(bare_way(installation, agents))
        floor = await climb(low, given.rates, given.seconds)
    most = told("bare", floor)
    async with our_way(installation, agents) as at:
        idle = resident_kb(at.pid)
        steps = await climb(at, given.rates, given.seconds)
        ours = told("hotline", steps)
        done, ends = await overflowing(at, given.overflow, given.seconds)
        said = ", ".join(f"{count} {re.sub('_', ' ', outcome)}" for outcome, count in sorted(ends.items()))
        met = "met" if not done.failed else "MISSED"
        print(f"{'overflow':10}{given.overflow:>8g}{done.well:>8}{done.failed:>8}   goal no failure: {met} ({said})")
        print(f"memory: {idle / 1024:.0f} MB at the start, {resident_kb(at.pid) / 1024:.0f} MB at the end")
    cpu = statistics.median(step.beside for step in steps)
    share = ours / most if most else 0.0
    print(f"goal: {SHARE:g} of the bare way's calls a second: {share:.2f} {'met' if share >= SHARE else 'MISSED'}")
    print(f"goal: {CPU_MS:g} ms of our CPU a call: {cpu:.1f} {'met' if cpu <= CPU_MS else 'MISSED'}")


def main() -> int:
    """Reads the options and runs; the exit code."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--agents", type=int, default=120, help="phones (120)")
    given.add_argument("--seconds", type=float, default=10.0, help="of each rate (10)")
    given.add_argument("--rates", type=float, nargs="+", default=RATES, help="calls a second, in turn")
    given.add_argument("--overflow", type=float, default=50.0, help="calls a second of which a third overflow (50)")
    given.add_argument("--serve", nargs=3, metavar=("AGI", "AMI", "SECRET"), help=argparse.SUPPRESS)
    options = given.parse_args()
    if options.serve:
        asyncio.run(bare(int(options.serve[0]), int(options.serve[1]), options.serve[2]))
        return 0
    installation = installed(default_cache())
    if installation is None or _sipp.program() is None:
        print("not measured: Asterisk and SIPp are needed (`hotline asterisk install`, tools/test-packages.sh)")
        return 0
    asyncio.run(run(options, installation))
    return 0


if __name__ == "__main__":
    sys.exit(main())
