"""Each attempt is dialled at most once, and no callback is forgotten, whatever crashes (N3, F19)."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.callbacks.conftest import Wish
from tests.callbacks.exchange import Centre, Killed
from tests.intake.conftest import Leave, leave
from tests.orders.desk import Desk
from ticketing.callbacks import actions, dialling, reading, store
from ticketing.callbacks.model import HELD, LISTED, Again, Callback, Claim, Dial, Mode, OnUnknown, Outcome, Verb
from ticketing.callbacks.policy import Policy
from ticketing.callbacks.tables import callback, callback_attempt
from ticketing.changes import Change
from ticketing.contacts import store as contacts
from ticketing.contacts.tables import contact
from ticketing.errors import HotlineError, Refused, Stale
from ticketing.intake import actions as intake
from ticketing.intake import store as items
from ticketing.roles import SYSTEM

__all__ = ["leave"]


@pytest.fixture
def centre(desk: Desk, policy: Policy) -> Centre:
    return Centre(desk.database, policy, desk.now)


async def read(centre: Centre, change: Change) -> Callback:
    async with centre.database.read() as conn:
        return await reading.get(conn, change.subject_id, centre.policy, centre.now)


async def dialled(centre: Centre) -> Dial:
    dial = await centre.dial_next()
    assert dial is not None
    return dial


@pytest.mark.req("TL-23", "TL-54")
async def test_a_customer_who_is_reached_gives_an_order_with_both_calls_and_his_message(
    desk: Desk, centre: Centre, wish: Wish, leave: Leave
) -> None:
    customer = await desk.customer()
    made = await centre.book(wish())
    async with desk.database.write() as conn:
        left = await intake.take(conn, SYSTEM, leave(), centre.now)
    dial = await dialled(centre)
    assert (dial.number, dial.agent, dial.mode) == ("+8613800138000", "1001", "agent_first")
    assert (await read(centre, made)).state == "dialling"
    changes = await centre.tell(dial.channel_id, Verb.CONNECT, agent="1001")
    assert [change.kind for change in changes] == ["order.opened", "callback.connected", "item.absorbed"]
    assert await centre.tell(dial.channel_id, Verb.CONNECT, agent="1001") == []
    found = await read(centre, made)
    assert (found.state, found.end_reason, found.agent, found.owner) == ("connected", "connected", None, None)
    assert [(each.n, each.state, each.outcome, each.agent) for each in found.tries] == [
        (1, "connected", "connected", "1001")
    ]
    order = await desk.read(changes[0])
    assert (order.serial, order.id) == (found.order, found.order_id)
    assert (order.customer_id, order.owner, order.caller_number) == (customer.public_id, "1001", "+8613800138000")
    assert {(each.kind, each.direction) for each in order.contacts} == {
        ("call", "out"), ("call", "in"), ("recording", "in"),
    }  # fmt: skip
    async with desk.database.read() as conn:
        item = await items.get(conn, left.subject_id, centre.now)
        row = (await conn.execute(select(callback.c.outcome))).one()
    assert (item.state, [each.serial for each in item.orders], row.outcome) == ("done", [found.order], "met")


async def test_a_message_a_clerk_has_stays_his(desk: Desk, centre: Centre, wish: Wish, leave: Leave) -> None:
    await centre.book(wish())
    async with desk.database.write() as conn:
        left = await intake.take(conn, SYSTEM, leave(), centre.now)
        await intake.claim(conn, desk["6001"], left.subject_id, 1, centre.now)
    await centre.tell((await dialled(centre)).channel_id, Verb.CONNECT, agent="1001")
    async with desk.database.read() as conn:
        assert (await items.get(conn, left.subject_id, centre.now)).owner == "6001"


@pytest.mark.req("TL-23")
async def test_the_draft_of_the_outbound_call_is_made_once_whoever_is_first(
    desk: Desk, centre: Centre, wish: Wish
) -> None:
    made = await centre.book(wish())
    dial = await dialled(centre)
    told = await desk.call(dial.call_id, "1001", dial.number)
    changes = await centre.tell(dial.channel_id, Verb.CONNECT, agent="1001")
    assert [change.kind for change in changes] == ["order.known", "callback.connected"]
    assert (await read(centre, made)).order_id == told.subject_id
    async with desk.database.read() as conn:
        lines = await contacts.log(conn, None, dial.number)
        assert {line.external_id for line in lines} == {dial.call_id, "20260310012900-000001000001"}
        assert await conn.scalar(select(contact.c.direction).where(contact.c.external_id == dial.call_id)) is not None


@pytest.mark.req("TL-23")
async def test_failed_attempts_are_spaced_capped_and_then_on_the_owners_list(centre: Centre, wish: Wish) -> None:
    made = await centre.book(wish())
    for n, (wait, outcome) in enumerate([(10, "busy"), (60, "no_answer"), (0, "unreachable")], start=1):
        dial = await dialled(centre)
        assert (dial.n, dial.channel_id) == (n, f"cb-{dial.serial}-{n}")
        change = (await centre.tell(dial.channel_id, Verb.MISS, Outcome(outcome)))[0]
        assert (change.kind, change.payload["agent"]) == ("callback.missed", "1001")
        if wait:
            assert await centre.dial_next() is None
            centre.pass_time(minutes=wait - 1)
            assert await centre.dial_next() is None
            centre.pass_time(minutes=1)
    found = await read(centre, made)
    assert (found.state, found.owner, found.attempts, found.attempts_left) == ("failed", "callbacks", 3, 0)
    assert [each.outcome for each in found.tries] == ["busy", "no_answer", "unreachable"]
    assert await centre.dial_next() is None
    assert sum(centre.exchange.invites.values()) == 3


@pytest.mark.req("TL-23")
async def test_quiet_hours_hold_the_finger_at_the_last_moment(desk: Desk, centre: Centre, wish: Wish) -> None:
    made = await centre.book(wish())
    async with desk.database.write() as conn:
        held = await store.hold(conn, made.subject_id)
        claim = await dialling.claim(conn, held.id, "d0", centre.policy, centre.now)
        assert claim is not None
        await dialling.reserve(conn, claim, "1001", centre.now)
        night = replace(centre.policy, calling=replace(centre.policy.calling, week=((),) * 7))
        with pytest.raises(Refused, match="quiet_hours"):
            await dialling.dial(conn, claim, night, centre.now)
        change = await dialling.release(conn, claim, "quiet_hours", centre.now)
    assert (change.payload["agent"], (await read(centre, made)).state) == ("1001", "pending")


@pytest.mark.req("TL-23")
async def test_a_customer_called_first_confirms_waits_in_his_place_and_is_connected(centre: Centre, wish: Wish) -> None:
    centre.policy = replace(centre.policy, mode=Mode.CUSTOMER_FIRST)
    made = await centre.book(wish())
    dial = await dialled(centre)
    assert (dial.agent, dial.joined_at) == (None, wish().joined_at)
    for verb, state in ((Verb.ANSWER, "answered"), (Verb.CONFIRM, "confirmed"), (Verb.QUEUE, "queued")):
        assert len(await centre.tell(dial.channel_id, verb)) == 1
        assert await centre.tell(dial.channel_id, verb) == []
        found = await read(centre, made)
        assert (found.state, found.tries[0].state) == (state, state)
    await centre.tell(dial.channel_id, Verb.CONNECT, agent="1002")
    found = await read(centre, made)
    assert (found.state, found.tries[0].agent) == ("connected", "1002")


@pytest.mark.req("TL-22", "TL-23")
async def test_a_customer_called_first_declines_by_key(centre: Centre, wish: Wish) -> None:
    centre.policy = replace(centre.policy, mode=Mode.CUSTOMER_FIRST)
    made = await centre.book(wish())
    dial = await dialled(centre)
    await centre.tell(dial.channel_id, Verb.ANSWER)
    for kinds in (["callback.cancelled"], []):
        async with centre.database.write() as conn:
            assert await dialling.channel_of(conn, dial.call_id) == dial.channel_id
            changes = await dialling.decline(conn, dial.channel_id, centre.now)
        assert [change.kind for change in changes] == kinds
    found = await read(centre, made)
    assert (found.state, found.end_reason, found.tries[0].outcome) == ("cancelled", "customer", "rejected")
    async with centre.database.write() as conn:
        assert await dialling.decline(conn, "cb-000000000-1", centre.now) == []
        assert await dialling.channel_of(conn, "no call") is None


@pytest.mark.req("TL-23")
@pytest.mark.parametrize(
    ("told", "outcome"),
    [([], "no_answer"), ([Verb.ANSWER], "not_confirmed"), ([Verb.ANSWER, Verb.CONFIRM], "abandoned"),
     ([Verb.QUEUE], "abandoned")],
)  # fmt: skip
async def test_what_it_means_that_his_channel_has_ended(
    centre: Centre, wish: Wish, told: list[Verb], outcome: str
) -> None:
    centre.policy = replace(centre.policy, mode=Mode.CUSTOMER_FIRST)
    made = await centre.book(wish())
    dial = await dialled(centre)
    for verb in told:
        await centre.tell(dial.channel_id, verb)
    await centre.tell(dial.channel_id, Verb.MISS)
    found = await read(centre, made)
    assert (found.state, found.tries[0].outcome) == ("pending", outcome)


@pytest.mark.req("TL-23")
@pytest.mark.parametrize("outcome", [Outcome.NOT_CONFIRMED, Outcome.ABANDONED])
async def test_voicemail_does_not_press_one(centre: Centre, wish: Wish, outcome: Outcome) -> None:
    centre.policy = replace(centre.policy, mode=Mode.CUSTOMER_FIRST)
    made = await centre.book(wish())
    dial = await dialled(centre)
    await centre.tell(dial.channel_id, Verb.ANSWER)
    await centre.tell(dial.channel_id, Verb.MISS, outcome)
    found = await read(centre, made)
    assert (found.state, found.tries[0].outcome) == ("pending", outcome.value)


async def test_news_of_strange_channels_and_of_old_attempts_changes_nothing(centre: Centre, wish: Wish) -> None:
    made = await centre.book(wish())
    first = await dialled(centre)
    await centre.tell(first.channel_id, Verb.MISS, Outcome.BUSY)
    centre.pass_time(minutes=10)
    await dialled(centre)
    for channel_id in (first.channel_id, "cb-000000000-1", "PJSIP/trunk-1"):
        for what in (Verb.CONNECT, Verb.MISS, Verb.ANSWER):
            assert await centre.tell(channel_id, what, Outcome.BUSY) == []
    assert (await read(centre, made)).state == "dialling"
    with pytest.raises(HotlineError, match="not a fact"):
        await centre.tell(first.channel_id, Verb.CANCEL)


@pytest.mark.req("TL-23", "N3")
async def test_many_diallers_claim_each_callback_once(centre: Centre, wish: Wish) -> None:
    for n in range(12):
        await centre.book(wish(number=f"139001390{n:02}", call_id=f"c{n}"))
    async with centre.database.read() as conn:
        line = await reading.line(conn, "complaint", centre.now)

    async def dialler(name: str) -> list[Claim]:
        mine = []
        for each in line:
            async with centre.database.write() as conn:
                claim = await dialling.claim(conn, each.callback_id, name, centre.policy, centre.now)
            mine += [claim] if claim else []
        return mine

    claims = list(itertools.chain(*await asyncio.gather(*(dialler(f"d{n}") for n in range(4)))))
    assert sorted(claim.callback_id for claim in claims) == sorted(each.callback_id for each in line)
    async with centre.database.read() as conn:
        assert await reading.in_flight(conn, "complaint") == 12


@pytest.mark.req("TL-23", "F19")
async def test_a_dialler_that_slept_through_its_lease_may_not_dial(centre: Centre, wish: Wish) -> None:
    made = await centre.book(wish())
    with pytest.raises(Killed):
        await centre.dial_next(dies_at=1)  # claimed
    async with centre.database.write() as conn:
        held = await store.hold(conn, made.subject_id)
        old = Claim(held.id, held.serial, "d0", held.row["lease_epoch"], held.row["lease_until"])
    centre.restart()
    assert await centre.recover() == []  # its lease runs
    centre.pass_time(seconds=31)
    with pytest.raises(Stale, match="lost_lease"):
        async with centre.database.write() as conn:
            await dialling.reserve(conn, old, "1001", centre.now)
    assert [change.kind for change in await centre.recover()] == ["callback.released"]
    assert (await dialled(centre)).n == 1
    with pytest.raises(Stale, match="lost_lease"):
        async with centre.database.write() as conn:
            await dialling.dial(conn, old, centre.policy, centre.now)
    assert sum(centre.exchange.invites.values()) == 1


async def test_a_living_dialler_keeps_what_it_has(centre: Centre, wish: Wish) -> None:
    made = await centre.book(wish())
    async with centre.database.write() as conn:
        held = await store.hold(conn, made.subject_id)
        claim = await dialling.claim(conn, held.id, "d0", centre.policy, centre.now)
    assert claim is not None
    for _ in range(3):  # the agent's phone rings and rings
        centre.pass_time(seconds=20)
        async with centre.database.write() as conn:
            claim = await dialling.keep(conn, claim, centre.policy, centre.now)
        assert await centre.recover() == []
    async with centre.database.write() as conn:
        await dialling.reserve(conn, claim, "1001", centre.now)
        dial = await dialling.dial(conn, claim, centre.policy, centre.now)
    centre.exchange.originate(dial)
    for _ in range(3):  # the customer's phone rings, and its channel is there whenever we look
        centre.pass_time(seconds=20)
        assert await centre.recover() == []
    centre.restart()
    centre.exchange.live.clear()
    assert await centre.recover() == []  # another answers for it
    centre.pass_time(seconds=31)
    assert [change.kind for change in await centre.recover()] == ["callback.lost"]


@pytest.mark.req("TL-23", "TL-70", "F19")
@pytest.mark.parametrize(
    ("alive", "journal", "kind", "state"),
    [
        (True, False, "callback.adopted", "dialling"),
        (False, True, "callback.missed", "pending"),
        (False, False, "callback.lost", "unknown"),
    ],
)
async def test_after_a_crash_in_mid_dial_the_exchange_is_asked(
    centre: Centre, wish: Wish, *, alive: bool, journal: bool, kind: str, state: str
) -> None:
    made = await centre.book(wish())
    dial = await dialled(centre)
    if not alive:
        centre.exchange.end(dial.channel_id, Outcome.BUSY, journal=journal)
    centre.restart()
    centre.pass_time(seconds=31)
    assert await centre.recover(link=False, journal=False) == []  # the exchange does not answer: nothing is decided
    assert [change.kind for change in await centre.recover()] == [kind]
    assert (await read(centre, made)).state == state
    assert await centre.recover() == []


@pytest.mark.req("TL-23", "TL-70")
async def test_what_is_too_young_to_be_gone_is_looked_at_again(centre: Centre, wish: Wish) -> None:
    await centre.book(wish())
    with pytest.raises(Killed):
        await centre.dial_next(dies_at=4)  # committed, not yet asked for
    centre.pass_time(seconds=14)
    assert await centre.recover() == []
    centre.pass_time(seconds=1)
    assert [change.kind for change in await centre.recover()] == ["callback.lost"]
    assert sum(centre.exchange.invites.values()) == 0


@pytest.mark.req("TL-23")
async def test_late_news_ends_a_doubt(centre: Centre, wish: Wish) -> None:
    for number, (retry, verb, state) in enumerate(
        [(OnUnknown.ASK, Verb.CONNECT, "connected"), (OnUnknown.RETRY, Verb.CONNECT, "connected"),
         (OnUnknown.ASK, Verb.MISS, "pending"), (OnUnknown.RETRY, Verb.MISS, "pending")]
    ):  # fmt: skip
        centre.policy = replace(centre.policy, on_unknown=retry)
        made = await centre.book(wish(number=f"1390013900{number}", call_id=f"c{number}"))
        dial = await dialled(centre)
        centre.exchange.end(dial.channel_id, Outcome.BUSY, journal=False)
        centre.pass_time(seconds=20)
        await centre.recover()
        assert (await read(centre, made)).state == ("unknown" if retry is OnUnknown.ASK else "pending")
        await centre.tell(dial.channel_id, verb, Outcome.BUSY, "1001")
        assert (await read(centre, made)).state == state


@pytest.mark.req("TL-23")
async def test_a_person_decides_about_a_doubt(desk: Desk, centre: Centre, wish: Wish) -> None:
    made = await centre.book(wish())
    dial = await dialled(centre)
    centre.exchange.live.clear()
    centre.pass_time(seconds=20)
    await centre.recover()
    found = await read(centre, made)
    assert (found.state, found.owner, found.tries[0].outcome) == ("unknown", "callbacks", "unknown")
    assert await centre.dial_next() is None
    async with desk.database.write() as conn:
        await actions.call_now(conn, desk["2001"], found.id, found.version, centre.policy, centre.now)
    again = await dialled(centre)
    assert (again.n, again.channel_id != dial.channel_id) == (2, True)


# -- whatever is killed, in whatever order ---------------------------------------------------------------------------

_RUNS = itertools.count(1)
_WHO = st.integers(0, 2)
_STEPS = st.one_of(
    st.tuples(st.just("book"), _WHO),
    st.tuples(st.just("dial"), st.integers(1, 8)),
    st.tuples(st.just("dial"), st.just(99)),
    st.tuples(st.just("restart"), st.just(0)),
    st.tuples(st.just("recover"), st.integers(0, 3)),
    st.tuples(st.just("answered"), _WHO),
    st.tuples(st.just("missed"), _WHO),
    st.tuples(st.just("vanished"), _WHO),
    st.tuples(st.just("doubt"), st.integers(0, 2)),
    st.tuples(st.just("again"), st.integers(0, 8)),
    st.tuples(st.just("person"), st.integers(0, 5)),
    st.tuples(st.just("wait"), st.sampled_from([1, 20, 40, 900, 4000])),
)


class Story:
    """Plays steps against a centre."""

    def __init__(self, centre: Centre, desk: Desk, wish: Wish) -> None:
        self.centre, self.desk, self.wish = centre, desk, wish
        self.queue, self.calls = f"q{next(_RUNS)}", itertools.count()
        #: times a person asked for another attempt, by number
        self.wanted: Counter[str] = Counter()

    async def play(self, verb: str, value: int) -> None:
        with suppress(HotlineError, Killed):
            await getattr(self, f"_{verb}")(value)

    def _number(self, who: int) -> str:
        return f"139{int(self.queue[1:]):07}{who}"

    async def _book(self, who: int) -> None:
        call_id = f"{self.queue}-{next(self.calls)}"
        await self.centre.book(self.wish(number=self._number(who), call_id=call_id, queue=self.queue))

    async def _dial(self, dies_at: int) -> None:
        try:
            await self.centre.dial_next(dies_at, self.queue)
        except Killed:
            self.centre.restart()

    async def _restart(self, _value: int) -> None:
        self.centre.restart()

    async def _recover(self, value: int) -> None:
        await self.centre.recover(journal=bool(value & 1), link=bool(value & 2))

    async def _wait(self, seconds: int) -> None:
        self.centre.pass_time(seconds=seconds)

    def _live(self, who: int) -> str:
        """A channel that lives; nothing else can tell news."""
        live = sorted(self.centre.exchange.live)
        if not live:
            raise Killed
        return live[who % len(live)]

    async def _answered(self, who: int) -> None:
        channel_id = self._live(who)
        for verb in (Verb.ANSWER, Verb.CONFIRM, Verb.QUEUE, Verb.CONNECT):
            await self.centre.tell(channel_id, verb, agent="1001")
        self.centre.exchange.end(channel_id, Outcome.CONNECTED, journal=False)

    async def _missed(self, who: int) -> None:
        channel_id = self._live(who)
        self.centre.exchange.end(channel_id, Outcome.NO_ANSWER, journal=True)
        await self.centre.tell(channel_id, Verb.MISS, Outcome.NO_ANSWER)

    async def _vanished(self, who: int) -> None:
        """The news is lost; the journal may be too."""
        self.centre.exchange.end(self._live(who), Outcome.BUSY, journal=who == 1)

    async def _doubt(self, who: int) -> None:
        """Lost without a trace, looked for too late, and the next turn comes."""
        if self.centre.exchange.live:
            self.centre.exchange.end(self._live(who), Outcome.BUSY, journal=False)
        self.centre.pass_time(seconds=40)
        await self.centre.recover()
        self.centre.pass_time(minutes=11)
        await self.centre.dial_next(queue=self.queue)

    async def _again(self, value: int) -> None:
        choice = list(Again)[value // 3]
        async with self.centre.database.write() as conn:
            held = await store.hold_open(conn, f"+86{self._number(value % 3)}")
            if held is not None:
                await actions.again(conn, SYSTEM, held.public_id, choice, self.centre.now)

    async def _person(self, value: int) -> None:
        async with self.centre.database.write() as conn:
            held = await store.hold_open(conn, f"+86{self._number(value % 3)}")
            if held is not None and value < 3:
                senior = self.desk["2001"]
                given: tuple[Any, ...] = (held.public_id, held.version, self.centre.policy, self.centre.now)
                await actions.call_now(conn, senior, *given)
                self.wanted[self._number(value % 3)] += 1
            elif held is not None:
                await actions.cancel(conn, self.desk["2001"], held.public_id, held.version, "不用了", self.centre.now)

    async def check(self) -> list[Mapping[str, Any]]:
        """What holds after every step."""
        async with self.centre.database.read() as conn:
            rows = (await conn.execute(select(callback).where(callback.c.queue == self.queue))).mappings().all()
            tries = (
                await conn.execute(
                    select(callback_attempt)
                    .join(callback, callback.c.id == callback_attempt.c.callback_id)
                    .where(callback.c.queue == self.queue)
                )
            ).all()
        exchange = self.centre.exchange
        assert all(count == 1 for count in exchange.invites.values())
        assert set(exchange.invites) <= {each.channel_id for each in tries}
        for row in rows:
            mine = [each for each in tries if each.callback_id == row["id"]]
            assert sorted(each.n for each in mine) == list(range(1, row["attempts"] + 1))
            assert row["used"] <= self.centre.policy.cap
            doubts = [each for each in mine if each.state == "unknown" and each.n < row["attempts"]]
            if self.centre.policy.on_unknown is OnUnknown.ASK:  # nobody is called again on a guess
                wanted = self.wanted[row["number"].removeprefix("+86")]
                assert len(doubts) <= wanted + row["requests"] - 1
            assert sum(each.ended_at is None for each in mine) == (row["state"] in {"dialling", "answered", "queued"})
            assert row["ended_at"] is not None or (row["owner_id"] is None) is not (row["owner_queue"] is None)
        return [dict(row) for row in rows]


@pytest.mark.req("TL-23", "N3", "F19")
@pytest.mark.parametrize("mode", list(Mode))
@given(steps=st.lists(_STEPS, min_size=5, max_size=40), retry=st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_each_attempt_is_dialled_at_most_once_and_none_is_forgotten(
    desk: Desk, policy: Policy, wish: Wish, mode: Mode, *, steps: list[tuple[str, int]], retry: bool
) -> None:
    chosen = replace(policy, mode=mode, on_unknown=OnUnknown.RETRY if retry else OnUnknown.ASK)
    centre = Centre(desk.database, chosen, desk.now)
    story = Story(centre, desk, wish)
    for verb, value in [("book", 0), *steps]:
        await story.play(verb, value)
        await story.check()
    # The service comes back for good: nothing may stay in a dialler's hands that no channel stands for.
    centre.restart()
    centre.pass_time(minutes=2)
    await centre.recover()
    for row in await story.check():
        channel = f"cb-{row['serial']}-{row['attempts']}"
        assert row["state"] not in {state.value for state in HELD} or channel in centre.exchange.live
        if row["state"] == "pending":
            assert row["next_at"] is not None
            assert row["used"] < chosen.cap
        elif row["state"] in {state.value for state in LISTED}:
            assert row["owner_queue"] == "callbacks"
