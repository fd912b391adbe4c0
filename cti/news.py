"""Committed changes of orders, told to the pages of who holds or held them: from the outbox, in order per order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cti.hub import Hub
from ticketing.clocks.model import Clock
from ticketing.db import Database
from ticketing.orders.access import QUEUES
from ticketing.outbox import Message, Receiver
from ticketing.roles import PERMISSIONS, Action, Post, may
from ticketing.staff import store as staff
from ticketing.staff.model import Staff
from ticketing.threads.store import CENTRE

#: outbox topic of every change of an order
TOPIC = "order"


#: whose page shows the board
_WATCHING: Final = PERMISSIONS[Action.VIEW_FLOOR]


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
    """`ticketing.outbox.Receiver` for the pages of who holds, or held, an order or the work order it is about (PX-04).

    A unit, or a queue of the centre, holds through its people: what lies there is told to each of them (PX-05). Work of
    departments is told as `work`, so that their list is read anew: new, urgent, chased, with a card, or another step.
    """

    def __init__(self, hub: Hub, database: Database) -> None:
        self._hub = hub
        self._database = database

    async def deliver(self, message: Message) -> None:
        """Publishes one `order` event, and of work one `work` event, to everybody concerned; a page that is away
        resumes and gets them then."""
        told = message.payload
        holders = {str(told[name]) for name in ("owner", "work_owner", "was") if told.get(name)}
        posts = _WATCHING | _waiting(holders)
        people = await self._database.read_whole(lambda conn: staff.concerned(conn, holders, posts))
        self._flow(told, people)
        news = {
            "order_id": told.get("order"),
            "serial": told.get("serial"),
            "state": told.get("state"),
            "version": told.get("version"),
            "event": told.get("event"),
        }
        self._hub.broadcast("order", news, sorted({number for each in holders for number in members(people, each)}))
        if is_work(told):
            where = {str(told[name]) for name in ("work_owner", "was") if told.get(name)} or holders
            work = {name: told.get(name) for name in ("order", "serial", "unit", "event")}
            work["urgent"] = bool(told.get("urgent"))
            self._hub.broadcast("work", work, sorted({number for each in where for number in members(people, each)}))

    def _flow(self, told: Mapping[str, Any], people: Sequence[Staff]) -> None:
        """Who watches the board hears that an order moved, and reads it anew (MN-01)."""
        news = {name: told.get(name) for name in ("order", "serial", "state", "unit", "event")}
        self._hub.broadcast("flow", news, [each.number for each in people if may(each.posts, Action.VIEW_FLOOR)])


@dataclass(frozen=True, slots=True)
class ThreadNews:
    """`ticketing.outbox.Receiver` of the topic `thread`: what was said reaches the pages of those of the centre who
    write to units, and of the unit's office (MN-10)."""

    hub: Hub
    database: Database

    async def deliver(self, message: Message) -> None:
        """Publishes one `thread` event: in which thread, by whom, about which order; the page reads what was said."""
        told = message.payload
        unit = str(told["unit"])
        people = await self.database.read_whole(lambda conn: staff.concerned(conn, {unit}, CENTRE))
        centre = [each.number for each in people if each.posts & CENTRE]
        news = {name: told.get(name) for name in ("unit", "message", "by", "order")}
        self.hub.broadcast("thread", news, sorted({*centre, *members(people, unit)}))


def _waiting(holders: Iterable[str]) -> frozenset[Post]:
    """Posts whose people have what lies in these queues."""
    return frozenset(post for post, queue in QUEUES.items() if queue in set(holders))


def is_work(told: Mapping[str, Any]) -> bool:
    """Whether a department's work is concerned: a fact of a work order, or a card of its stage."""
    event = str(told.get("event"))
    return event.startswith("work_order.") or (event.startswith("clock.") and told.get("clock") == Clock.STAGE.value)


def members(people: Sequence[Staff], holder: str) -> list[str]:
    """Numbers of those who have what a person, a queue or a unit holds; of a unit its office, not its field staff."""
    posts = {post for post, queue in QUEUES.items() if queue == holder}
    office = {Post.DS, Post.DH}
    return [
        each.number
        for each in people
        if each.active
        and (each.number == holder or bool(each.posts & posts) or (each.unit == holder and bool(each.posts & office)))
    ]
