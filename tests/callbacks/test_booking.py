"""Booked, asked for again, taken over, put off, called now: one callback for a number, and never without an owner."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.callbacks.conftest import Wish
from tests.intake.conftest import Leave, leave
from tests.orders.desk import Desk
from ticketing.callbacks import actions, dialling, reading, store
from ticketing.callbacks.actions import Takeover
from ticketing.callbacks.model import Again, Callback, CallbackFilter, NewBooking, State
from ticketing.callbacks.policy import Policy
from ticketing.callbacks.tables import callback
from ticketing.changes import Change
from ticketing.errors import Forbidden, Invalid, NotFound, Refused, Stale
from ticketing.intake import actions as intake
from ticketing.intake import store as items
from ticketing.roles import SYSTEM, Actor
from ticketing.serials import valid

__all__ = ["leave"]

MINUTE = timedelta(minutes=1)


class Book:
    """Short ways to do things with callbacks."""

    def __init__(self, desk: Desk, policy: Policy) -> None:
        self.desk, self.policy = desk, policy

    async def book(self, given: NewBooking, after: timedelta = timedelta(), by: Actor = SYSTEM) -> Change:
        async with self.desk.database.write() as conn:
            return await actions.book(conn, by, given, self.policy, self.desk.now + after)

    async def read(self, change: Change, at: datetime | None = None) -> Callback:
        async with self.desk.database.read() as conn:
            return await reading.get(conn, change.subject_id, self.policy, at or self.desk.now)

    async def again(self, change: Change, choice: Again) -> Change | Takeover:
        async with self.desk.database.write() as conn:
            return await actions.again(conn, SYSTEM, change.subject_id, choice, self.desk.now, call_id="c-2")

    async def set_state(self, change: Change, state: str, **values: Any) -> None:
        async with self.desk.database.write() as conn:
            await conn.execute(
                callback.update().where(callback.c.public_id == change.subject_id).values(state=state, **values)
            )

    async def dialled(self, change: Change) -> str:
        """Up to the commit before the exchange is asked; the channel's id."""
        async with self.desk.database.write() as conn:
            row = await store.hold(conn, change.subject_id)
            claim = await dialling.claim(conn, row.id, "d1", self.policy, self.desk.now)
            assert claim is not None
            await dialling.reserve(conn, claim, "1001", self.desk.now)
            return (await dialling.dial(conn, claim, self.policy, self.desk.now)).channel_id


@pytest.fixture
def book(desk: Desk, policy: Policy) -> Book:
    return Book(desk, policy)


@pytest.mark.req("TL-22", "K17")
async def test_a_booking_has_number_place_window_limit_and_owner(desk: Desk, book: Book, wish: Wish) -> None:
    customer = await desk.customer()
    made = await book.book(wish(priority=5))
    found = await book.read(made)
    assert made.kind == "callback.booked"
    assert valid(found.serial)
    assert (found.state, found.number, found.window, found.owner) == ("pending", "+8613800138000", "asap", "callbacks")
    assert (found.joined_at, found.next_at) == (desk.now - MINUTE, desk.now)
    assert (found.due_at, found.priority, found.attempts_left) == (desk.now + 30 * MINUTE, 5, 3)
    assert (found.customer_id, found.customer_name, found.mode) == (customer.public_id, "张伟", "agent_first")
    assert [(await book.read(made, desk.now + m * MINUTE)).card for m in (0, 20, 30)] == ["none", "yellow", "red"]


async def test_a_window_is_kept_until_it_opens(desk: Desk, book: Book, wish: Wish) -> None:
    found = await book.read(await book.book(wish(window="2026-03-11-morning")))
    opens = datetime.fromisoformat("2026-03-11T00:00:00+00:00")
    assert (found.window_start, found.next_at, found.due_at) == (opens, opens, opens + timedelta(hours=4))
    async with desk.database.read() as conn:
        assert await reading.line(conn, "complaint", desk.now) == []
        place = (await reading.line(conn, "complaint", opens))[0].place
    assert (place.joined_at, place.callback) == (opens, True)


