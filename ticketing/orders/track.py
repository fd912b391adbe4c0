"""The track of an order through its nodes: nine fields each, as 003:65 lists them (AU-05).

受理客户, 受理时间, 要求结束时间, 实际结束时间, 工单处理节点, 工单处理用户, 处理状态, 开始处理时间, 结束处理时间.
A node is where the order itself lay (a state, by whose hand), or where one of its work orders lay (a unit).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.customers.tables import customer
from ticketing.orders.model import ENDED, LIVE_WORK, WorkOrderState
from ticketing.orders.tables import customer_order, order_trail, work_order

_OVER = {state.value for state in ENDED}
_LIVE = {state.value for state in LIVE_WORK}


@dataclass(frozen=True, slots=True)
class Stay:
    """One node of the track."""

    #: 受理客户
    customer: str | None
    #: 受理时间
    received_at: datetime
    #: 要求结束时间: the limit of the node, else what the customer asked for
    wanted_end_at: datetime | None
    #: 实际结束时间: of the order, or of the work order
    actual_end_at: datetime | None
    #: 工单处理节点: a state of the order, or the unit of a work order
    node: str
    #: 工单处理用户: 工号 or queue
    handler: str | None
    #: his name as it was, where he is a person who acted
    handler_name: str | None
    #: 处理状态
    state: str
    #: 开始处理时间 and 结束处理时间 at this node; the second is None while it lies there
    started_at: datetime
    ended_at: datetime | None
    #: number of the work order; None for the order itself
    work_order: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the trail, as far as the track needs it."""

    at: datetime
    state: str
    node: str
    handler: str | None
    due_at: datetime | None
    actor: str
    actor_name: str


@dataclass(frozen=True, slots=True)
class Case:
    """What all nodes of one order, or of one work order, share."""

    customer: str | None
    received_at: datetime
    wanted_end_at: datetime | None
    actual_end_at: datetime | None
    work_order: int | None = None


def stays(case: Case, lines: Sequence[Line], over: Iterable[str]) -> list[Stay]:
    """Nodes from the rows of one order or work order, oldest first: rows that move nothing belong to the node they
    fall in, and what has ended ends with the row that says so. Pure."""
    ends, names = frozenset(over), {line.actor: line.actor_name for line in lines}
    found: list[Stay] = []
    for line in lines:
        last = found[-1] if found else None
        if last is not None and (last.node, last.handler, last.state) == (line.node, line.handler, line.state):
            found[-1] = replace(last, wanted_end_at=line.due_at or last.wanted_end_at)
            continue
        if last is not None and last.ended_at is None:
            found[-1] = replace(last, ended_at=line.at)
        found.append(
            Stay(
                case.customer,
                case.received_at,
                line.due_at or case.wanted_end_at,
                case.actual_end_at,
                line.node,
                line.handler or (line.actor if line.state in ends else None),
                names.get(line.handler or line.actor),
                line.state,
                line.at,
                line.at if line.state in ends else None,
                case.work_order,
            )
        )
    return found


async def of_orders(conn: AsyncConnection, order_ids: Sequence[int]) -> Mapping[int, tuple[Stay, ...]]:
    """The tracks of some orders by internal key: the order's own nodes first, then each work order's."""
    lines = await _lines(conn, order_ids)
    cases = await _cases(conn, order_ids)
    found: dict[int, list[Stay]] = {id_: stays(cases[id_], lines[id_, None], _OVER) for id_ in cases}
    sent = select(work_order).where(work_order.c.order_id.in_(order_ids), work_order.c.sent_at.is_not(None))
    for row in await conn.execute(sent.order_by(work_order.c.order_id, work_order.c.number)):
        whole = cases[row.order_id]
        case = Case(whole.customer, whole.received_at, row.due_at, row.ended_at, row.number)
        first = Line(row.sent_at, WorkOrderState.SENT.value, row.unit, row.unit, row.due_at, "", "")
        every = {state.value for state in WorkOrderState} - _LIVE
        found[row.order_id] += stays(case, [first, *lines[row.order_id, row.id]], every)
    return {id_: tuple(track) for id_, track in found.items()}


async def _lines(conn: AsyncConnection, order_ids: Sequence[int]) -> Mapping[tuple[int, int | None], list[Line]]:
    rows = await conn.execute(
        select(order_trail)
        .where(order_trail.c.order_id.in_(order_ids))
        .order_by(order_trail.c.order_id, order_trail.c.at, order_trail.c.id)
    )
    found: dict[tuple[int, int | None], list[Line]] = defaultdict(list)
    for row in rows:
        line = Line(row.at, row.to_state, row.node, row.handler, row.due_at, row.actor_number, row.actor_name)
        found[row.order_id, row.work_order_id].append(line)
    return found


async def _cases(conn: AsyncConnection, order_ids: Sequence[int]) -> Mapping[int, Case]:
    columns = (customer_order.c.id, customer_order.c.received_at, customer_order.c.wanted_limit_at)
    rows = await conn.execute(
        select(*columns, customer_order.c.ended_at, customer_order.c.contact_name, customer.c.name)
        .outerjoin(customer, customer.c.id == customer_order.c.customer_id)
        .where(customer_order.c.id.in_(order_ids))
    )
    return {
        row.id: Case(row.name or row.contact_name, row.received_at, row.wanted_limit_at, row.ended_at) for row in rows
    }
