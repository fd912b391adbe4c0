"""Generated hostile INVITEs beside an honest call, which goes on as if nothing were (S03).

`make test` sends 48 of them; `make proof-invites` 3,000, other ones at each run.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest

from cti.asterisk.provision import Installation
from cti.asterisk.render import EVENTS
from cti.calls.model import CallRecord
from tests.absent import LONG, SEARCH
from tests.system import sound
from tests.system.callers import Caller, DeskPhone, NotHeard
from tests.system.house import House
from tests.system.stage import draft_of, menus, working
from tests.system.test_hostile import HEADERS, _all, _connection

pytestmark = pytest.mark.system

HOW_MANY: Final = 3_000 if os.environ.get(LONG) == "1" else 48
#: line ends, as an encoder or a reader may know them
ENDS: Final = ("\r\n", "\n", "\r", "\r\n\r\n", "\n\n", "\u0085", "\u2028", "\u2029", "\x0b", "\x0c", "\x00", "\x1e")
#: bytes that are no text, carried as themselves
BYTES: Final = ("\udcff", "\udcc0\udc8a", "\udce0\udc80\udc8d", "\udcf5\udc80", "\udced\udca0\udc80")


def generated(rng: random.Random, honest: str) -> Iterator[dict[str, str]]:
    """Endless: what to write into an INVITE. `honest` is the channel of the call that goes on."""
    events = sorted({*EVENTS["bridge"], *EVENTS["dialler"], "Shutdown", "FullyBooted", "CtiEnd", "CtiRouted"})
    while True:
        lines = [f"Event: {rng.choice(events)}"]
        lines += rng.sample(
            [
                f"Channel: {honest}", "Uniqueid: 1.1", "Linkedid: 1.1", "Cause: 16", "UserEvent: CtiEnd",
                "Step: talked",
                f"ActionID: {rng.getrandbits(128):032x}", "Response: Success", "Queue: complaint", "Paused: 1",
                "Interface: PJSIP/1002", "MemberName: 1002",
                f"ChanVariable(PJSIP/x): CTI_TOKEN={rng.getrandbits(128):032x}",
                f"ChanVariable: CTI_TOKEN={rng.getrandbits(128):032x}", "agi_callerid: 10086", "200 result=1",
                "x" * rng.choice((79, 80, 255, 1024, 4096)), "王" * rng.randrange(1, 400), "9" * rng.randrange(33, 300),
            ],
            rng.randrange(0, 5),
        )  # fmt: skip
        end = rng.choice(ENDS)
        words = rng.choice(("", "139", "13900004444")) + end + end.join(lines) + rng.choice(("", end, end * 2))
        words += rng.choice(("", "", *BYTES))
        raw = words.encode("utf-8", "surrogateescape")
        coded = rng.choice(
            (
                quote(raw, safe=""),
                quote(raw, safe="'(),;:&=+$/?!*"),
                "".join(f"%{byte:02x}" for byte in raw),
                "".join(f"%{byte:02X}" if byte < 0x30 or byte > 0x7E else chr(byte) for byte in raw),
                quote(quote(raw, safe=""), safe=""),
            )
        )
        # a line end that is not encoded would end the header: that is another message, not another name
        bare = words.replace("\r", rng.choice((" ", "\t"))).replace("\n", " ").replace("\0", "").replace('"', '\\"')
        yield rng.choice(
            (
                {"from_user": coded},
                {"from_user": coded, "display": f'"{bare}" '},
                {"from_user": "13900004444", "display": f'"{bare}" '},
                {"from_user": "13900004444", "dnis": coded},
                {"from_user": "13900004444", "headers": rng.choice(HEADERS).format(words=bare, coded=coded)},
                {"from_user": "13900004444", "headers": "".join(HEADERS).format(words=bare, coded=coded)},
            )
        )  # fmt: skip


def _whole(call: CallRecord) -> bool:
    """Answered, and both ends known by name: nothing honest comes to it any more."""
    return call.answered_at is not None and all(leg.channel for leg in call.legs)


async def _hears(phone: DeskPhone, caller: Caller) -> None:
    """The talk goes on: said again when a busy machine swallowed a part of it."""
    for again in range(5):
        await phone.says(sound.tone(700, 0.6))
        try:
            await caller.hears(sound.tone(700, 0.6), within_s=5)
        except NotHeard:
            if again == 4:
                raise
        else:
            return


@pytest.mark.req("S03", "S04", "TL-72")
async def test_generated_callers_change_nothing_of_a_call_that_goes_on(
    short_tmp: Path, asterisk_installation: Installation, record_property: Callable[[str, object], None]
) -> None:
    seed = random.SystemRandom().getrandbits(32) if os.environ.get(SEARCH) == "1" else 1
    record_property("examples", HOW_MANY)
    async with House(short_tmp / "h", ivr_data=menus(short_tmp, short=True)) as house, working(house) as stage:
        watcher, seat = await stage.watch("3001"), await stage.seat("1002")
        caller = await stage.caller()
        await seat.phone.rings()
        pop = await seat.agent.event("pop")
        await seat.phone.answer()
        await draft_of(seat, pop["call_id"])
        await seat.agent.state("talking")
        link = _connection(await house.cli("manager show connected"))
        before = await stage.books.call(call_id=pop["call_id"], fits=_whole)
        channels = (await house.cli("core show channels concise")).splitlines()
        honest = next(line.partition("!")[0] for line in channels if line.startswith("PJSIP/1002"))
        seen = len(seat.agent.events)
        sent = list(islice(generated(random.Random(seed), honest), HOW_MANY))
        answers = await _all(stage, sent, 1)
        assert 0 < answers.count(200) < HOW_MANY, seed

        assert await stage.books.call(call_id=pop["call_id"], fits=lambda call: True) == before, seed
        assert _connection(await house.cli("manager show connected")) == link, seed
        assert {kind for _, kind, data in seat.agent.events[seen:] if pop["call_id"] in str(data)} <= {"agent"}
        assert (await seat.agent.get("/api/agent"))["state"] == "talking", seed
        assert watcher.saw("alert") == [], seed
        await _hears(seat.phone, caller)
        await seat.phone.hang_up()
        await seat.free()
        day = await stage.books.day(stage.started, answers.count(200) + 1, within_s=30)
        others = [call for call in day if call.call_id != pop["call_id"]]
        refused = [call for call in others if call.outcome == "refused"]
        assert {call.outcome for call in others} <= {"refused", "served_by_ivr"}, seed
        assert {each for call in others for each in call.ani + call.dnis} <= set("0123456789+*#"), seed
        assert [call for call in others if call.offers or call.stays] == [], seed
        reasons = await stage.books.security(stage.started)
        assert reasons.count("caller_number") == len(refused) > 0, seed
        assert set(reasons) == {"caller_number"}, seed
