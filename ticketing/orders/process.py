"""The process an order follows: its template in the version it began with, and the workplaces on its way (IN-10)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.orders.tables import process_node, process_template, process_template_version, work_order
from ticketing.orders.views import Process, ProcessNode


async def of_order(conn: AsyncConnection, order_id: int, version_id: int | None) -> Process | None:
    """Template, version and nodes in their order, each with its workplace (工位) and the work orders it was given.

    None for an order that follows no template.
    """
    if version_id is None:
        return None
    head = await conn.execute(
        select(
            process_template.c.code,
            process_template.c.name_zh,
            process_template.c.name_en,
            process_template_version.c.version,
        )
        .join(process_template_version, process_template_version.c.template_id == process_template.c.id)
        .where(process_template_version.c.id == version_id)
    )
    template = head.one()
    nodes = await conn.execute(
        select(process_node).where(process_node.c.version_id == version_id).order_by(process_node.c.position)
    )
    given: dict[int, list[int]] = {}
    numbers = select(work_order.c.node_id, work_order.c.number).where(work_order.c.order_id == order_id)
    for row in await conn.execute(numbers.order_by(work_order.c.number)):
        given.setdefault(row.node_id, []).append(row.number)
    return Process(
        code=template.code,
        version=template.version,
        names={"zh": template.name_zh, "en": template.name_en},
        nodes=tuple(
            ProcessNode(
                code=node.code,
                names={"zh": node.name_zh, "en": node.name_en},
                unit=node.unit,
                workplace=node.workplace,
                after=tuple(node.after),
                work_orders=tuple(given.get(node.id, ())),
            )
            for node in nodes
        ),
    )


async def node_of(conn: AsyncConnection, version_id: int | None, unit: str) -> int | None:
    """The first node of a version that this unit works at; None without a template or when it has none."""
    found = await conn.scalar(
        select(process_node.c.id)
        .where(process_node.c.version_id == version_id, process_node.c.unit == unit)
        .order_by(process_node.c.position)
        .limit(1)
    )
    return None if found is None else int(found)
