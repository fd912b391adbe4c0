"""A duty goes to another unit: work orders under way follow it or stay, by an explicit choice each (AD-03, IN-23).

Never commits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit, taxonomy
from ticketing.changes import Change
from ticketing.classification import AXES, ways
from ticketing.errors import Invalid, Refused
from ticketing.orders import ledger, work, workflow
from ticketing.orders.ledger import Step, WorkStep
from ticketing.orders.model import LIVE_WORK, WorkOrderState
from ticketing.orders.tables import customer_order, process_node, work_order
from ticketing.orders.workflow import Situation, Verb
from ticketing.responsibility import actions, rules, store
from ticketing.responsibility.actions import Reassign
from ticketing.responsibility.model import Line
from ticketing.roles import Actor
from ticketing.staff.tables import staff

_JUST_BEFORE = timedelta(microseconds=1)


class Choice(StrEnum):
    """What becomes of a work order whose duty goes to another unit."""

    FOLLOW = "follow"  #: 随职责移交: the new unit gets it, its limit stays
    STAY = "stay"  #: 留在原单位: the old unit ends what it began


@dataclass(frozen=True, slots=True)
class Live:
    """The choice for the work orders under way: one for all, another one for some."""

    choice: Choice
    #: public ids of work orders that take the other choice
    others: frozenset[str] = frozenset()

    def of(self, public_id: str) -> Choice:
        """What was chosen for one."""
        if public_id not in self.others:
            return self.choice
        return Choice.STAY if self.choice is Choice.FOLLOW else Choice.FOLLOW


@dataclass(frozen=True, slots=True)
class Affected:
    """A work order under way whose duty another unit has now, or is to get."""

    id: str
    order_id: str
    order_serial: str
    number: int
    unit: str
    state: str
    task: str | None
    #: 工号, or the unit whose inbox it lies in
    owner: str
    due_at: datetime | None


async def reassign(
    conn: AsyncConnection, actor: Actor, given: Reassign, live: Live | None, now: datetime
) -> tuple[Change, ...]:
    """Gives a duty to another unit; when it takes effect at once, the work orders under way are decided on with it.

    Raises Invalid("missing", field="live") when some are under way and nobody chose, and Invalid("not_yet") for a
    choice about a change that is still to come: those are decided on when it is in effect.
    """
    coming = given.valid_from is not None and given.valid_from > now
    if coming and live is not None:
        raise Invalid("not_yet", "decide when the change is in effect", field="live")
    change, _, line = await actions.reassign(conn, actor, given, now)
    if coming:
        return (change,)
    left = await affected(conn, line, now)
    if live is None and left:
        raise Invalid("missing", "say whether the work orders under way follow", field="live", live=len(left))
    return change, *(await _decided(conn, actor, line, left, live, now) if live is not None else ())


async def decide(  # noqa: PLR0917 - who decided what, as seen
    conn: AsyncConnection, actor: Actor, public_id: str, version: int, live: Live, now: datetime
) -> tuple[Change, ...]:
    """Decides on the work orders the old unit still has, once a change that was made ahead is in effect.

    Raises Refused before that, and when nothing is left to decide on.
    """
    line = await actions.hold(conn, actor, public_id, version)
    if line.replaces_key is None or not line.active(now):
        raise Refused("not_in_effect", "this line has not taken a duty from another unit", line=public_id)
    left = await affected(conn, line, now)
    if not left:
        raise Refused("nothing_left", "no work order of the old unit is left to decide on", line=public_id)
    bumped = await actions.bump(conn, line)
    changes = await _decided(conn, actor, line, left, live, now)
    said = {"version": bumped, "choice": live.choice.value, "works": len(left)}
    return Change("responsibility.decided", line.id, bumped, now, said), *changes


async def affected(conn: AsyncConnection, line: Line, now: datetime) -> tuple[Affected, ...]:
    """Live work orders of the unit the line took its duty from that nobody has decided on; none before its day."""
    lines = {each.key: each for each in await store.every(conn)}
    old = lines.get(line.replaces_key or 0)
    if old is None or line.valid_from > now:
        return ()
    return await _under_way(conn, tuple(lines.values()), old, line.valid_from - _JUST_BEFORE, decided=line.id)


async def under_way(conn: AsyncConnection, line: Line, now: datetime) -> tuple[Affected, ...]:
    """Live work orders a reassignment of this line at this moment would be about."""
    return await _under_way(conn, await store.every(conn), line, now, decided=None)


async def _under_way(
    conn: AsyncConnection, lines: Collection[Line], old: Line, at: datetime, *, decided: str | None
) -> tuple[Affected, ...]:
    """Live work orders of a line's unit, for orders the line was for then.

    One that a template's node with another duty made is not among them, nor one that was decided on.
    """
    words = await taxonomy.read(conn)
    rows = (await conn.execute(_live(old.unit))).mappings().all()
    found = []
    for row in rows:
        if row["duty"] not in {None, old.duty} or (decided is not None and row["form"].get("stays") == decided):
            continue
        then = rules.responsible(lines, old.duty, ways(words, {axis: row[axis] for axis in AXES}), at)
        if then is not None and then.key == old.key:
            found.append(_seen(row))
    return tuple(found)


def _live(unit: str) -> Any:
    return (
        select(
            work_order,
            customer_order.c.serial,
            customer_order.c.public_id.label("order_public_id"),
            *(customer_order.c[axis] for axis in AXES),
            process_node.c.duty,
            staff.c.number.label("owner_number"),
        )
        .join(customer_order, customer_order.c.id == work_order.c.order_id)
        .outerjoin(process_node, process_node.c.id == work_order.c.node_id)
        .outerjoin(staff, staff.c.id == work_order.c.owner_id)
        .where(
            work_order.c.unit == unit,
            work_order.c.kind == work.WORK,
            work_order.c.state.in_([state.value for state in LIVE_WORK]),
        )
        .order_by(work_order.c.order_id, work_order.c.number)
    )


def _seen(row: RowMapping | Mapping[str, Any]) -> Affected:
    return Affected(
        id=row["public_id"],
        order_id=row["order_public_id"],
        order_serial=row["serial"],
        number=row["number"],
        unit=row["unit"],
        state=row["state"],
        task=row["task"],
        owner=row["owner_queue"] or row["owner_number"] or row["unit"],
        due_at=row["due_at"],
    )


async def _decided(  # noqa: PLR0917 - who decided what about which
    conn: AsyncConnection, actor: Actor, line: Line, left: Collection[Affected], live: Live, now: datetime
) -> list[Change]:
    """Each as it was chosen, in the order of their orders' keys: two such decisions never wait for each other."""
    strange = sorted(live.others - {each.id for each in left})
    if strange:
        raise Invalid("unknown_code", "this work order is not among them", field="others", code_given=strange[0])
    changes = [await _one(conn, actor, line, each.id, live.of(each.id), now) for each in left]
    told = {choice.value: [each.id for each in left if live.of(each.id) is choice] for choice in Choice}
    said = {"to": line.unit, "reason": line.reason, **told}
    await audit.record(conn, actor, "responsibility.live_decided", "responsibility", line.id, said, now)
    return changes


