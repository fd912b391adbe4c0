"""Which pop stands on which agent's page, built with one look-up, and which were missed (TL-30, TL-31, N7)."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cti.calls.model import CallRecord, Floor
from cti.calls.record import record_of
from cti.screenpop import Labels, PopFacts, PopState, build_screen_pop, instant
from ticketing.customers import actions as customers
from ticketing.customers.model import Lookup
from ticketing.db import Database
from ticketing.orders import store as orders
from ticketing.orders.views import Promise, WorkOrderView
from ticketing.text import mask_number

#: how long a missed pop stays on the list (default)
MISSED_FOR: Final = timedelta(hours=8)
_CACHED: Final = 2000
_MISSED: Final = 20

#: Voice files of earlier calls of these orders, as JSON references.
RecordingsOf = Callable[[AsyncConnection, Sequence[str]], Awaitable[Sequence[Mapping[str, Any]]]]


@dataclass(frozen=True, slots=True)
class Prefetched:
    """Everything the pop needs that can be known before a phone rings."""

    lookup: Lookup
    work_orders: tuple[WorkOrderView, ...]
    promises: tuple[Promise, ...]
    recordings: tuple[Mapping[str, Any], ...]


@dataclass(slots=True)
class Standing:
    """The pop on one agent's page."""

    call_id: str
    offered_at: datetime
    event_at: datetime
    state: PopState
    order_id: str | None = None


@dataclass(frozen=True, slots=True)
class Missed:
    """A pop that was withdrawn without the agent's answer."""

    call_id: str
    offered_at: datetime
    number: str
    name: str | None
    why: str


class PopBoard:
    """Built from the floor, the database and the labels; nothing here decides who gets a pop: the reducer does."""

    def __init__(
        self,
        database: Database,
        floor: Floor,
        labels: Callable[[str], Labels],
        clock: Callable[[], datetime],
        *,
        area_code: str,
        recordings_of: RecordingsOf,
    ) -> None:
        self._database = database
        self._floor = floor
        self._labels = labels
        self._clock = clock
        self._area_code = area_code
        self._recordings_of = recordings_of
        #: look-ups under way
        self._asked: dict[str, asyncio.Future[Prefetched]] = {}
        self._known: OrderedDict[str, Prefetched] = OrderedDict()
        self._records: OrderedDict[str, CallRecord] = OrderedDict()
        self._standing: dict[str, Standing] = {}
        self._missed: dict[str, deque[Missed]] = {}

    async def prefetch(self, call_id: str, ani: str, customer: str = "") -> Prefetched:
        """Looks the caller up once a call, by his number or as the customer whose service number he keyed in; the
        second time it is remembered."""
        known = self._known.get(call_id)
        if known is not None:
            return known
        asked = self._asked.get(call_id)
        if asked is None:  # a phone often rings while the look-up at the join is under way: both wait for the one
            asked = self._asked[call_id] = asyncio.ensure_future(self._look_up(call_id, ani, customer))
            asked.add_done_callback(lambda _: self._asked.pop(call_id, None))
        return await asyncio.shield(asked)

    async def _look_up(self, call_id: str, ani: str, customer: str) -> Prefetched:
        now = self._clock()

        async def asked(conn: AsyncConnection) -> Prefetched:
            lookup = await customers.look_up(conn, ani, now, self._area_code)
            if customer and lookup.customer is None:
                lookup = await customers.named(conn, lookup, customer, now)
            ids = [order.id for order in lookup.last_orders]
            ids += [order.id for candidate in lookup.candidates for order in candidate.orders]
            shown = list(dict.fromkeys(ids))
            tasks, promises = await orders.around_orders(conn, shown, now)
            return Prefetched(lookup, tasks, promises, tuple(await self._recordings_of(conn, shown)))

        known = self._known[call_id] = await self._database.read_whole(asked)
        while len(self._known) > _CACHED:
            self._known.popitem(last=False)
        return known

    def record(self, call_id: str) -> CallRecord | None:
        """The call as it is now; a closed one as it was last."""
        call = self._floor.calls.get(call_id)
        return record_of(call, self._floor.settings) if call is not None else self._records.get(call_id)

    def closed(self, record: CallRecord) -> None:
        """The call is over: its pop stays with who talked until his wrap-up ends."""
        self._records[record.call_id] = record
        while len(self._records) > _CACHED:
            self._records.popitem(last=False)
        for standing in self._standing.values():
            if standing.call_id == record.call_id and standing.state == "talking":
                standing.state = "ended"

    async def show(self, agent: str, language: str, standing: Standing) -> dict[str, Any] | None:
        """Puts a pop on an agent's page and returns it; None when the call is not known any more."""
        self._standing[agent] = standing
        return await self._build(language, standing)

    def answered(self, agent: str, call_id: str, order_id: str | None) -> None:
        """The agent talks with the caller of his pop."""
        standing = self._standing.get(agent)
        if standing is not None and standing.call_id == call_id:
            standing.state, standing.order_id = "talking", order_id or standing.order_id

    def retract(self, agent: str, call_id: str, why: str) -> None:
        """Takes a pop back and remembers it as missed."""
        standing = self._standing.get(agent)
        if standing is None or standing.call_id != call_id:
            return
        del self._standing[agent]
        known, record = self._known.get(call_id), self.record(call_id)
        customer = known.lookup.customer if known is not None else None
        number = known.lookup.number.display if known is not None else mask_number(record.ani if record else "")
        missed = self._missed.setdefault(agent, deque(maxlen=_MISSED))
        missed.append(Missed(call_id, standing.offered_at, number, customer.name if customer else None, why))

    def clear(self, agent: str) -> None:
        """The agent is through with a call that has ended."""
        standing = self._standing.get(agent)
        if standing is not None and standing.state == "ended":
            del self._standing[agent]

    async def current(self, agent: str, language: str) -> dict[str, Any] | None:
        """The pop that must be on this agent's page now."""
        standing = self._standing.get(agent)
        return None if standing is None else await self._build(language, standing)

    def missed(self, agent: str) -> list[Missed]:
        """Newest first, of the last hours."""
        since = self._clock() - MISSED_FOR
        return [item for item in reversed(self._missed.get(agent, ())) if item.offered_at >= since]

    async def _build(self, language: str, standing: Standing) -> dict[str, Any] | None:
        record = self.record(standing.call_id)
        if record is None:
            return None
        known = await self.prefetch(standing.call_id, record.ani, record.customer)
        facts = PopFacts(
            work_orders=[work_order_line(item) for item in known.work_orders],
            promises=[promise_line(item) for item in known.promises],
            recordings=known.recordings,
            order_id=standing.order_id,
        )
        return build_screen_pop(
            record,
            known.lookup,
            self._labels(language),
            facts,
            offered_at=standing.offered_at,
            event_at=standing.event_at,
            state=standing.state,
        )


def work_order_line(item: WorkOrderView) -> dict[str, Any]:
    """One department's task as the pop shows it."""
    return {
        "id": item.id,
        "number": str(item.number),
        "state": item.state,
        "unit": item.unit,
        "assignee": item.owner,
        "due_at": instant(item.due_at),
        "overdue": item.overdue,
        "card": "red" if item.overdue else "none",
        "order_serial": item.order_serial,
        "summary": item.task or "",
    }


def promise_line(item: Promise) -> dict[str, Any]:
    """One open promise as the pop shows it."""
    return {**asdict(item), "due_at": instant(item.due_at)}
