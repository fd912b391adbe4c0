"""Use cases of a department: accept, begin, finish a work order; each locks the order first. Never commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import taxonomy
from ticketing.changes import Change
from ticketing.clocks import store as clocks
from ticketing.clocks.model import Clock
from ticketing.clocks.store import NewClock
from ticketing.days import day_of
from ticketing.errors import Forbidden, HotlineError, Invalid, NotFound, Refused, Stale
from ticketing.orders import coordination, drafts, fields, ledger, sending, settle, tracking, workflow
from ticketing.orders.inputs import Finish, OnOrder
from ticketing.orders.ledger import Held, Step, WorkStep
from ticketing.orders.model import LIVE_WORK, Control, State, WorkOrderState
from ticketing.orders.tables import review, work_order
from ticketing.orders.workflow import Decision, Situation, Verb
from ticketing.roles import SYSTEM, Action, Actor, Post, may
from ticketing.staff.tables import staff

_TOLERANCE = timedelta(minutes=5)
#: a department's task, and the head's sub-task for somebody at the place (PR-12)
WORK, FIELD = "work", "field"
LIABILITIES = ("company", "customer", "third_party", "none")
_LIVE = [state.value for state in LIVE_WORK]


@dataclass(frozen=True, slots=True)
class HeldWork:
    """A work order under the lock of its order."""

    order: Held
    row: RowMapping

    @property
    def state(self) -> WorkOrderState:
        """Where it stands."""
        return WorkOrderState(self.row["state"])

    @property
    def is_field(self) -> bool:
        """A sub-task of a work order, done at the place."""
        return bool(self.row["kind"] == FIELD)


@dataclass(frozen=True, slots=True)
class Done:
    """What one action did to a work order."""

    #: past fact: work_order.finished
    fact: str
    verb: Verb
    to: State | WorkOrderState | None
    values: Mapping[str, Any]
    note: str | None = None


async def accept(conn: AsyncConnection, actor: Actor, given: OnOrder, now: datetime) -> Change:
    """T12: somebody of the unit takes it; it is his from now on (PR-01)."""
    held = await hold(conn, actor, given)
    workflow.advance(situation(held, now), Verb.ACCEPT, actor.posts, {})
    his(actor, held)
    values = {"accepted_at": now, "owner_id": actor.staff_id, "owner_queue": None}
    return await change(
        conn, actor, held, Done("work_order.accepted", Verb.ACCEPT, WorkOrderState.ACCEPTED, values), now
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one of several work orders taken at once."""

    id: str
    #: None: it was refused
    change: Change | None
    #: why it was refused
    refusal: HotlineError | None = None


async def accept_all(conn: AsyncConnection, actor: Actor, given: Sequence[OnOrder], now: datetime) -> tuple[Taken, ...]:
    """T12 for several at once: each is taken or refused by itself, and told in the order given (PX-05).

    Orders are locked in one order by everybody, so that two people who take the same ones never wait for each other.
    """
    ids = [each.public_id for each in given]
    known = await conn.execute(
        select(work_order.c.public_id, work_order.c.order_id).where(work_order.c.public_id.in_(ids))
    )
    of_order = {row.public_id: row.order_id for row in known}
    taken: dict[str, Taken] = {}
    for each in sorted(given, key=lambda one: (of_order.get(one.public_id, 0), one.public_id)):
        try:
            async with conn.begin_nested():
                taken[each.public_id] = Taken(each.public_id, await accept(conn, actor, each, now))
        except HotlineError as refusal:
            taken.setdefault(each.public_id, Taken(each.public_id, None, refusal))
    return tuple(taken[id_] for id_ in dict.fromkeys(ids))


async def begin(conn: AsyncConnection, actor: Actor, given: OnOrder, now: datetime) -> Change:
    """T12: the work has begun (PR-03)."""
    held = await hold(conn, actor, given)
    workflow.advance(situation(held, now), Verb.BEGIN, actor.posts, {})
    his(actor, held)
    values = {"working_at": now, "owner_id": actor.staff_id, "owner_queue": None}
    return await change(conn, actor, held, Done("work_order.begun", Verb.BEGIN, WorkOrderState.WORKING, values), now)


def his(actor: Actor, held: HeldWork) -> None:
    """A field task is its person's; a department's work order is taken by the office, not from the field.

    Raises Forbidden.
    """
    if held.is_field and held.row["owner_id"] != actor.staff_id:
        raise Forbidden("not_your_task", "this is the task of somebody else at the place")
    if not held.is_field and not actor.posts & {Post.DS, Post.DH}:
        raise Forbidden("not_your_task", "the office takes the unit's work orders")