async def _one(  # noqa: PLR0917 - as above
    conn: AsyncConnection, actor: Actor, line: Line, public_id: str, choice: Choice, now: datetime
) -> Change:
    """One work order: handed to the new unit's inbox with its limit as it was, or left where it is; either is written
    down in the trail of its order."""
    order_id = await conn.scalar(select(work_order.c.order_id).where(work_order.c.public_id == public_id))
    held = await ledger.hold_id(conn, int(order_id or 0))
    row = (await conn.execute(select(work_order).where(work_order.c.public_id == public_id))).mappings().one()
    was, verb = WorkOrderState(row["state"]), Verb(choice.value)
    decision = workflow.advance(Situation(state=was), verb, actor.posts, {})
    after, version = WorkOrderState(str(decision.to)), row["version"] + 1
    values: dict[str, Any] = {"state": after.value, "version": version, "changed_at": now}
    if choice is Choice.FOLLOW:
        await work.end_sub_tasks(conn, held.id, row["id"], now)
        values |= {"unit": line.unit, "owner_id": None, "owner_queue": line.unit, "delivered_at": now}
    else:
        values["form"] = {**row["form"], "stays": line.id}
    await conn.execute(update(work_order).where(work_order.c.id == row["id"]).values(**values))
    fresh = {**row, **values}
    handler = fresh["owner_queue"] or await ledger.number_of(conn, fresh["owner_id"], actor)
    done = WorkStep(row["id"], was, after, fresh["unit"], handler, row["due_at"])
    payload = {"work_order": public_id, "number": row["number"], "unit": fresh["unit"], "work_version": version}
    payload |= {"from": row["unit"], "line": line.id, "urgent": bool(row["urgent"])}
    if choice is Choice.FOLLOW:
        payload["was"] = row["owner_queue"] or await ledger.number_of(conn, row["owner_id"], actor)
    fact = "work_order.followed" if choice is Choice.FOLLOW else "work_order.stayed"
    step = Step(fact, verb, held.state, {}, note=line.reason, payload=payload, work=done)
    return await ledger.apply(conn, actor, held, step, now)
