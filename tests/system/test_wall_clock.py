"""The clock of a real Asterisk, and of the whole machine, is set while a caller waits and talks (P15, F20)."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cti import app as composition
from cti.asterisk.provision import Installation
from cti.calls.model import Breach, CallRecord, Outcome
from tests.system.command import hotline
from tests.system.house import Agent, House
from tests.system.stage import PLAIN, Stage, menus, working
from tests.system.wall_clock import WallClock

pytestmark = pytest.mark.system

STEP_S = 40
#: what two ends of a call on a busy machine may see apart, milliseconds
TOLERANCE_MS = 1500


class Watch:
    """What a stop-watch at the phones says, milliseconds."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def ms(self) -> int:
        return round((time.monotonic() - self._began) * 1000)


def near(said: int | None, measured: int) -> bool:
    return said is not None and abs(said - measured) < TOLERANCE_MS


async def noticed(supervisor: Agent, step: str) -> None:
    """The health says that Asterisk's clock was set by so much."""
    said = ""
    try:
        async with asyncio.timeout(20):
            while True:
                parts = (await supervisor.get("/api/health"))["parts"]
                said = next(str(part["text"]) for part in parts if part["name"] == "clock")
                if re.search(rf"Asterisk's was set by {re.escape(step)}\.\d s at ", said):
                    return
                await asyncio.sleep(0.1)  # a look at the parts is kept for a second
    except TimeoutError:
        raise AssertionError(f"no step of {step} s was noticed: {said}") from None


def queue_log(house: House, kind: str) -> list[str]:
    """What Asterisk itself wrote down of the caller it connected: the fields behind the kind."""
    lines = (house.settings.asterisk_run / "log" / "queue_log").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if line.split("|")[4] == kind]
    return line.split("|")[5:]


@asynccontextmanager
async def on_a_clock(
    folder: Path, installation: Installation, machine: pytest.MonkeyPatch | None
) -> AsyncIterator[tuple[WallClock, House, Stage]]:
    """A house whose Asterisk has a clock that can be set, or the whole `machine`: Asterisk and service have one."""
    clock = WallClock(folder)
    if machine is not None:
        machine.setattr(composition, "clock", clock.now)
    async with House(
        folder / "v",
        ivr_data=menus(folder, short=True),
        cache_dir=clock.sandbox(folder / "c", installation),
        queue_seconds=600,
        wrap_up_seconds=2,
    ) as house:
        async with working(house) as stage:
            yield clock, house, stage
        clock.set(0)


@pytest.mark.req("F20", "TL-10", "CT-02", "TL-62")
@pytest.mark.parametrize("machine", [False, True], ids=["asterisk", "machine"])
async def test_p15_a_clock_is_set_while_a_caller_waits_and_talks(
    short_tmp: Path, asterisk_installation: Installation, machine: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asterisk's own hold time jumps by the step, its talk time by the step back; every clock of ours stays right."""
    async with on_a_clock(short_tmp, asterisk_installation, monkeypatch if machine else None) as (clock, house, stage):
        supervisor = await stage.watch("3001")
        caller = await stage.caller(PLAIN)
        before = await stage.books.call(number=PLAIN, fits=lambda call: call.joined_at is not None)
        waited = Watch()
        clock.set(STEP_S)
        await noticed(supervisor, f"{STEP_S:+d}")
        free = Watch()
        seat = await stage.seat("1001")
        await seat.phone.rings(within_s=20)
        rang = Watch()
        await seat.agent.event("pop")
        await seat.phone.answer()
        rings_ms, wait_ms = (rang.ms, free.ms), waited.ms
        talked = Watch()
        await seat.agent.state("talking")
        clock.set(0)
        await noticed(supervisor, f"{-STEP_S:+d}")
        await caller.hang_up()
        talk_ms = talked.ms
        record = await stage.books.call(call_id=before.call_id)
        _ours_is_right(record, wait_ms=wait_ms, rings_ms=rings_ms, talk_ms=talk_ms)
        hold_s, _, _ = queue_log(house, "CONNECT")
        assert int(hold_s) * 1000 > wait_ms + (STEP_S - 2) * 1000, "Asterisk counts the step as waiting"
        _, talk_s, _ = queue_log(house, "COMPLETECALLER")
        assert int(talk_s) * 1000 < talk_ms - (STEP_S - 5) * 1000, "and takes it off the talk when it is set back"
        await seat.agent.state("ready")
        doctor = await hotline(house.settings, "doctor")
        assert doctor.code == 0, doctor.said
        for whose in ("Asterisk's", *(["this machine's"] if machine else [])):
            for by in (STEP_S, -STEP_S):
                assert f"! clock: {whose} clock was set by {by:+.1f} s, noted " in doctor.said, doctor.said


def _ours_is_right(record: CallRecord, *, wait_ms: int, rings_ms: tuple[int, int], talk_ms: int) -> None:
    """Within what the phones measured; and the 15 seconds, which begin with the agent, were kept."""
    (offer,) = record.offers
    assert record.outcome is Outcome.ANSWERED
    # Asterisk's own timed waits follow the clock that was set back: it may tell the talk's end after the call is closed
    assert set(record.unseen) <= {"talk_ended_at"}, record.unseen
    assert near(record.clocks.join_to_answer_ms, wait_ms), (record.clocks, wait_ms)
    assert offer.ring_ms is not None
    least, most = rings_ms  # from when the ringing was noticed, from when the agent came
    assert least - TOLERANCE_MS < offer.ring_ms < most + TOLERANCE_MS, (offer, rings_ms)
    assert near(record.talk_ms, talk_ms), (record.talk_ms, talk_ms)
    assert record.clocks.ct02_ms is not None
    assert record.clocks.ct02_ms < 15_000
    assert record.clocks.breach in {None, Breach.NOBODY_IDLE}
    moments = [record.entered_at, record.asked_at, record.joined_at, offer.at, record.answered_at, record.ended_at]
    known = [moment for moment in moments if moment is not None]
    assert len(known) == len(moments)
    assert known == sorted(known)