async def finish(conn: AsyncConnection, actor: Actor, given: Finish, now: datetime) -> tuple[Change, ...]:
    """T13: the unit's answer; past the limit only with the reason (PR-06). The order follows when it was the last.

    Raises Invalid for a time that has not come yet, or one before the work order was sent.
    """
    held = await hold(conn, actor, given)
    result = fields.text("result", given.result, 4000, lines=True)
    said: dict[str, Any] = {
        "result": result,
        "cause": given.cause,
        "opinion": fields.text("opinion", given.opinion, 2000, lines=True),
        "service_number": fields.text("service_number", given.service_number, 40),
        "handled_at": given.handled_at,
        "overtime_reason": fields.text("overtime_reason", given.overtime_reason or "", 1000, lines=True),
    }
    decision = workflow.advance(situation(held, now), Verb.FINISH, actor.posts, said)
    await _may_finish(conn, actor, held)
    await taxonomy.leaf(conn, "cause", given.cause, day_of(now), field="cause")
    said |= {"liability": checked_liability(given.liability), "apology": given.apology}
    _handled(held, given.handled_at, now)
    await turn(conn, held, decision, now)
    values = {**said, "ended_at": now, "owner_id": None, "owner_queue": None}
    told = await change(conn, actor, held, Done("work_order.finished", Verb.FINISH, decision.to, values, result), now)
    await tracking.left_behind(conn, held.order, dict(held.row), now)
    return told, *await settle_order(conn, held.order.id, now)


async def _may_finish(conn: AsyncConnection, actor: Actor, held: HeldWork) -> None:
    """Who is at the place reports first, and then the head answers for the unit (PR-13)."""
    if held.is_field:
        raise Refused("field_task", "a task at the place is reported to the head of the unit")
    states_ = [WorkOrderState(state) for state in (await conn.scalars(_children(held, work_order.c.state))).all()]
    if LIVE_WORK & set(states_):
        raise Refused("field_report_first", "somebody at the place has not reported yet")
    if WorkOrderState.DONE in states_ and Post.DH not in actor.posts:
        raise Forbidden("head_replies", "after a report from the place the head of the unit answers")


def checked_liability(code: str | None) -> str | None:
    """Whose fault it was, or None; raises Invalid for a word that is none of them (PR-18)."""
    if code is not None and code not in LIABILITIES:
        raise Invalid("unknown_code", "whose fault it was", field="liability", allowed=list(LIABILITIES))
    return code


def _children(held: HeldWork, *columns: Any) -> Any:
    return select(*columns).where(work_order.c.parent_id == held.row["id"], work_order.c.kind == FIELD)


async def turn(conn: AsyncConnection, held: HeldWork, decision: Decision, now: datetime) -> None:
    """Starts and stops the clocks of a step, those of this work order only."""
    verb, key = decision.transition.verb.value, held.row["id"]
    codes = [stop.clock for stop in decision.stops]
    if codes:
        await clocks.stop(conn, held.order.id, now, verb, codes=codes, work_order_id=key)
    begun = [
        NewClock(start.clock, now, verb, anchor=start.anchor, work_order_id=key, cycle=held.row["cycle"])
        for start in decision.starts
    ]
    await clocks.start(conn, held.order.id, begun)


def _handled(held: HeldWork, at: datetime, now: datetime) -> None:
    if at.tzinfo is None or at > now + _TOLERANCE:
        raise Invalid("in_the_future", "this cannot have been done yet", field="handled_at", latest=now.isoformat())
    if at < held.row["sent_at"]:
        earliest = held.row["sent_at"].isoformat()
        raise Invalid("before_it_was_sent", "it was sent later than that", field="handled_at", earliest=earliest)


async def settle_order(conn: AsyncConnection, order_id: int, now: datetime) -> tuple[Change, ...]:
    """What follows the end of a work order: the next nodes of the template are sent (DP-02), then T18 to T20 move the
    order as its work orders amount to."""
    sent = await sending.go_on(conn, order_id, now)
    held = await ledger.hold_id(conn, order_id)
    to = settle.settled(held.state, await states(conn, held))
    if to is None:
        return sent
    seen = drafts.situation(held, settled=to)
    decision = workflow.advance(seen, Verb.SETTLE, SYSTEM.posts, {}, system=True)
    await drafts.turn(conn, held, decision, now)
    values: dict[str, Any] = await coordination.over(conn, held, now)
    if to is State.CANCELLED:
        values = {"ended_at": now, "end_reason": "recalled"}
        await ledger.keep_promises(conn, held.id, now)
    elif to is State.AT_SENIOR and held.state is State.AT_MANAGER:
        values = {"owner_id": None, "owner_queue": "senior"}
    return *sent, await ledger.apply(conn, SYSTEM, held, Step("order.settled", Verb.SETTLE, to, values), now)


async def states(conn: AsyncConnection, held: Held) -> list[WorkOrderState]:
    """States of the work orders of this cycle; a returned one that was sent on or dropped is over, a sub-task never
    counts by itself."""
    rows = await conn.execute(
        select(work_order.c.state, work_order.c.form).where(
            work_order.c.order_id == held.id,
            work_order.c.cycle == held.row["cycle"],
            work_order.c.kind == WORK,
        )
    )
    return [WorkOrderState(row.state) for row in rows if not followed_up(row.form)]


