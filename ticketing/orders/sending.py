"""Work orders are made and sent: at a dispatch, and one after the other as a template says (DP-02). Never commit."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import taxonomy
from ticketing.changes import Change
from ticketing.clocks import calendars
from ticketing.clocks import store as clocks
from ticketing.clocks.model import Clock
from ticketing.clocks.store import NewClock
from ticketing.days import day_of
from ticketing.errors import Invalid
from ticketing.orders import ledger, nodes, planning, workflow
from ticketing.orders.ledger import Held, Step, WorkStep
from ticketing.orders.model import Control, WorkOrderState
from ticketing.orders.nodes import NodeWork
from ticketing.orders.tables import work_order
from ticketing.orders.workflow import Situation, Verb
from ticketing.processes import store as processes
from ticketing.processes.model import Version
from ticketing.responsibility import store as responsibility
from ticketing.roles import SYSTEM, Actor

#: who keeps a work order that is not sent yet
PLANNED: Final = "senior"


async def send(
    conn: AsyncConnection, actor: Actor, held: Held, verb: Verb, *, said: Mapping[str, Any], now: datetime
) -> None:
    """Makes a work order of each task; `parent` is the one it takes the place of, whose node it inherits.

    A node that waits for others stays proposed: no department sees it and no clock runs. The others are sent, each with
    the clock of its stage.
    """
    number = await conn.scalar(select(func.max(work_order.c.number)).where(work_order.c.order_id == held.id)) or 0
    cycle = said.get("cycle", held.row["cycle"])
    made = await _nodes_of(conn, held, said, cycle, now)
    stages = []
    for place, task in enumerate(said["tasks"], start=1):
        row = {
            **await _row(conn, actor, held, said, task, now),
            "number": number + place,
            "cycle": cycle,
            "node_id": made.key_of(task),
        }
        if made.waits(task):
            row |= {"state": WorkOrderState.PROPOSED.value, "owner_id": None, "owner_queue": PLANNED}
            row["form"] = {**made.chosen(task), "person": task.get("person")}
        key = (await conn.execute(insert(work_order).values(**row).returning(work_order.c.id))).scalar_one()
        if not made.waits(task):
            await conn.execute(update(work_order).where(work_order.c.id == key).values(sent_at=now, delivered_at=now))
            stages.append(await _stage(conn, row, key, verb, now))
    await start_stages(conn, held.id, stages)
    await ledger.tell_sent(conn, [stage.work_order_id for stage in stages], now)


class _Made:
    """The nodes a dispatch makes work orders of, and what they wait for."""

    def __init__(
        self,
        version: Version | None,
        keys: Mapping[str, int],
        waiting: Mapping[str, bool],
        *,
        units: Mapping[str, str],
        inherited: int | None,
    ) -> None:
        self._nodes = {node.code: node for node in version.nodes} if version else {}
        self._keys, self._waiting, self._units, self._inherited = keys, waiting, units, inherited

    def key_of(self, task: Mapping[str, Any]) -> int | None:
        node = task.get("node")
        return self._inherited if node is None else self._keys[node]

    def waits(self, task: Mapping[str, Any]) -> bool:
        return self._waiting.get(task.get("node") or "", False)

    def chosen(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Whether somebody chose another unit than the map says: then the map is not asked again."""
        by_map = planning.unit_of(self._nodes[task["node"]], self._units)
        return {"by_hand": True} if by_map != task["unit"] else {}


async def _nodes_of(conn: AsyncConnection, held: Held, said: Mapping[str, Any], cycle: int, now: datetime) -> _Made:
    inherited = None
    if said.get("parent") is not None:
        inherited = await conn.scalar(select(work_order.c.node_id).where(work_order.c.id == said["parent"]))
    named = [task["node"] for task in said["tasks"] if task.get("node") is not None]
    version_id = await planning.remember(conn, held.row, now) if named else None
    if version_id is None:
        return _Made(None, {}, {}, units={}, inherited=inherited)
    _, version = await processes.of_version(conn, version_id)
    order = {**held.row, "cycle": cycle}
    fresh = [NodeWork(-place, code, WorkOrderState.PROPOSED) for place, code in enumerate(named, start=1)]
    earlier = [work for work in await planning.works(conn, order) if work.node not in named]
    ready, _ = nodes.next_works(version.nodes, [*earlier, *fresh])
    waiting = {work.node: work.key not in ready for work in fresh}
    units = await responsibility.units(conn, [node.duty for node in version.nodes if node.duty], order, now)
    keys = await processes.node_keys(conn, version_id)
    return _Made(version, keys, waiting, units=units, inherited=inherited)


async def _row(  # noqa: PLR0917 - what the row is made of
    conn: AsyncConnection,
    actor: Actor,
    held: Held,
    said: Mapping[str, Any],
    task: Mapping[str, Any],
    now: datetime,
) -> dict[str, Any]:
    person = task.get("person")
    to = {"owner_queue": task["unit"]} if person is None else {"owner_id": await ledger.find_staff(conn, person)}
    return {
        "public_id": secrets.token_urlsafe(16),
        "order_id": held.id,
        "version": 1,
        "kind": "work",
        "parent_id": said.get("parent"),
        "workplace": task.get("workplace"),
        "state": WorkOrderState.SENT.value,
        "control": Control.RUN.value,
        "unit": task["unit"],
        **to,
        "task": task["task"],
        "dispatch_opinion": said["opinion"],
        "urgent": bool(held.row["urgent"] or held.row["vip_class"]),
        "limit_s": task["limit_s"],
        "working_time": bool(task.get("working_time")),
        "dispatched_by": actor.staff_id,
        "created_at": now,
        "changed_at": now,
        "form": {},
    }


