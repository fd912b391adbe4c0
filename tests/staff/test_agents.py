"""Agent states and the queues an agent should be in (TL-40)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from ticketing.changes import Change
from ticketing.db import Database
from ticketing.errors import Forbidden, Invalid, NotFound, Refused
from ticketing.roles import SYSTEM, Actor
from ticketing.staff import agents, sample, store
from ticketing.staff.model import OVERFLOW_PENALTY, Agent, AgentState, Membership, PhoneKind
from ticketing.staff.rules import TRANSITIONS, WISHES, Step, next_state
from ticketing.staff.tables import agent_state_log

SECOND = timedelta(seconds=1)
S = AgentState


async def actor(database: Database, number: str) -> Actor:
    async with database.read() as conn:
        return (await store.by_number(conn, number)).actor


async def seat(database: Database, number: str, now: datetime) -> Actor:
    person = await actor(database, number)
    async with database.write() as conn:
        await agents.sign_in(conn, person, PhoneKind.BROWSER, now)
    return person


async def tell(database: Database, phase: AgentState, at: datetime, call: str | None = "c1") -> Change | None:
    async with database.write() as conn:
        return await agents.follow_phone(conn, "1001", phase, call, at)


async def state(database: Database, number: str = "1001") -> Agent:
    async with database.read() as conn:
        return await store.agent(conn, number)


@pytest.mark.req("TL-40")
async def test_a_call_walks_through_the_states(centre: Database, now: datetime) -> None:
    await seat(centre, "1001", now)
    seen = [(await state(centre)).state]
    for each, phase in enumerate((S.RINGING, S.TALKING, S.WRAP_UP), 1):
        change = await tell(centre, phase, now + each * SECOND)
        assert change is not None
        assert change.payload["state"] == phase.value
        seen.append((await state(centre)).state)
    assert seen == [S.READY, S.RINGING, S.TALKING, S.WRAP_UP]
    assert (await state(centre)).wrap_up_until == now + 33 * SECOND
    async with centre.write() as conn:
        assert await agents.end_wrap_ups(conn, now + 32 * SECOND) == []
        assert [change.payload["state"] for change in await agents.end_wrap_ups(conn, now + 33 * SECOND)] == ["ready"]
        lines = (await conn.execute(select(agent_state_log).order_by(agent_state_log.c.id))).all()
    assert [(line.state, line.call_id) for line in lines] == [
        ("ready", None), ("ringing", "c1"), ("talking", "c1"), ("wrap_up", "c1"), ("ready", None),
    ]  # fmt: skip
    assert [line.ended_at for line in lines[:-1]] == [line.started_at for line in lines[1:]]


async def test_a_withdrawn_offer_returns_to_the_pause_it_came_from(centre: Database, now: datetime) -> None:
    person = await seat(centre, "1001", now)
    async with centre.write() as conn:
        await agents.pause(conn, person, "meal", now)
    await tell(centre, S.RINGING, now + SECOND)
    await tell(centre, S.READY, now + 2 * SECOND)
    after = await state(centre)
    assert (after.state, after.reason, after.call_id) == (S.PAUSED, "meal", None)


@pytest.mark.parametrize("taken_back", [False, True])
async def test_a_pause_asked_for_in_a_call_begins_after_the_wrap_up(
    centre: Database, now: datetime, taken_back: bool
) -> None:
    person = await seat(centre, "1001", now)
    await tell(centre, S.TALKING, now + SECOND)
    async with centre.write() as conn:
        change = await agents.pause(conn, person, "meal", now + 2 * SECOND)
        assert (change.payload["state"], change.payload["resume"], change.payload["call_id"]) == (
            "talking", "paused", "c1",
        )  # fmt: skip
        assert {each.paused for each in await store.memberships(conn)} == {True}
        if taken_back:
            await agents.ready(conn, person, now + 3 * SECOND)
    await tell(centre, S.WRAP_UP, now + 4 * SECOND)
    async with centre.write() as conn:
        await agents.end_wrap_ups(conn, now + 34 * SECOND)
        lines = (await conn.execute(select(agent_state_log.c.state).order_by(agent_state_log.c.id))).scalars().all()
    after = await state(centre)
    assert (after.state, after.reason) == ((S.READY, None) if taken_back else (S.PAUSED, "meal"))
    assert lines == ["ready", "talking", "wrap_up", after.state.value]


async def test_a_quiet_phone_ends_a_call_whose_end_was_not_seen(centre: Database, now: datetime) -> None:
    await seat(centre, "1001", now)
    await tell(centre, S.TALKING, now + SECOND)
    assert await tell(centre, S.READY, now + 9 * SECOND, None)
    assert (await state(centre)).state is S.WRAP_UP


async def test_a_quiet_phone_does_not_end_a_wrap_up(centre: Database, now: datetime) -> None:
    """Who ends it must also end the pause in the queues: the limit or the agent himself."""
    await seat(centre, "1001", now)
    await tell(centre, S.TALKING, now + SECOND)
    await tell(centre, S.WRAP_UP, now + 2 * SECOND)
    assert await tell(centre, S.READY, now + 32 * SECOND, None) is None
    async with centre.write() as conn:
        assert {each.paused for each in await store.memberships(conn)} == {True}
        assert len(await agents.end_wrap_ups(conn, now + 32 * SECOND)) == 1
        assert {each.paused for each in await store.memberships(conn)} == {False}


async def test_late_facts_and_other_calls_change_nothing(centre: Database, now: datetime) -> None:
    await seat(centre, "1001", now)
    assert await tell(centre, S.TALKING, now + 5 * SECOND)
    assert await tell(centre, S.RINGING, now + 4 * SECOND) is None
    assert await tell(centre, S.TALKING, now + 5 * SECOND) is None
    assert await tell(centre, S.WRAP_UP, now + 6 * SECOND, "c0") is None
    assert await tell(centre, S.WRAP_UP, now + 6 * SECOND)
    assert await tell(centre, S.WRAP_UP, now + 7 * SECOND) is None
    async with centre.write() as conn:
        assert await agents.follow_phone(conn, "9999", S.RINGING, "c1", now) is None


async def test_the_phone_of_a_signed_out_agent_changes_nothing(centre: Database, now: datetime) -> None:
    person = await seat(centre, "1001", now)
    async with centre.write() as conn:
        await agents.sign_out(conn, person, now)
    assert await tell(centre, S.RINGING, now + SECOND) is None


async def test_wishes_the_state_does_not_allow_are_refused(centre: Database, now: datetime) -> None:
    person = await seat(centre, "1001", now)
    await tell(centre, S.TALKING, now + SECOND)
    async with centre.write() as conn:
        for wish in [agents.sign_out(conn, person, now), agents.sign_in(conn, person, PhoneKind.DESK, now)]:
            with pytest.raises(Refused, match="wrong_agent_state"):
                await wish
    assert (await state(centre)).phone_kind is PhoneKind.BROWSER


async def test_pauses_have_a_coded_reason_and_others_are_paused_by_supervisors(centre: Database, now: datetime) -> None:
    lin, wang = await seat(centre, "1001", now), await seat(centre, "1002", now)
    zhou, admin = await actor(centre, "3001"), await actor(centre, "9001")
    async with centre.write() as conn:
        with pytest.raises(Invalid) as caught:
            await agents.pause(conn, lin, "喝茶", now)
        assert caught.value.field == "reason"
        for other in (lin, admin):
            with pytest.raises(Forbidden):
                await agents.pause(conn, other, "supervisor", now, number=wang.number)
        with pytest.raises(Forbidden):
            await agents.sign_in(conn, admin, PhoneKind.BROWSER, now)
        with pytest.raises(NotFound):
            await agents.ready(conn, zhou, now)
        await agents.pause(conn, zhou, "supervisor", now, number=wang.number)
        await agents.pause(conn, SYSTEM, "missed", now, number=lin.number)
    assert [(await state(centre, each)).reason for each in ("1001", "1002")] == ["missed", "supervisor"]


async def test_the_database_says_which_queues_hold_whom(centre: Database, now: datetime) -> None:
    lin = await seat(centre, "1001", now)
    await seat(centre, "2001", now)
    async with centre.write() as conn:
        assert await store.queues_of(conn, await store.by_number(conn, "1001")) == ["complaint", "suggestion"]
        assert await store.queues_of(conn, await store.by_number(conn, "9001")) == []
        await agents.pause(conn, lin, "meal", now)
    async with centre.read() as conn:
        assert await store.memberships(conn) == [
            Membership("1001", "林晓梅", "complaint", True, "meal"),
            Membership("1001", "林晓梅", "senior", True, "meal", OVERFLOW_PENALTY),
            Membership("1001", "林晓梅", "suggestion", True, "meal"),
            Membership("2001", "陈静", "senior", False, None),
        ]
    async with centre.write() as conn:
        await agents.sign_out(conn, lin, now + SECOND)
        assert [each.number for each in await store.memberships(conn)] == ["2001"]
        assert [agent.number for agent in await store.agents(conn)] == ["2001"]


async def test_an_agent_in_wrap_up_is_offered_nothing(centre: Database, now: datetime) -> None:
    await seat(centre, "1001", now)
    await tell(centre, S.TALKING, now + SECOND)
    await tell(centre, S.WRAP_UP, now + 2 * SECOND)
    async with centre.read() as conn:
        assert {(each.paused, each.reason) for each in await store.memberships(conn)} == {(True, "wrap_up")}


@given(st.lists(st.sampled_from(list(Step))), st.sampled_from([S.READY, S.PAUSED]))
def test_any_steps_lead_to_a_known_state_or_a_refusal(steps: list[Step], resume: AgentState) -> None:
    now_in = S.LOGGED_OUT
    for step in steps:
        try:
            after = next_state(now_in, step, resume)
        except Refused:
            assert step in WISHES
            continue
        if after is None:
            assert step not in WISHES
            continue
        now_in = after
    assert now_in in set(AgentState)


def test_every_state_can_be_left_and_reached() -> None:
    reached = {to for to in TRANSITIONS.values() if to} | {S.LOGGED_OUT}
    left = {at for (at, _), to in TRANSITIONS.items() if to is not at}
    assert reached == left == set(AgentState)


@pytest.mark.req("G14")
async def test_a_junior_marked_for_vip_overflow_is_a_late_member_of_the_seniors_queues(
    database: Database, now: datetime
) -> None:
    """In his own queues at once, in the seniors' with the penalty that queuerules.conf lets in after 20 s."""
    async with database.write() as conn:
        await sample.load(conn, sample.SAMPLE.read_text(encoding="utf-8"), now)
        junior = await store.by_number(conn, "1001")
        await agents.sign_in(conn, junior.actor, PhoneKind.DESK, now)
        found = {(each.queue, each.penalty) for each in await store.memberships(conn) if each.number == "1001"}
    assert found == {("complaint", 0), ("suggestion", 0), ("senior", OVERFLOW_PENALTY)}