@pytest.mark.req("TL-06", "TL-22")
async def test_as_soon_as_possible_while_closed_is_at_the_next_opening(
    desk: Desk, book: Book, wish: Wish, policy: Policy
) -> None:
    opening = replace(policy.calling, week=(((570, 1080),),) * 5 + ((),) * 2)  # workdays from 9:30 to 18:00
    friday_evening = datetime.fromisoformat("2026-03-13T20:00:00+08:00")
    async with desk.database.write() as conn:
        made = await actions.book(conn, SYSTEM, wish(), policy, friday_evening, opening=opening)
    found = await book.read(made)
    assert found.next_at == datetime.fromisoformat("2026-03-16T09:30:00+08:00")
    assert found.due_at == found.next_at + 30 * MINUTE


@pytest.mark.req("TL-22")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"number": "anonymous"}, "not_dialable"), ({"number": "4008001234"}, "not_dialable"),
        ({"number": "0044 20 7946 0958"}, "not_dialable"), ({"window": "2026-03-09-morning"}, "no_such_window"),
        ({"window": "2026-03-10-night"}, "no_such_window"), ({"window": "2027-03-10-morning"}, "no_such_window"),
        ({"window": ""}, "no_such_window"),
    ],
)  # fmt: skip
async def test_impossible_numbers_and_times_are_refused(
    book: Book, wish: Wish, changes: dict[str, str], code: str
) -> None:
    with pytest.raises(Invalid, match=code):
        await book.book(wish(**changes))


async def test_a_window_that_closes_while_the_caller_listens_can_still_be_booked(
    desk: Desk, book: Book, wish: Wish
) -> None:
    late = timedelta(hours=2, minutes=5)  # 11:35: less than half an hour is left
    assert (await book.book(wish(window="2026-03-10-morning"), late)).kind == "callback.booked"
    with pytest.raises(Invalid, match="no_such_window"):
        await book.book(wish(window="2026-03-10-morning", number="13900139000"), late + 10 * MINUTE)


@pytest.mark.req("TL-22", "F28")
async def test_one_callback_for_a_number_however_often_and_at_once_it_asks(desk: Desk, book: Book, wish: Wish) -> None:
    calls = [wish(call_id=f"20260310012900-{n:012d}", joined_at=desk.now - n * MINUTE) for n in range(10)]
    made = await asyncio.gather(*(book.book(each) for each in calls))
    assert len({change.payload["serial"] for change in made}) == 1
    found = await book.read(made[0])
    assert (found.requests, found.joined_at) == (10, desk.now - 9 * MINUTE)
    again = await book.book(replace(calls[-1], call_id=found.call_id))
    assert (again.kind, (await book.read(again)).requests) == ("callback.known", 10)
    async with desk.database.read() as conn:
        assert await conn.scalar(select(func.count()).select_from(callback)) == 1


async def test_asking_again_keeps_place_and_promise_and_gives_the_attempts_back(
    desk: Desk, book: Book, wish: Wish
) -> None:
    made = await book.book(wish())
    await book.set_state(made, "failed", used=3, attempts=3)
    await book.book(wish(call_id="c-2", joined_at=desk.now + 20 * MINUTE, priority=3), 21 * MINUTE)
    found = await book.read(made)
    assert (found.state, found.attempts, found.attempts_left, found.requests) == ("pending", 3, 3, 2)
    assert (found.joined_at, found.due_at, found.priority) == (desk.now - MINUTE, desk.now + 30 * MINUTE, 3)
    await book.book(wish(call_id="c-3", window="2026-03-11-morning"))
    assert (await book.read(made)).window == "2026-03-11-morning"


@pytest.mark.req("TL-22")
async def test_a_number_that_calls_again_takes_over_cancels_or_keeps(desk: Desk, book: Book, wish: Wish) -> None:
    made = await book.book(wish(priority=2))
    kept = await book.again(made, Again.KEEP)
    assert isinstance(kept, Change)
    assert ((await book.read(made)).state, (await book.read(made)).requests) == ("pending", 2)
    taken = await book.again(made, Again.TAKE_OVER)
    assert isinstance(taken, Takeover)
    assert (taken.joined_at, taken.priority, taken.queue) == (desk.now - MINUTE, 2, "complaint")
    found = await book.read(made)
    assert (found.state, found.end_reason, found.owner) == ("cancelled", "taken_over", None)
    with pytest.raises(Refused):
        await book.again(made, Again.CANCEL)
    other = await book.book(wish(call_id="c-9"))
    assert other.payload["serial"] != found.serial
    await book.again(other, Again.CANCEL)
    assert (await book.read(other)).end_reason == "customer"
    async with desk.database.read() as conn:
        assert await reading.open_of(conn, "138 0013 8000", book.policy, desk.now) is None


