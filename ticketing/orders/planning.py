"""The plan of an order: the process it follows, and what its template asks of which unit now (DP-02, IN-20)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import taxonomy
from ticketing.classification import ways
from ticketing.errors import Invalid, NotFound
from ticketing.orders import nodes
from ticketing.orders.access import visible
from ticketing.orders.inputs import Task
from ticketing.orders.model import WorkOrderState
from ticketing.orders.nodes import NodeWork, Stand
from ticketing.orders.tables import customer_order, process_node, work_order
from ticketing.processes import rules, store
from ticketing.processes.model import Node, Template, Version
from ticketing.responsibility import store as responsibility
from ticketing.responsibility.model import HANDLE
from ticketing.roles import Actor


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """What a dispatch form begins with: one line of it."""

    #: code of the node; None where no template is followed
    node: str | None
    names: Mapping[str, str]
    #: None: the responsibility map names nobody for it
    unit: str | None
    duty: str | None
    task: str
    limit_s: int | None
    working_time: bool
    workplace: str | None
    #: nodes that must be over before it is sent
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the template of an order asks for now; without a template who handles such orders (DP-10)."""

    template: str | None
    number: int | None
    names: Mapping[str, str]
    tasks: tuple[PlannedTask, ...]


async def matching(conn: AsyncConnection, order: Mapping[str, Any], at: datetime) -> tuple[Template, Version] | None:
    """The template in force that fits the classification of an order best."""
    templates = await store.every(conn)
    if not templates:
        return None
    return rules.choose(templates, order.get("kind"), ways(await taxonomy.read(conn), order), at)


async def bind(conn: AsyncConnection, order: Mapping[str, Any], at: datetime) -> int | None:
    """The version an order follows from its registration on, whatever is published later (DP-14)."""
    if order.get("template_version_id") is not None:
        return int(order["template_version_id"])
    found = await matching(conn, order, at)
    return None if found is None else found[1].key


async def of_order(conn: AsyncConnection, order: Mapping[str, Any], at: datetime) -> Plan:
    """What the order's template still asks for in this cycle, each with the unit whose it is now (IN-20)."""
    version_id = await bind(conn, order, at)
    if version_id is None:
        return await _without(conn, order, at)
    template, version = await store.of_version(conn, version_id)
    return await _plan(conn, order, at, template, version, await _done(conn, order, version))


async def _done(conn: AsyncConnection, order: Mapping[str, Any], version: Version) -> frozenset[str]:
    """Nodes that are over in this cycle, or under way."""
    if order.get("id") is None:
        return frozenset()
    found = await works(conn, order)
    stands = {node.code: [work for work in found if work.node == node.code] for node in version.nodes}
    return frozenset(code for code, each in stands.items() if each and nodes.stand(each) in {Stand.OVER, Stand.RUNNING})


async def _plan(  # noqa: PLR0917 - one short look
    conn: AsyncConnection,
    order: Mapping[str, Any],
    at: datetime,
    template: Template,
    version: Version,
    over: frozenset[str],
) -> Plan:
    duties = [node.duty for node in version.nodes if node.duty is not None]
    units = await responsibility.units(conn, duties, order, at)
    left = [node for node in rules.ordered(version.nodes) if node.code not in over]
    before = nodes.waits_for(version.nodes, [node.code for node in left])
    tasks = tuple(
        PlannedTask(
            node=node.code,
            names={"zh": node.zh, "en": node.en},
            unit=unit_of(node, units),
            duty=node.duty,
            task=node.task,
            limit_s=node.limit_s,
            working_time=node.working_time,
            workplace=node.workplace,
            after=tuple(code for code in (each.code for each in version.nodes) if code in before[node.code]),
        )
        for node in left
    )
    return Plan(template.code, version.number, {"zh": template.zh, "en": template.en}, tasks)


def unit_of(node: Node, units: Mapping[str, str]) -> str | None:
    """The unit of a node: its own, or who has its duty."""
    return node.unit if node.unit is not None else units.get(node.duty or "")