def followed_up(form: Mapping[str, Any]) -> bool:
    """A returned work order that the dispatcher has sent on or dropped."""
    return "followed" in form


def reach(actor: Actor) -> ColumnElement[bool]:
    """Condition on `work_order`: who dispatches reaches all, who proposes or decides about limits all that was sent,
    the office its unit's, somebody of the field his own (PR-01, PX-04, DP-11)."""
    sent = work_order.c.state != WorkOrderState.PROPOSED.value
    if actor.staff_id == SYSTEM.staff_id or may(actor.posts, Action.DISPATCH):
        return true()
    if may(actor.posts, Action.DECIDE_EXTENSION) or may(actor.posts, Action.REASSIGN_WORK):
        return sent
    if may(actor.posts, Action.PROPOSE_DISPATCH) and may(actor.posts, Action.VIEW_ALL_ORDERS):
        return sent
    own = work_order.c.owner_id == actor.staff_id
    if not actor.posts & {Post.DS, Post.DH}:
        return and_(sent, own)
    unit = select(staff.c.unit).where(staff.c.id == actor.staff_id).scalar_subquery()
    return and_(sent, or_(work_order.c.unit == unit, own))


async def hold(conn: AsyncConnection, actor: Actor, given: OnOrder) -> HeldWork:
    """The order's row first, then the work order; for a department another unit's is not there (PR-01).

    Raises NotFound, Stale.
    """
    order_id = await conn.scalar(
        select(work_order.c.order_id).where(work_order.c.public_id == given.public_id, reach(actor))
    )
    if order_id is None:
        raise NotFound(subject="work_order", id=given.public_id)
    order = await ledger.hold_id(conn, int(order_id))
    found = await conn.execute(select(work_order).where(work_order.c.public_id == given.public_id))
    row = found.mappings().one()
    if row["version"] != given.version:
        raise Stale(subject="work_order", id=given.public_id, version=row["version"], by=order.row["changed_by"])
    return HeldWork(order, row)


def situation(held: HeldWork, now: datetime) -> Situation:
    due_at = held.row["due_at"]
    paused = Control.PAUSED in {held.order.control, Control(held.row["control"])}
    return Situation(
        state=held.state,
        kind=held.order.kind,
        control=Control.PAUSED if paused else Control.RUN,
        red=due_at is not None and now > due_at,
    )


async def change(
    conn: AsyncConnection,
    actor: Actor,
    held: HeldWork,
    done: Done,
    now: datetime,
    *,
    payload: Mapping[str, Any] | None = None,
) -> Change:
    """Writes the work order, and its line into the trail of the order, whose version it bumps.

    What ends takes its sub-tasks and the open proposals about it along.
    """
    row, after = held.row, WorkOrderState(str(done.to))
    version = row["version"] + 1
    await conn.execute(
        update(work_order)
        .where(work_order.c.id == row["id"])
        .values(**done.values, state=after.value, version=version, changed_at=now)
    )
    ended = "ended_at" in done.values
    if ended:
        await _with_it(conn, held, now)
    told: dict[str, Any] = {"work_order": row["public_id"], "number": row["number"], "unit": row["unit"]}
    now_his = {**row, **done.values}
    handler = None if ended else now_his["owner_queue"] or await ledger.number_of(conn, now_his["owner_id"], actor)
    line = WorkStep(row["id"], held.state, after, row["unit"], handler, None if ended else row["due_at"])
    told |= {"work_version": version, **(payload or {})}
    step = Step(done.fact, done.verb, held.order.state, {}, note=done.note, payload=told, work=line)
    return await ledger.apply(conn, actor, held.order, step, now)


async def _with_it(conn: AsyncConnection, held: HeldWork, now: datetime) -> None:
    """Sub-tasks of a work order that ends are cancelled, its open proposals withdrawn, the clocks of both stopped."""
    await end_sub_tasks(conn, held.order.id, held.row["id"], now)
    gone = await conn.execute(
        update(review)
        .where(review.c.work_order_id == held.row["id"], review.c.state == "open")
        .values(state="withdrawn", decided_at=now)
    )
    if gone.rowcount:
        await clocks.stop(
            conn, held.order.id, now, "withdrawn", codes=(Clock.REVIEW,), work_order_id=held.row["id"], counts=False
        )


async def end_sub_tasks(conn: AsyncConnection, order_id: int, key: int, now: datetime) -> None:
    """What somebody at the place was to do for a work order is off, and its clock stops."""
    live = select(work_order.c.id).where(
        work_order.c.parent_id == key, work_order.c.kind == FIELD, work_order.c.state.in_(_LIVE)
    )
    children = (await conn.scalars(live)).all()
    if children:
        over = {"state": WorkOrderState.CANCELLED.value, "ended_at": now, "changed_at": now}
        over |= {"owner_id": None, "owner_queue": None}
        await conn.execute(update(work_order).where(work_order.c.id.in_(children)).values(**over))
    for child in children:
        await clocks.stop(conn, order_id, now, "parent", work_order_id=child)
