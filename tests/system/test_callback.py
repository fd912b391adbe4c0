"""Booked callbacks: the agent's phone first, then the customer; dialled once an attempt, whatever is killed."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from cti import callbacks
from cti.asterisk.provision import Installation
from cti.backfill import ends_told
from tests.dialer.booking import CUSTOMER, becomes, book, policy, policy_file
from tests.dialer.far_end import FarEnd
from tests.system.conftest import free_ports
from tests.system.house import House
from tests.system.sound import find, loudness, tone
from tests.system.stage import PLAIN, Seat, Stage, menus, working
from ticketing.callbacks import actions, reading
from ticketing.callbacks.model import Again, Mode, Outcome
from ticketing.callbacks.tables import callback_attempt
from ticketing.roles import SYSTEM

pytestmark = pytest.mark.system


@pytest.fixture
async def far_end() -> AsyncIterator[FarEnd]:
    async with FarEnd(free_ports(1)[0]) as far:
        yield far


@pytest.fixture
async def stage(short_tmp: Path, asterisk_installation: Installation, far_end: FarEnd) -> AsyncIterator[Stage]:
    dials: dict[str, Any] = {"outbound": True, "callbacks": True, "trunk_out": far_end.trunk}
    dials |= {"callback_policy": policy_file(short_tmp), "ivr_data": menus(short_tmp, short=True)}
    async with House(short_tmp / "h", verified=True, **dials) as house, working(house) as made:
        yield made


async def is_now(seat: Seat, wanted: str) -> None:
    """Waits until the agent is in this state; he may have been in it before."""
    async with asyncio.timeout(15):
        while True:
            if (await seat.agent.get("/api/agent"))["state"] == wanted:
                return
            await asyncio.sleep(0.05)


async def is_free(stage: Stage, number: str) -> None:
    """Waits until the exchange may offer callers to the agent again."""
    await shows(stage, number, "paused", there=False)


async def shows(stage: Stage, number: str, word: str, *, there: bool = True) -> None:
    """Waits until the exchange says this word of the agent, or no longer says it."""
    async with asyncio.timeout(10):
        while True:
            if (word in await member(stage, number)) is there:
                return
            await asyncio.sleep(0.05)  # the console has no event


async def member(stage: Stage, number: str) -> str:
    """The exchange's own words about the agent in its queue."""
    lines = (await stage.house.cli("queue show complaint")).splitlines()
    return next(line for line in lines if f"PJSIP/{number}" in line)


@pytest.mark.req("TL-23", "TL-54")
async def test_the_agent_is_called_first_then_the_customer_who_sees_the_hotline(stage: Stage, far_end: FarEnd) -> None:
    seat = await stage.seat("1002")
    booking = await book(stage.books.database)
    pop = await seat.agent.event("pop")
    assert pop["reason"]["code"] == "callback"
    assert pop["customer"] is not None
    offer = await seat.phone.rings()
    assert CUSTOMER in offer.call.peer
    assert not far_end.calls  # nobody meets silence: the agent is there before the customer rings
    await seat.phone.answer()
    invite = await far_end.rings()
    assert (invite.caller, invite.called) == ("1860", CUSTOMER)
    far_end.answer(invite)
    call_id = pop["call_id"]
    draft = await seat.agent.event("draft", lambda data: data["call_id"] == call_id)
    await seat.phone.says(tone(600, 1.0))
    await seat.phone.hang_up()
    async with asyncio.timeout(5):
        await invite.over.wait()
    ended = await becomes(stage.books.database, booking, lambda row: row.state == "connected")
    assert (ended.attempts, ended.tries[0].agent, ended.order_id) == (1, "1002", draft["order_id"])
    assert ended.tries[0].call_id == call_id
    call = await stage.books.call(call_id=call_id)
    assert (call.answered_by, call.reason, call.ani) == ("1002", "callback", CUSTOMER)
    recording = await stage.books.recording(call_id, lambda found: found.state.value != "expected")
    assert recording.seconds is not None
    assert recording.seconds > 0.8
    assert recording.path is not None
    with wave.open(str(stage.house.settings.recordings_root / recording.path)) as file:
        sides = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
    agent, customer = sides[:, 0], sides[:, 1]
    assert find(agent, tone(600, 0.5)) is not None
    assert find(customer, tone(600, 0.5)) is None
    assert loudness(customer) > 1000
    assert call.talk_ms is not None
    assert call.talk_ms > 1000  # to the end of the talk, not to an optimisation of channels
    await seat.free()
    assert len(far_end.calls) == 1


@pytest.mark.req("TL-23", "TL-70")
async def test_a_busy_customer_is_called_again_after_the_spacing(stage: Stage, far_end: FarEnd) -> None:
    far_end.manner = "busy"
    seat = await stage.seat("1002")
    booking = await book(stage.books.database)
    await seat.phone.rings()
    await seat.phone.answer()
    await far_end.rings()
    await seat.phone.ended()
    missed = await becomes(
        stage.books.database, booking, lambda row: row.tries[-1:] != () and row.tries[0].outcome == "busy"
    )
    assert missed.attempts_left == policy().cap - 1
    assert missed.tries[0].ended_at is not None
    assert missed.next_at - missed.tries[0].ended_at >= policy().spacing[0]
    async with stage.books.database.read() as conn:
        channel = str(await conn.scalar(select(callback_attempt.c.channel_id)))
    ends = await asyncio.to_thread(ends_told, stage.house.settings.journals)
    assert callbacks.judged([(channel, Mode.AGENT_FIRST)], ends) == {channel: Outcome.BUSY}, f"its journal says {ends}"
    await is_free(stage, "1002")
    far_end.manner = "rings"
    senior = await stage.watch("2001")
    await senior.post(f"/api/callbacks/{booking}/call-now", {"version": missed.version})
    await seat.phone.rings()
    await seat.phone.answer()
    far_end.answer(await far_end.rings())
    ended = await becomes(stage.books.database, booking, lambda row: row.state == "connected")
    assert [attempt.outcome for attempt in ended.tries] == ["busy", "connected"]
    far_end.hang_up(next(reversed(far_end.calls.values())))
    await seat.phone.ended()
    await seat.free()
    assert len(far_end.calls) == 2


