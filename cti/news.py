"""Committed changes of orders, told to the page of who holds them: delivered from the outbox, in order per order."""

from __future__ import annotations

from cti.hub import Hub
from ticketing.outbox import Message

#: outbox topic of every change of an order
TOPIC = "order"


class OrderNews:
    """`ticketing.outbox.Receiver` for the stream of the order's holder; a queue as holder has no page."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def deliver(self, message: Message) -> None:
        """Publishes one `order` event; a page that is away resumes and gets it then."""
        told = message.payload
        owner = told.get("owner")
        if isinstance(owner, str) and owner.isdigit():
            news = {
                "order_id": told.get("order"),
                "serial": told.get("serial"),
                "state": told.get("state"),
                "version": told.get("version"),
                "event": told.get("event"),
            }
            self._hub.publish(owner, "order", news)
