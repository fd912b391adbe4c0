"""Calls as pages show them: the call's record joined with its agent's name, its order and its recording."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.calls.model import CallRecord
from cti.screenpop import Labels, path_steps
from cti.web.recordingviews import recording_refs
from cti.web.schemas.calls import CallView, PathStep
from ticketing.contacts.model import ContactKind
from ticketing.contacts.tables import contact, contact_order
from ticketing.orders.access import visible
from ticketing.orders.tables import customer_order
from ticketing.roles import Actor
from ticketing.staff.tables import staff

__all__ = ["call_views", "order_of_call"]


async def call_views(
    conn: AsyncConnection, actor: Actor, records: Sequence[CallRecord], labels: Labels
) -> list[CallView]:
    """The calls in the order given; an order the reader may not see is not named. Steps bear the reader's labels."""
    ids = [record.call_id for record in records]
    orders = await _orders(conn, actor, ids)
    names = await _names(conn, {record.answered_by for record in records if record.answered_by})
    sounds = await recording_refs(conn, ids)
    return [
        CallView(
            call_id=record.call_id,
            dnis=record.dnis,
            notice=record.notice,
            number=record.ani,
            entered_at=record.entered_at,
            answered_at=record.answered_at,
            ended_at=record.ended_at,
            outcome=record.outcome.value if record.outcome else None,
            queue=record.queue or None,
            agent=record.answered_by or None,
            agent_name=names.get(record.answered_by),
            waited_ms=record.wait_ms,
            talk_ms=record.talk_ms,
            order_id=orders.get(record.call_id, (None, None))[0],
            order_serial=orders.get(record.call_id, (None, None))[1],
            path=[PathStep.model_validate(step) for step in path_steps(record, labels)],
            recording=sounds.get(record.call_id),
            grade=record.grade or None,
        )
        for record in records
    ]


async def order_of_call(conn: AsyncConnection, actor: Actor, call_id: str) -> str | None:
    """Public id of the order this call belongs to, if the reader may see it."""
    return (await _orders(conn, actor, [call_id])).get(call_id, (None, None))[0]


async def _orders(
    conn: AsyncConnection, actor: Actor, ids: Sequence[str]
) -> Mapping[str, tuple[str | None, str | None]]:
    """Public id and serial of the newest order of each call: after a merge the one it was merged into."""
    if not ids:
        return {}
    rows = await conn.execute(
        select(contact.c.external_id, customer_order.c.public_id, customer_order.c.serial)
        .join(contact_order, contact_order.c.contact_id == contact.c.id)
        .join(customer_order, customer_order.c.id == contact_order.c.order_id)
        .where(contact.c.kind == ContactKind.CALL.value, contact.c.external_id.in_(ids), visible(actor))
        .order_by(contact_order.c.joined_at, customer_order.c.id)
    )
    return {row.external_id: (row.public_id, row.serial) for row in rows}


async def _names(conn: AsyncConnection, numbers: set[str]) -> Mapping[str, str]:
    rows = await conn.execute(select(staff.c.number, staff.c.name).where(staff.c.number.in_(numbers)))
    return {row.number: row.name for row in rows}