@pytest.mark.req("TL-22", "TL-23")
async def test_who_calls_while_he_is_being_dialled_takes_over_and_the_channel_is_hung_up(
    desk: Desk, book: Book, wish: Wish
) -> None:
    made = await book.book(wish())
    channel_id = await book.dialled(made)
    with pytest.raises(Refused, match="not_from_here"):
        await book.again(made, Again.CANCEL)
    with pytest.raises(Refused, match="not_from_here"):
        await book.book(wish(call_id="c-2"))
    taken = await book.again(made, Again.TAKE_OVER)
    assert isinstance(taken, Takeover)
    assert (taken.channel_id, taken.agent) == (channel_id, "1001")
    found = await book.read(made)
    assert [(attempt.state, attempt.outcome) for attempt in found.tries] == [("failed", "withdrawn")]


@pytest.mark.req("TL-23", "PX-04")
async def test_a_person_puts_off_calls_now_hands_over_and_cancels(desk: Desk, book: Book, wish: Wish) -> None:
    made = await book.book(wish())
    id_, now, policy = made.subject_id, desk.now, book.policy
    senior, supervisor, junior = desk["2001"], desk["3001"], desk["1001"]
    async with desk.database.write() as conn:
        for wrong in (now, now - MINUTE, now + timedelta(days=8)):
            with pytest.raises(Invalid):
                await actions.snooze(conn, senior, id_, 1, wrong, policy, now)
        with pytest.raises(Forbidden):
            await actions.snooze(conn, junior, id_, 1, now + MINUTE, policy, now)
        await actions.snooze(conn, senior, id_, 1, now + timedelta(hours=12), policy, now)
    found = await book.read(made)
    assert found.next_at == datetime.fromisoformat("2026-03-11T00:00:00+00:00")  # 21:30 is quiet
    assert (found.joined_at, found.due_at) == (now - MINUTE, now + 30 * MINUTE)
    await book.set_state(made, "failed", used=3, attempts=3)
    async with desk.database.write() as conn:
        with pytest.raises(Stale):
            await actions.call_now(conn, senior, id_, 1, policy, now)
        with pytest.raises(Refused, match="quiet_hours"):
            await actions.call_now(conn, senior, id_, 2, policy, now + timedelta(hours=12))
        await actions.call_now(conn, senior, id_, 2, policy, now)
    found = await book.read(made)
    assert (found.state, found.next_at, found.attempts_left) == ("pending", now, 1)
    async with desk.database.write() as conn:
        with pytest.raises(Forbidden):
            await actions.reassign(conn, senior, id_, 3, "2001", now, reason="absent")
        with pytest.raises(NotFound):
            await actions.reassign(conn, supervisor, id_, 3, "7777", now, reason="absent")
        await actions.reassign(conn, supervisor, id_, 3, "2001", now, reason="absent")
        mine = await reading.search(conn, senior, CallbackFilter(mine=True), policy, now)
        assert [each.owner for each in mine.items] == ["2001"]
        await actions.reassign(conn, supervisor, id_, 4, None, now, reason="absent")
        with pytest.raises(Invalid, match="missing"):
            await actions.cancel(conn, senior, id_, 5, "  ", now)
        await actions.cancel(conn, senior, id_, 5, "已在营业厅解决", now)
    found = await book.read(made)
    assert (found.state, found.end_reason, found.note) == ("cancelled", "staff", "已在营业厅解决")


async def test_a_local_number_is_found_by_its_area(desk: Desk, book: Book, wish: Wish) -> None:
    async with desk.database.write() as conn:
        made = await actions.book(conn, SYSTEM, wish(number="66668888"), book.policy, desk.now, area_code="010")
        found = await reading.open_of(conn, "66668888", book.policy, desk.now, area_code="010")
        assert found is not None
        assert (found.serial, found.number) == (made.payload["serial"], "+861066668888")
        assert await reading.open_of(conn, "66668888", book.policy, desk.now) is None


