"""Use cases of customers: look up a caller, add a customer, note what he tells about himself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from itertools import chain

from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit
from ticketing.changes import Change
from ticketing.customers import store
from ticketing.customers.directory import OwnTable, is_repeat
from ticketing.customers.model import Candidate, Customer, Lookup, MatchKind, NewCustomer, Number, NumberKind
from ticketing.customers.rules import normalise
from ticketing.errors import NotFound
from ticketing.orders.model import OPEN, OrderSummary, State
from ticketing.orders.store import by_caller
from ticketing.roles import Action, Actor, require

_LAST = 5


async def look_up(conn: AsyncConnection, raw_number: str, now: datetime, area_code: str | None = None) -> Lookup:
    """Who may be calling, what is open, and whether it is a repeat; never raises for a strange number (TL-04).

    The number is a claim, not a proof: the desk shows "number matches, identity not verified".
    """
    number = normalise(raw_number, area_code=area_code)
    if number.kind is NumberKind.WITHHELD:
        return Lookup(number, MatchKind.WITHHELD)
    if number.key is None:
        return Lookup(number, MatchKind.UNKNOWN)
    candidates = await OwnTable(conn).find(number.key, now)
    if candidates:
        return answer(number, candidates, now)
    return _unknown(number, await by_caller(conn, number.key, now), now)


async def identify(conn: AsyncConnection, keyed: str, now: datetime, area_code: str | None = None) -> Lookup:
    """Who has the service number a caller keyed in: a telephone number in any form, else an account's digits as they
    are stored."""
    found = await look_up(conn, keyed, now, area_code)
    if found.match is not MatchKind.UNKNOWN or not re.fullmatch(r"[0-9]{4,20}", keyed):
        return found
    candidates = await OwnTable(conn).find(keyed, now)
    return answer(Number(None, NumberKind.SHORT, keyed), candidates, now) if candidates else found


async def named(conn: AsyncConnection, found: Lookup, public_id: str, now: datetime) -> Lookup:
    """The same caller after he keyed in a service number: its customer and orders; what his own number proves, and
    how it matched, stays as it was (TL-04, S09)."""
    customer = await store.get(conn, public_id)
    if customer is None or not customer.numbers:
        return found
    candidates = await OwnTable(conn).find(customer.numbers[0].e164, now)
    chosen = tuple(candidate for candidate in candidates if candidate.customer.public_id == public_id)
    return replace(answer(found.number, chosen, now), match=found.match) if chosen else found


def answer(number: Number, candidates: tuple[Candidate, ...], now: datetime) -> Lookup:
    """What the candidates of any directory amount to."""
    orders = sorted(chain.from_iterable(c.orders for c in candidates), key=lambda o: o.created_at, reverse=True)
    open_count = sum(candidate.open_count for candidate in candidates)
    return Lookup(
        number=number,
        match=MatchKind.ONE if len(candidates) == 1 else MatchKind.SEVERAL,
        candidates=candidates,
        customer=candidates[0].customer if len(candidates) == 1 else None,
        last_orders=tuple(orders[:_LAST]),
        open_count=open_count,
        overdue_repeat=any(candidate.overdue_count for candidate in candidates),
        repeat=is_repeat(orders, open_count, now),
    )


def _unknown(number: Number, orders: tuple[OrderSummary, ...], now: datetime) -> Lookup:
    """Nobody is known by the number, yet it may have called before."""
    running = [order for order in orders if State(order.state) in OPEN]
    return Lookup(
        number=number,
        match=MatchKind.UNKNOWN,
        last_orders=orders,
        open_count=len(running),
        overdue_repeat=any(order.overdue for order in running),
        repeat=is_repeat(orders, len(running), now),
    )


async def get(conn: AsyncConnection, actor: Actor, public_id: str) -> Customer:
    """One customer; raises NotFound."""
    require(actor, Action.VIEW_CUSTOMERS)
    found = await store.get(conn, public_id)
    if found is None:
        raise NotFound(subject="customer", id=public_id)
    return found


async def add(conn: AsyncConnection, actor: Actor, new: NewCustomer, now: datetime) -> Change:
    """Stores a customer."""
    require(actor, Action.EDIT_CUSTOMERS)
    stored = await store.add(conn, new, now)
    payload = {"numbers": len(new.numbers), "vip_class": new.vip_class}
    await audit.record(conn, actor, "customer.added", "customer", stored.public_id, payload, now)
    return Change("customer.added", stored.public_id, 1, now, {"customer": stored.public_id})


async def note_profile(
    conn: AsyncConnection, actor: Actor, public_id: str, facts: Mapping[str, str], source: str, *, now: datetime
) -> Change:
    """Notes profile facts with where they come from (SV-06)."""
    require(actor, Action.EDIT_CUSTOMERS)
    found = await get(conn, actor, public_id)
    await store.note_profile(conn, found.id, facts, source, now)
    payload = {"fields": sorted(facts), "source": source}
    await audit.record(conn, actor, "customer.profile_noted", "customer", public_id, payload, now)
    return Change("customer.profile_noted", public_id, 0, now, {"customer": public_id})