async def _without(conn: AsyncConnection, order: Mapping[str, Any], at: datetime) -> Plan:
    """No template: the department by the kind of service, as the map says (DP-10)."""
    unit = (await responsibility.units(conn, [HANDLE], order, at)).get(HANDLE)
    if unit is None:
        return Plan(None, None, {}, ())
    only = PlannedTask(None, {}, unit, HANDLE, "", None, working_time=False, workplace=None, after=())
    return Plan(None, None, {}, (only,))


async def by_template(conn: AsyncConnection, order: Mapping[str, Any], at: datetime) -> tuple[Task, ...]:
    """The plan as tasks of a dispatch; raises Invalid without a template, and for a step nobody is responsible for."""
    plan = await of_order(conn, order, at)
    if plan.template is None:
        raise Invalid("no_template", "no template is for such orders", field="by_template")
    nobody = next((task for task in plan.tasks if task.unit is None), None)
    if nobody is not None:
        raise Invalid("nobody_responsible", "the responsibility map names no unit", field="by_template",
                      node=nobody.node, duty=nobody.duty)  # fmt: skip
    return tuple(
        Task(task.unit or "", task.task, task.limit_s or 0, task.working_time, node=task.node) for task in plan.tasks
    )


async def nodes_of(conn: AsyncConnection, order: Mapping[str, Any], at: datetime) -> Mapping[str, Node]:
    """Nodes that a dispatch of this order may name, by code."""
    version_id = await bind(conn, order, at)
    if version_id is None:
        return {}
    _, version = await store.of_version(conn, version_id)
    return {node.code: node for node in version.nodes}


async def works(conn: AsyncConnection, order: Mapping[str, Any]) -> list[NodeWork]:
    """Work orders of the template's nodes in the order's cycle."""
    rows = await conn.execute(
        select(work_order.c.id, process_node.c.code, work_order.c.state, work_order.c.form)
        .join(process_node, process_node.c.id == work_order.c.node_id)
        .where(
            work_order.c.order_id == order["id"],
            work_order.c.cycle == order["cycle"],
            work_order.c.kind == "work",
        )
        .order_by(work_order.c.number)
    )
    return [
        NodeWork(row.id, row.code, WorkOrderState(row.state), row.form.get("followed", {}).get("how")) for row in rows
    ]


async def call_off(conn: AsyncConnection, order_id: int, now: datetime, reason: str, but: Sequence[int] = ()) -> None:
    """What was planned and not sent yet is no more: another dispatch takes its place, or nothing is left to do."""
    planned = (work_order.c.order_id == order_id, work_order.c.state == WorkOrderState.PROPOSED.value)
    ended: dict[str, Any] = {"ended_at": now, "changed_at": now, "end_reason": reason}
    ended |= {"state": WorkOrderState.CANCELLED.value, "owner_id": None, "owner_queue": None}
    await conn.execute(
        update(work_order)
        .where(*planned, work_order.c.id.not_in(but))
        .values(**ended, version=work_order.c.version + 1)
    )


async def remember(conn: AsyncConnection, order: Mapping[str, Any], at: datetime) -> int | None:
    """Binds an order that was registered before there was a template for it; returns the version it follows."""
    version_id = await bind(conn, order, at)
    if version_id is not None and order.get("template_version_id") is None:
        one = customer_order.c.id == order["id"]
        await conn.execute(update(customer_order).where(one).values(template_version_id=version_id))
    return version_id


async def read(conn: AsyncConnection, actor: Actor, public_id: str, at: datetime) -> Plan:
    """The plan of an order the actor may see; raises NotFound."""
    found = await conn.execute(select(customer_order).where(customer_order.c.public_id == public_id, visible(actor)))
    row = found.mappings().first()
    if row is None:
        raise NotFound(subject="order", id=public_id)
    return await of_order(conn, dict(row), at)