async def _stage(conn: AsyncConnection, row: Mapping[str, Any], key: int, verb: Verb, now: datetime) -> NewClock:
    """The clock of a work order that is sent now: its limit from now, in the unit's working time where it says so."""
    calendar = (await calendars.read(conn)).of_unit(row["unit"]) if row["working_time"] else None
    limit = timedelta(seconds=row["limit_s"])
    return NewClock(Clock.STAGE, now, verb.value, target=limit, calendar=calendar, work_order_id=key)


async def start_stages(conn: AsyncConnection, order_id: int, stages: Sequence[NewClock]) -> None:
    """Starts the clocks of work orders just sent, whose lists show the limits."""
    limits = await clocks.start(conn, order_id, stages)
    for stage, due_at in zip(stages, limits, strict=True):
        await conn.execute(update(work_order).where(work_order.c.id == stage.work_order_id).values(due_at=due_at))


async def go_on(conn: AsyncConnection, order_id: int, now: datetime) -> tuple[Change, ...]:
    """Sends the work orders whose turn has come, and calls off those for which nothing is left to wait (DP-02, T17).

    Done by the product itself with the step that ended the one before, in the same transaction.
    """
    held = await ledger.hold_id(conn, order_id)
    version_id = held.row["template_version_id"]
    if version_id is None:
        return ()
    works = await planning.works(conn, held.row)
    if all(work.state is not WorkOrderState.PROPOSED for work in works):
        return ()
    _, version = await processes.of_version(conn, version_id)
    ready, off = nodes.next_works(version.nodes, works)
    changes = [await _sent_now(conn, order_id, key, version, now) for key in ready]
    changes += [await _called_off(conn, order_id, key, now) for key in off]
    return tuple(changes)


async def _sent_now(conn: AsyncConnection, order_id: int, key: int, version: Version, now: datetime) -> Change:
    held = await ledger.hold_id(conn, order_id)
    row = (await conn.execute(select(work_order).where(work_order.c.id == key))).mappings().one()
    decision = _decide(row, Verb.SEND)
    unit = await _unit_now(conn, held, row, version, now)
    person = row["form"].get("person") if unit == row["unit"] else None
    owner = None if person is None else await ledger.find_staff(conn, person)
    values: dict[str, Any] = {
        "unit": unit,
        "owner_id": owner,
        "owner_queue": unit if owner is None else None,
        "sent_at": now,
        "delivered_at": now,
        "urgent": bool(held.row["urgent"] or held.row["vip_class"]),
    }
    await start_stages(conn, order_id, [await _stage(conn, {**row, **values}, key, Verb.SEND, now)])
    return await _write(conn, held, row, "work_order.sent", decision, values, now)


async def _unit_now(conn: AsyncConnection, held: Held, row: RowMapping, version: Version, now: datetime) -> str:
    """The unit that has the node's duty at this moment; the one planned where somebody chose it, or nobody has it."""
    keys = {key: code for code, key in (await processes.node_keys(conn, version.key)).items()}
    node = next(each for each in version.nodes if each.code == keys[row["node_id"]])
    planned = str(row["unit"])
    if node.duty is None or row["form"].get("by_hand"):
        return planned
    unit = (await responsibility.units(conn, [node.duty], held.row, now)).get(node.duty, planned)
    try:
        await taxonomy.leaf(conn, "unit", unit, day_of(now))
    except Invalid:
        return planned
    return unit


async def _called_off(conn: AsyncConnection, order_id: int, key: int, now: datetime) -> Change:
    held = await ledger.hold_id(conn, order_id)
    row = (await conn.execute(select(work_order).where(work_order.c.id == key))).mappings().one()
    values: dict[str, Any] = {"owner_id": None, "owner_queue": None, "ended_at": now, "end_reason": "recalled before"}
    return await _write(conn, held, row, "work_order.called_off", _decide(row, Verb.CALL_OFF), values, now)


def _decide(row: RowMapping, verb: Verb) -> workflow.Decision:
    return workflow.advance(Situation(state=WorkOrderState(row["state"])), verb, SYSTEM.posts, {}, system=True)


async def _write(  # noqa: PLR0917 - what the step did
    conn: AsyncConnection,
    held: Held,
    row: RowMapping,
    fact: str,
    decision: workflow.Decision,
    values: Mapping[str, Any],
    now: datetime,
) -> Change:
    after, version = WorkOrderState(str(decision.to)), row["version"] + 1
    one = work_order.c.id == row["id"]
    await conn.execute(
        update(work_order).where(one).values(**values, state=after.value, version=version, changed_at=now)
    )
    fresh = (await conn.execute(select(work_order).where(one))).mappings().one()
    handler = fresh["owner_queue"] or await ledger.number_of(conn, fresh["owner_id"], SYSTEM)
    line = WorkStep(row["id"], WorkOrderState(row["state"]), after, fresh["unit"], handler, fresh["due_at"])
    told = {"work_order": row["public_id"], "number": row["number"], "unit": fresh["unit"], "work_version": version}
    told["urgent"] = bool(fresh["urgent"])
    verb = decision.transition.verb
    return await ledger.apply(conn, SYSTEM, held, Step(fact, verb, held.state, {}, payload=told, work=line), now)
