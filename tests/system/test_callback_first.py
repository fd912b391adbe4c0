"""Customer first (a setting): the customer is called, presses 1, and waits in the place of his booking (TL-23)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cti.asterisk.provision import Installation
from tests.dialer.booking import CUSTOMER, becomes, book, policy, policy_file
from tests.dialer.far_end import FarEnd, Invite
from tests.system.conftest import free_ports
from tests.system.house import House
from tests.system.sound import find, load, snippet, tone
from tests.system.stage import Stage, menus, working
from ticketing.callbacks.model import Mode

pytestmark = pytest.mark.system

LIVE = "13900139001"


@pytest.fixture
async def far_end() -> AsyncIterator[FarEnd]:
    async with FarEnd(free_ports(1)[0], "waits") as far:
        yield far


@pytest.fixture
async def stage(short_tmp: Path, asterisk_installation: Installation, far_end: FarEnd) -> AsyncIterator[Stage]:
    dials: dict[str, Any] = {"outbound": True, "callbacks": True, "trunk_out": far_end.trunk}
    dials |= {"callback_policy": policy_file(short_tmp), "ivr_data": menus(short_tmp, short=True)}
    async with House(short_tmp / "h", **dials, callback_mode="customer-first") as house, working(house) as made:
        yield made


async def hears(stage: Stage, invite: Invite, prompt: str) -> None:
    """Waits until the customer has heard a prompt."""
    wanted, _ = snippet(load(stage.house.prompts / "zh" / f"{prompt}.wav"))
    async with asyncio.timeout(30):
        while True:
            if find(invite.samples, wanted) is not None:
                return
            await asyncio.sleep(0.1)  # packets have no event


@pytest.mark.req("TL-23", "TL-54")
async def test_who_presses_one_waits_in_the_place_of_his_booking_and_is_connected(
    stage: Stage, far_end: FarEnd
) -> None:
    """While he is called the agent takes a break, and somebody else comes into the queue: the booking was earlier."""
    seat = await stage.seat("1002")
    booking = await book(stage.books.database, joined_ago=timedelta(minutes=10), mode=Mode.CUSTOMER_FIRST)
    invite = await far_end.rings()
    assert (invite.caller, invite.called) == ("1860", CUSTOMER)
    await seat.agent.post("/api/agent/pause", {"reason": "training"})
    live = await stage.caller(LIVE)
    await stage.books.call(number=LIVE, fits=lambda call: call.joined_at is not None, within_s=30)
    far_end.answer(invite)
    await hears(stage, invite, "callback-call-press-one")
    answered = await becomes(stage.books.database, booking, lambda row: row.state == "answered")
    assert answered.tries[0].agent is None
    invite.press("1")
    await becomes(stage.books.database, booking, lambda row: row.state == "queued")
    await seat.agent.post("/api/agent/ready")
    offer = await seat.phone.rings(within_s=20)
    assert CUSTOMER in offer.call.peer
    pop = await seat.agent.event("pop")
    assert (pop["call_id"], pop["reason"]["code"]) == (answered.tries[0].call_id, "callback")
    await seat.phone.answer()
    draft = await seat.agent.event("draft", lambda data: data["call_id"] == pop["call_id"])
    ended = await becomes(stage.books.database, booking, lambda row: row.state == "connected")
    assert (ended.tries[0].agent, ended.attempts, ended.order_id) == ("1002", 1, draft["order_id"])
    said = tone(600, 1.0)
    await seat.phone.says(said)
    await seat.phone.hang_up()
    async with asyncio.timeout(10):
        await invite.over.wait()
    assert find(invite.samples, tone(600, 0.5)) is not None
    call = await stage.books.call(call_id=pop["call_id"])
    assert (call.answered_by, call.outcome, call.queue) == ("1002", "answered", "complaint")
    recording = await stage.books.recording(call.call_id, lambda found: found.state.value != "expected")
    assert recording.state.value == "ready"
    await seat.free()
    assert LIVE in (await seat.phone.rings(within_s=20)).call.peer
    await live.hang_up()
    assert len(far_end.calls) == 1


@pytest.mark.req("TL-23")
async def test_no_key_is_no_confirmation_and_who_gives_up_in_the_queue_is_called_again(
    stage: Stage, far_end: FarEnd
) -> None:
    seats = [await stage.seat(number) for number in ("1001", "1002")]
    database = stage.books.database
    bookings = {number: await book(database, number, mode=Mode.CUSTOMER_FIRST) for number in (CUSTOMER, "13800138002")}
    invites = {invite.called: invite for invite in [await far_end.rings(), await far_end.rings()]}
    voicemail, patient = invites[CUSTOMER], invites["13800138002"]
    for invite in (voicemail, patient):
        far_end.answer(invite)
    await hears(stage, patient, "callback-call-press-one")
    patient.press("1")
    await becomes(database, bookings["13800138002"], lambda row: row.state == "queued")
    ringing = [asyncio.create_task(seat.phone.rings(within_s=20)) for seat in seats]
    await asyncio.wait(ringing, return_when=asyncio.FIRST_COMPLETED)
    far_end.hang_up(patient)
    outcomes = {"13800138002": "abandoned", CUSTOMER: "not_confirmed"}
    for number, outcome in outcomes.items():
        row = await becomes(
            database, bookings[number], lambda row: bool(row.tries) and row.tries[0].outcome is not None, within_s=70
        )
        assert (row.state, row.tries[0].outcome, row.attempts) == ("pending", outcome, 1)
        assert row.tries[0].ended_at is not None
        assert row.next_at - row.tries[0].ended_at >= policy().spacing[0]
    await hears(stage, voicemail, "goodbye")
    for task in ringing:
        task.cancel()
    await asyncio.gather(*ringing, return_exceptions=True)
    for seat in seats:
        await seat.agent.state("ready")
    assert len(far_end.calls) == 2
