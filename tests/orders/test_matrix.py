"""Every state × step × post × field left out: as the table says, or refused with its code and nothing changed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import ALL_WELL, REPLIED, TWO, Case, in_process, replying
from tests.orders.test_flow_properties import BESIDE, ORDER, TOLD, WORK, Made
from ticketing.audit import audit as audit_log
from ticketing.errors import HotlineError
from ticketing.orders import closing, control, dispatching, leading, proposing, rework, work
from ticketing.orders.inputs import (
    Dispatch,
    FileAway,
    ForReason,
    HandToSenior,
    Intervene,
    Invalidate,
    Propose,
    Rate,
    Reply,
    Report,
    Solve,
    Stop,
    ToArchivist,
    Transfer,
)
from ticketing.orders.model import State, WorkOrderState
from ticketing.orders.step_inputs import Opinion, ToLeader, ToManager
from ticketing.orders.tables import customer_order, order_trail, work_order
from ticketing.orders.workflow import Transition, Verb, rows_from

#: one person of each post
PEOPLE = ("1001", "2001", "3001", "4001", "5001", "6001", "7001", "8001", "8101", "8201", "9001", "9101")
STEPS: dict[Verb, Made] = {
    **ORDER,
    Verb.TO_ARCHIVIST: (control.to_archivist, ToArchivist, {"thanks": True}),
    Verb.REPORT: (control.report, Report, {"digest": "x", "addressees": ["a", "b", "c"]}),
}
#: fields whose absence is another refusal than "missing", or that the proposal or the order itself fills in
_OTHERWISE = {(Verb.APPROVE, "tasks"), (Verb.TO_ARCHIVIST, "thanks")}


#: why a step on a work order may be refused although the table has it
_OF_WORK = frozenset(
    {"nothing_to_acknowledge", "nothing_proposed", "field_task", "not_a_field_task", "not_your_task"}
    | {"extension_asked", "no_extension_asked"}
    | {"dispatch_the_order", "dealt_with", "head_replies", "field_report_first"}
)


class _Undone(Exception):
    """The step was possible; nothing of it stays."""


@dataclass(frozen=True)
class Facts:
    """What must be as it was after a refusal."""

    order: Any
    works: Sequence[Any]
    lines: int
    audited: int


async def facts(case: Case) -> Facts:
    """Everything of the order that a step could change."""
    async with case.desk.database.read() as conn:
        row = (await conn.execute(select(customer_order).where(customer_order.c.public_id == case.id))).one()
        works = (await conn.execute(select(work_order).where(work_order.c.order_id == row.id))).all()
        lines = select(func.count()).select_from(order_trail).where(order_trail.c.order_id == row.id)
        audited = select(func.count()).select_from(audit_log)
        return Facts(row, works, int(await conn.scalar(lines) or 0), int(await conn.scalar(audited) or 0))


async def attempt(case: Case, number: str, made: Made, target: tuple[str, int], **said: Any) -> tuple[str, str | None]:
    """What a step answers ("" when it is done) and the field it names; done or not, nothing stays."""
    action, given, usual = made
    public_id, version = target
    now = case.desk.now + timedelta(hours=case.at_h)
    try:
        async with case.desk.database.write() as conn:
            await action(conn, case.desk[number], given(public_id, version, **{**usual, **said}), now)
            raise _Undone
    except _Undone:
        return "", None
    except HotlineError as refused:
        field = refused.details.get("field")
        return refused.code, None if field is None else str(field)


def times(verb: Verb, now: datetime) -> dict[str, Any]:
    """Times a step needs."""
    if verb is Verb.FINISH:
        return {"handled_at": now, "overtime_reason": "x"}
    return {TOLD[verb]: now + timedelta(hours=9)} if verb in TOLD else {}


def empty(value: Any) -> Any:
    """A field that nobody filled in."""
    if isinstance(value, str):
        return ""
    return type(value)() if isinstance(value, list | tuple | dict) else None


async def at_senior(case: Case) -> None:
    """With the seniors."""
    await case.act("1001", dispatching.hand_to_senior, HandToSenior, reason="x")


async def surveyed(case: Case) -> None:
    """Waits for the call-back."""
    await replying(case)
    await case.act("2001", closing.reply, Reply, **REPLIED)


async def closed(case: Case) -> None:
    """Over, not filed."""
    await surveyed(case)
    await case.act("7001", closing.rate, Rate, outcome="satisfied", grade="satisfied")


async def suggestion(case: Case) -> None:
    """A suggestion that waits for the archivist."""
    draft = await case.desk.edit(
        await case.desk.call("s1"),
        kind="suggestion",
        business="mobile.data",
        nature="charges.plan",
        suggestion_category="service",
        description="建议",
        verbatim="建议",
        contact_name="陈晨",
        contact_number="13900139000",
        reply_mode="sms",
    )
    submitted = await case.desk.submit(draft)
    case.id, case.version = submitted.subject_id, submitted.version
    await case.act("1001", control.to_archivist, ToArchivist, thanks=True)


async def bring(case: Case, state: State) -> None:
    """The order to a state, by the steps of people."""
    match state:
        case State.AT_SENIOR:
            await at_senior(case)
        case State.IN_REVIEW:
            await case.act("1001", dispatching.propose, Propose, tasks=TWO, opinion="x")
        case State.AT_MANAGER:
            await case.act("1001", control.to_manager, ToManager, trigger="refuses_answer", reason="x")
        case State.AT_LEADER:
            await at_senior(case)
            await case.act("2001", leading.to_leader, ToLeader, question="x")
        case State.IN_PROCESS:
            await in_process(case)
        case State.REPLYING:
            await at_senior(case)
            await case.act("2001", dispatching.solve, Solve, opinion="x", cause="none")
        case State.SURVEY:
            await surveyed(case)
        case State.REGISTERED:
            pass
        case _:
            await bring_to_an_end(case, state)


async def bring_to_an_end(case: Case, state: State) -> None:
    """The order to a state in which nobody works on it, or to one of a suggestion."""
    false = {**ALL_WELL, "valid": False}
    ended: dict[str, Any] = {"reason": "withdrew", "evidence": "x"}
    match state:
        case State.CLOSED:
            await closed(case)
        case State.ARCHIVED:
            await closed(case)
            filed = {"content": "x", "customer_nature": "ordinary", "department": "city.network"}
            await case.act("5001", closing.file_away, FileAway, **filed)
        case State.INVALID:
            await at_senior(case)
            await case.act("2001", dispatching.invalidate, Invalidate, opinion="x", checks=false, customer_told="x")
        case State.CANCELLED:
            await case.act("2001", control.cancel, Stop, **ended)
        case State.FORCE_ENDED:
            await case.act("9001", proposing.ask_force_end, Stop, **{**ended, "reason": "special"})
            await case.act("9101", proposing.force_end, Opinion, opinion="x")
        case State.AT_ARCHIVIST:
            await suggestion(case)
        case State.REPORTED:
            await suggestion(case)
            await case.act("5001", control.report, Report, digest="x", addressees=["a", "b", "c"])
        case _:
            raise AssertionError(state)


STATES = [
    *(State.REGISTERED, State.AT_SENIOR, State.IN_REVIEW, State.AT_MANAGER, State.AT_LEADER, State.IN_PROCESS),
    *(State.REPLYING, State.SURVEY, State.CLOSED, State.ARCHIVED, State.INVALID, State.CANCELLED),
    *(State.FORCE_ENDED, State.AT_ARCHIVIST, State.REPORTED),
]


async def answers(
    case: Case, row: Transition | None, step: tuple[Verb, Made], target: tuple[str, int], out_of_sight: frozenset[str]
) -> None:
    """One step by everybody, and by whoever may with each field left out."""
    verb, made = step
    said = times(verb, case.desk.now + timedelta(hours=case.at_h))
    for number in PEOPLE:
        code, field = await attempt(case, number, made, target, **said)
        where = (verb, number, code, field)
        may = row is not None and bool(row.posts & case.desk[number].posts)
        if number in out_of_sight:
            assert code in {"not_found", "forbidden", "not_from_here"}, where
        elif row is None:
            assert code == "not_from_here", where
        elif not may:
            assert code == "forbidden", where
        else:
            assert code == "" or code in BESIDE | _OF_WORK, where
        if row is None or not may or code:
            continue
        for name in row.required:
            if (verb, name) in _OTHERWISE:
                continue
            full = {**made[2], **said}
            code, field = await attempt(case, number, made, target, **{**said, name: empty(full[name])})
            assert (code, field) in {("missing", name), ("checks", name)}, (verb, number, name, code, field)


@pytest.mark.req("N4", "RV-06", "IN-19")
@pytest.mark.parametrize("state", STATES)
async def test_each_step_of_an_order_in_each_state_by_each_post(desk: Desk, state: State) -> None:
    case = Case(desk, await desk.registered())
    await bring(case, state)
    before = await facts(case)
    assert before.order.state == state.value
    rows = {row.verb: row for row in rows_from(state)}
    worked = before.works and state not in {State.REGISTERED}
    unseen = frozenset({"8201"} if worked else {"8001", "8101", "8201"})
    for verb, made in STEPS.items():
        await answers(case, rows.get(verb), (verb, made), (case.id, before.order.version), unseen)
    assert await facts(case) == before, "what was refused or undone left nothing"


MOVE = {"from_workplace": "x", "reason": "x", "to_workplace": "x", "to_unit": "city.installation", "limit_s": 7200}
WORK_STATES = [state for state in WorkOrderState if state not in {WorkOrderState.PROPOSED}]


async def bring_work(case: Case, state: WorkOrderState) -> None:
    """The network department's work order to a state."""
    await in_process(case)
    unit, ended = "city.network", {"reason": "withdrew", "evidence": "x"}
    match state:
        case WorkOrderState.CANCELLED:
            await case.act("2001", control.cancel, Stop, **ended)
            return
        case WorkOrderState.FORCE_ENDED:
            await case.act("9001", proposing.ask_force_end, Stop, **{**ended, "reason": "special"})
            await case.act("9101", proposing.force_end, Opinion, opinion="x")
            return
        case WorkOrderState.RETURNED:
            await case.on_work(unit, "8101", rework.give_back, Intervene, reason_code="wrong_unit", reason="x")
        case WorkOrderState.TRANSFERRED:
            await case.on_work(unit, "8101", rework.transfer, Transfer, **MOVE)
        case WorkOrderState.RECALLED:
            await case.on_work(unit, "2001", rework.recall, Intervene, reason_code="withdrawn", reason="x")
        case WorkOrderState.DONE:
            await case.finished(unit, "8001")
        case WorkOrderState.AT_HEAD:
            await case.on_work(unit, "8001", rework.to_head, ForReason, reason="x")
        case _:
            if state is not WorkOrderState.SENT:
                await case.on_work(unit, "8001", work.accept)
            if state is WorkOrderState.WORKING:
                await case.on_work(unit, "8001", work.begin)