async def test_an_agent_who_books_answers_for_it(desk: Desk, book: Book, wish: Wish) -> None:
    made = await book.book(wish(call_id=None), by=desk["1001"])
    assert (await book.read(made)).owner == "1001"
    with pytest.raises(Forbidden):
        await book.book(wish(number="13900139000"), by=desk["5001"])


@pytest.mark.req("TL-21")
async def test_messages_and_callback_of_one_number_are_one_case(
    desk: Desk, book: Book, wish: Wish, leave: Leave
) -> None:
    async with desk.database.write() as conn:
        before = await intake.take(conn, SYSTEM, leave(1), desk.now)
        other = await intake.take(conn, SYSTEM, leave(2, ani="13900139000"), desk.now)
    made = await book.book(wish())
    async with desk.database.write() as conn:
        after = await intake.take(conn, SYSTEM, leave(3), desk.now)
        serial = (await items.get(conn, before.subject_id, desk.now)).callback
        assert serial == made.payload["serial"]
        assert (await items.get(conn, after.subject_id, desk.now)).callback == serial
        assert (await items.get(conn, other.subject_id, desk.now)).callback is None
        assert serial is not None
        merged = await items.serials_of_callbacks(conn, [serial])
    assert merged == {serial: [before.payload["serial"], after.payload["serial"]]}


async def test_the_list_is_by_remaining_time_page_by_page(desk: Desk, book: Book, wish: Wish) -> None:
    windows = ["asap", "2026-03-11-morning", "2026-03-10-evening"]
    for n in range(6):
        await book.book(wish(number=f"1390013900{n}", call_id=f"c{n}", window=windows[n % 3]))
    seen: list[Callback] = []
    cursor: str | None = None
    async with desk.database.read() as conn:
        while True:
            page = await reading.search(conn, SYSTEM, CallbackFilter(), book.policy, desk.now, cursor=cursor, limit=4)
            seen += page.items
            cursor = page.next_cursor
            if cursor is None:
                break

        async def count(**conditions: Any) -> int:
            wanted, late = CallbackFilter(**conditions), desk.now + timedelta(hours=1)
            return len((await reading.search(conn, SYSTEM, wanted, book.policy, late)).items)

        assert [await count(overdue=True), await count(listed=True), await count(queue="other")] == [2, 0, 0]
        assert [await count(number="139 0013 9001"), await count(serial=seen[0].serial)] == [1, 1]
        assert await count(state=(State.CANCELLED.value,)) == 0
        with pytest.raises(Invalid, match="unknown_code"):
            await count(state=("lost",))
    assert len({each.serial for each in seen}) == 6
    assert [each.due_at for each in seen] == sorted(each.due_at for each in seen)


@pytest.mark.req("F05")
async def test_who_was_cut_off_stands_on_the_list_once_and_is_dialled_by_nobody(
    desk: Desk, book: Book, wish: Wish, policy: Policy
) -> None:
    """A withheld number cannot be proposed; who has a callback already needs none; a person's word makes it due."""

    async def propose(given: NewBooking) -> Change | None:
        async with desk.database.write() as conn:
            return await actions.propose(conn, given, policy, desk.now)

    made = await propose(wish(note="pbx-crash"))
    assert made is not None
    found = await book.read(made)
    assert (made.kind, found.state, found.owner, found.attempts, found.note) == (
        *("callback.proposed", "failed", "callbacks", 0, "pbx-crash"),
    )
    async with desk.database.read() as conn:
        assert await reading.line(conn, "complaint", desk.now + timedelta(days=1)) == []
    assert await propose(wish()) is None
    assert await propose(wish(number="")) is None
    async with desk.database.write() as conn:
        await actions.cancel(conn, desk.actors["3001"], found.id, found.version, "settled", desk.now)
    assert await propose(wish()) is None
    later = await propose(wish(call_id="20260310012900-000001000002"))
    assert later is not None
    async with desk.database.write() as conn:
        known = await book.read(later)
        await actions.call_now(conn, desk.actors["3001"], known.id, known.version, policy, desk.now)
    assert (await book.read(later)).state == "pending"