@pytest.mark.req("TL-22", "TL-23")
async def test_a_customer_who_calls_himself_meanwhile_is_not_called(stage: Stage, far_end: FarEnd) -> None:
    seat = await stage.seat("1002")
    booking = await book(stage.books.database)
    await seat.phone.rings()
    async with stage.books.database.write() as conn:
        taken = await actions.again(conn, SYSTEM, booking, Again.TAKE_OVER, datetime.now(UTC))
    assert isinstance(taken, actions.Takeover)
    await seat.phone.ended()
    await seat.agent.state("ready")
    async with stage.books.database.read() as conn:
        row = await reading.get(conn, booking, policy(), datetime.now(UTC))
    assert (row.state, row.tries[0].outcome) == ("cancelled", "withdrawn")
    assert not far_end.calls
    await is_free(stage, "1002")


@pytest.mark.req("TL-23")
async def test_an_agent_who_lets_it_ring_is_free_again_and_the_customer_is_not_called(
    stage: Stage, far_end: FarEnd
) -> None:
    seat = await stage.seat("1002")
    booking = await book(stage.books.database)
    await seat.phone.rings()
    await seat.phone.reject()
    missed = await becomes(
        stage.books.database,
        booking,
        lambda row: row.tries[:1] != () and row.attempts >= 1 and row.tries[0].outcome is not None,
    )
    assert missed.tries[0].outcome == "agent_lost"
    assert not far_end.calls
    async with stage.books.database.write() as conn:
        await actions.again(conn, SYSTEM, booking, Again.CANCEL, datetime.now(UTC))
    await seat.agent.event("retract")
    await seat.agent.state("ready")
    await stage.books.call(call_id=missed.tries[0].call_id)
    await is_free(stage, "1002")


@pytest.mark.req("TL-23")
async def test_no_more_are_called_than_agents_are_free(stage: Stage, far_end: FarEnd) -> None:
    far_end.manner = "answers"
    database = stage.books.database
    first, second = await book(database), await book(database, "13800138002")
    seat = await stage.seat("1002")
    for booking, waiting in ((first, second), (second, None)):
        await seat.phone.rings()
        await seat.phone.answer()
        await becomes(database, booking, lambda row: row.state == "connected")
        if waiting is not None:
            row = await becomes(database, waiting, lambda row: row.state == "pending")
            assert (row.attempts, len(far_end.calls)) == (0, 1)
        await seat.agent.state("talking")
        await seat.phone.hang_up()
        await seat.free()
    assert [invite.called for invite in far_end.calls.values()] == [CUSTOMER, "13800138002"]


@pytest.mark.req("TL-23")
@pytest.mark.parametrize("first", ["booking", "caller"])
async def test_who_joined_first_gets_the_agent_whose_wrap_up_ends(stage: Stage, far_end: FarEnd, first: str) -> None:
    """He talks; a caller waits, and a booking comes into the line: whose call he is given next is their order."""
    seat = await stage.seat("1002")
    talk = await stage.caller("13900139001")
    await seat.phone.rings(within_s=30)
    await seat.phone.answer()
    await is_now(seat, "talking")
    live = await stage.caller(PLAIN)
    await stage.books.call(number=PLAIN, fits=lambda call: call.joined_at is not None, within_s=30)
    ago = timedelta(minutes=10) if first == "booking" else timedelta()
    booking = await book(stage.books.database, "13800138002", joined_ago=ago)
    await talk.hang_up()
    await is_now(seat, "wrap_up")
    if first == "booking":
        await seat.agent.post("/api/agent/ready")  # the button; the caller's turn comes with the end of the wrap-up
    order = ["13800138002", PLAIN] if first == "booking" else [PLAIN, "13800138002"]
    for number in order:
        offer = await seat.phone.rings(within_s=30)
        assert number in offer.call.peer
        await seat.phone.answer()
        if number != PLAIN:
            far_end.answer(await far_end.rings())
            await becomes(stage.books.database, booking, lambda row: row.state == "connected")
        await is_now(seat, "talking")
        await seat.phone.hang_up()
        await is_now(seat, "wrap_up")
    await live.ended()
    assert len(far_end.calls) == 1


@pytest.mark.req("TL-23", "TL-40")
async def test_the_comparison_of_each_minute_leaves_a_kept_agent_alone(stage: Stage, far_end: FarEnd) -> None:
    kept, other = await stage.seat("1002"), await stage.seat("1001")
    await other.agent.post("/api/agent/pause", {"reason": "training"})
    booking = await book(stage.books.database)
    await kept.phone.rings()
    for _ in range(2):  # when the second is under way the first has done all it would do
        await stage.house.cli("queue unpause member PJSIP/1001")
        await stage.house.cli("module reload app_queue.so")  # the service looks at everything again
        await shows(stage, "1001", "paused")
    assert "paused:callback" in await member(stage, "1002")
    await kept.phone.answer()
    far_end.answer(await far_end.rings())
    await becomes(stage.books.database, booking, lambda row: row.state == "connected")
    await kept.phone.hang_up()
    await kept.free()