@pytest.mark.req("N4", "PR-01")
@pytest.mark.parametrize("state", WORK_STATES)
async def test_each_step_of_a_work_order_in_each_state_by_each_post(desk: Desk, state: WorkOrderState) -> None:
    case = Case(desk, await desk.registered())
    await bring_work(case, state)
    case.at_h = 0.5
    before = await facts(case)
    held = before.works[0]
    assert held.state == state.value
    rows = {row.verb: row for row in rows_from(state)}
    # who neither dispatches, proposes nor works in the unit does not know of it
    unseen = frozenset({"5001", "7001", "8201", "9101"})
    for verb, made in WORK.items():
        await answers(case, rows.get(verb), (verb, made), (held.public_id, held.version), unseen)
    assert await facts(case) == before, "what was refused or undone left nothing"


@pytest.mark.req("F18", "T10")
async def test_of_two_seniors_who_approve_at_once_one_wins_and_the_other_is_told_who(desk: Desk) -> None:
    case = Case(desk, await desk.registered())
    await case.act("1001", dispatching.propose, Propose, tasks=TWO, opinion="x")
    chief = desk["4001"]
    desk.actors["4001"] = type(chief)(chief.staff_id, "4001", chief.name, desk["2001"].posts)

    async def approve(number: str) -> str:
        try:
            async with desk.database.write() as conn:
                given = Dispatch(case.id, case.version, opinion=number, checks=ALL_WELL)
                await dispatching.approve(conn, desk[number], given, desk.now)
        except HotlineError as late:
            return f"{late.code} {late.details['by']}"
        return "done"

    both = dict(zip(("2001", "4001"), await asyncio.gather(approve("2001"), approve("4001")), strict=True))
    (winner,) = [number for number, told in both.items() if told == "done"]
    (loser,) = [number for number in both if number != winner]
    assert both[loser] == f"stale_version {winner}"
    assert [each.number for each in (await case.read()).work_orders] == [1, 2], "the work was sent once"
