"""Committed changes of orders, told to the pages of who holds or held them: from the outbox, in order per order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cti.hub import Hub
from ticketing.db import Database
from ticketing.outbox import Message, Receiver
from ticketing.roles import Action, may
from ticketing.staff import store as staff

#: outbox topic of every change of an order
TOPIC = "order"


class InTurn:
    """One `ticketing.outbox.Receiver` made of several: each has the message before the next; one that has not is the
    reason to deliver it again to all."""

    def __init__(self, *receivers: Receiver) -> None:
        self._receivers = receivers

    async def deliver(self, message: Message) -> None:
        """Raises what the first one raises that has it not."""
        for receiver in self._receivers:
            await receiver.deliver(message)


class OrderNews:
    """`ticketing.outbox.Receiver` for the streams of the holders of an order and of the work order it is about, and of
    who had it before (PX-04); a queue as holder has no page."""

    def __init__(self, hub: Hub, database: Database | None = None) -> None:
        self._hub = hub
        self._database = database

    async def deliver(self, message: Message) -> None:
        """Publishes one `order` event; a page that is away resumes and gets it then."""
        told = message.payload
        await self._flow(told)
        concerned = {told.get(name) for name in ("owner", "work_owner", "was")}
        for number in sorted(each for each in concerned if isinstance(each, str) and each.isdigit()):
            news = {
                "order_id": told.get("order"),
                "serial": told.get("serial"),
                "state": told.get("state"),
                "version": told.get("version"),
                "event": told.get("event"),
            }
            self._hub.publish(number, "order", news)

    async def _flow(self, told: Mapping[str, Any]) -> None:
        """Who watches the board hears that an order moved, and reads it anew (MN-01)."""
        if self._database is None:
            return
        async with self._database.read() as conn:
            people = await staff.everyone(conn)
        news = {name: told.get(name) for name in ("order", "serial", "state", "unit", "event")}
        self._hub.broadcast("flow", news, [each.number for each in people if may(each.posts, Action.VIEW_FLOOR)])
