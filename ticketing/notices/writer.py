"""Facts of orders and callbacks become messages, by a receiver of the outbox: no step waits for one (TL-25)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.db import Database
from ticketing.notices import store
from ticketing.notices.model import Means, NoticeKind
from ticketing.notices.rules import NoticeRules
from ticketing.notices.store import NewNotice
from ticketing.orders.tables import customer_order, order_reply, work_order
from ticketing.outbox import Message

#: a work order that begins, that came with a duty from another unit (AD-03), that is urged
_OF_WORK: Final = frozenset({"work_order.sent", "work_order.followed", "work_order.chased"})
#: reply modes of the taxonomy that are messages
_BY_MESSAGE: Final = "sms"


@dataclass(frozen=True, slots=True)
class NoticeWriter:
    """`ticketing.outbox.Receiver` of the topics `order` and `callback`.

    Each fact is delivered at least once and makes one message for an address. What nobody can be told of — a customer
    without a mobile number, a unit without an address — makes none.
    """

    database: Database
    rules: NoticeRules

    async def deliver(self, message: Message) -> None:
        """Writes the messages of one fact; facts nobody is told of cost nothing."""
        event = message.payload.get("event")
        if event not in {"order.submitted", "order.replied", "callback.missed"} | _OF_WORK:
            return
        async with self.database.write() as conn:
            for made in await self._messages(conn, str(event), message):
                await store.add(conn, made, message.created_at)

    async def _messages(self, conn: AsyncConnection, event: str, message: Message) -> list[NewNotice]:
        told = message.payload
        if event == "callback.missed":
            return self._missed(told)
        order = await conn.execute(select(customer_order).where(customer_order.c.public_id == told["order"]))
        found = order.mappings().one_or_none()
        if found is None:
            return []
        row = dict(found)
        if event in _OF_WORK:
            return await self._to_department(conn, row, event, message)
        return await self._to_customer(conn, row, event, message)

    def _missed(self, told: Mapping[str, Any]) -> list[NewNotice]:
        """Once a booking, however often it is tried."""
        number = self.rules.mobile_of(told["number"])
        if number is None:
            return []
        kind = NoticeKind.MISSED_CALLBACK
        text = self.rules.text(kind, told.get("language"), serial=told["serial"])
        return [NewNotice(f"missed:{told['callback']}", kind, Means.SMS, number, text)]

    async def _to_customer(
        self, conn: AsyncConnection, row: Mapping[str, Any], event: str, message: Message
    ) -> list[NewNotice]:
        number = self.rules.mobile_of(row["contact_number"], row["caller_number"])
        if number is None:
            return []
        said: dict[str, Any] = {"serial": row["serial"]}
        kind = NoticeKind.ORDER_NUMBER
        if event == "order.replied":
            kind = NoticeKind.REPLY
            replies = select(order_reply.c.opinion).where(
                order_reply.c.order_id == row["id"],
                order_reply.c.channel == _BY_MESSAGE,
                order_reply.c.at <= message.created_at,
            )
            opinion = await conn.scalar(replies.order_by(order_reply.c.id.desc()).limit(1))
            if opinion is None or message.payload.get("channel") != _BY_MESSAGE:
                return []
            said["opinion"] = opinion
        text = self.rules.text(kind, None, **said)
        return [NewNotice(f"outbox:{message.id}", kind, Means.SMS, number, text, row["id"])]

    async def _to_department(
        self, conn: AsyncConnection, row: Mapping[str, Any], event: str, message: Message
    ) -> list[NewNotice]:
        found = await conn.execute(
            select(work_order).where(work_order.c.public_id == message.payload.get("work_order"))
        )
        work = found.mappings().one_or_none()
        if work is None or work["kind"] != "work":  # of a task at the place the office is told with its own
            return []
        kind = _kind(event, dict(work))
        text = self.rules.text(kind, None, serial=row["serial"], number=work["number"], due=work["due_at"])
        return [
            NewNotice(f"outbox:{message.id}", kind, means, address, text, row["id"])
            for means, address in self.rules.units.get(work["unit"], ())
        ]


def _kind(event: str, work: Mapping[str, Any]) -> NoticeKind:
    if event == "work_order.chased":
        return NoticeKind.CHASED
    if work["cycle"] > 1:
        return NoticeKind.SECOND_DISPATCH
    return NoticeKind.URGENT if work["urgent"] else NoticeKind.NEW_WORK
