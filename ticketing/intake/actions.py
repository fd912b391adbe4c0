"""Use cases of recorded complaints: taken in, claimed, made orders of, put away with a reason. Never commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import handing_on, serials, taxonomy
from ticketing.callbacks import store as callbacks
from ticketing.changes import Change
from ticketing.clocks.definitions import definitions
from ticketing.clocks.model import Clock
from ticketing.contacts import store as contacts
from ticketing.contacts.model import ContactKind, NewContact, Role
from ticketing.customers import store as customers
from ticketing.customers.rules import normalise
from ticketing.customers.tables import customer
from ticketing.days import day_of
from ticketing.errors import NotFound, Refused
from ticketing.intake import rules, store
from ticketing.intake.model import QUEUE, NewMessage, State, Verb
from ticketing.intake.store import Held
from ticketing.orders import actions as orders
from ticketing.orders.inputs import EditDraft, NewDraft
from ticketing.orders.model import Channel
from ticketing.roles import Action, Actor, require
from ticketing.staff import store as staff
from ticketing.text import clean


@dataclass(frozen=True, slots=True)
class Ordered:
    """What making an order of a message changed."""

    item: Change
    #: the draft as it is now
    order: Change
    #: everything that happened, in order, for the edge to publish
    changes: tuple[Change, ...]


async def take(
    conn: AsyncConnection, actor: Actor, given: NewMessage, now: datetime, *, area_code: str | None = None
) -> Change:
    """Takes a message in; its serial is in the payload (TL-21).

    Idempotent by the voice file: told again it changes nothing and gives the same serial. Nothing the telephone says
    is refused but a file name that is none: a message is never lost to a strange number. Silence, tones and messages
    too short to say anything are kept apart with the reason. It joins an open callback of the same number.
    """
    key = rules.key_of(given.file)
    known = await store.hold_key(conn, key)
    if known is not None:
        return _known(known, now)
    put_aside = rules.sorted_out(given.seconds, given.sorted_out)
    to = rules.step(None, Verb.SORT_OUT if put_aside else Verb.TAKE)
    fixed = {
        "state": to.value,
        "sorted_out": put_aside.value if put_aside else None,
        "owner_queue": QUEUE,
        "taken_at": now,
        "changed_at": now,
        "changed_by": actor.number,
    }
    try:
        async with conn.begin_nested():
            values = fixed | await _facts(conn, given, key, now, area_code)
            held = await _insert(conn, values, given.serial)
    except IntegrityError:  # somebody else has just taken the same message in
        held = None
    if held is None:
        known = await store.hold_key(conn, key)
        if known is None:
            raise Refused("message_is_taken", "this message is being taken in elsewhere; tell it again")
        return _known(known, now)
    return await store.tell(conn, actor, "item.taken", held, to, held.version, now, values)


async def _facts(
    conn: AsyncConnection, given: NewMessage, key: str, now: datetime, area_code: str | None
) -> dict[str, Any]:
    """What the telephone said, as stored; a receipt stamp in the future is a wrong clock, not a promise."""
    number = normalise(given.ani, area_code=area_code).key
    whose = await customers.only_with(conn, number) if number else None
    received_at = min(given.at, now)
    due_at, warn_at = rules.limit(definitions()[Clock.ENTRY], received_at)
    contact = NewContact(
        kind=ContactKind.RECORDING,
        at=received_at,
        external_id=key,
        customer_id=whose.id if whose else None,
        number=number,
        queue=clean(given.queue, limit=40) or None,
    )
    return {
        "key": key,
        "call_id": clean(given.call_id, limit=80),
        "caller_number": number,
        "language": clean(given.lang, limit=8),
        "dnis": clean(given.dnis, limit=32),
        "queue": contact.queue,
        "seconds": rules.length_of(given.seconds),
        "how": clean(given.how, limit=16),
        "received_at": received_at,
        "customer_id": contact.customer_id,
        "contact_id": await contacts.record(conn, contact),
        "callback_id": await callbacks.open_id(conn, number) if number else None,
        "due_at": due_at,
        "warn_at": warn_at,
    }


async def _insert(conn: AsyncConnection, values: Mapping[str, Any], promised: str | None) -> Held | None:
    """The row, under the serial the caller was told if it is free, else under a fresh one; None: key is taken."""
    if promised is not None and serials.valid(promised):
        held = await store.add(conn, {**values, "serial": promised})
        if held is not None or await store.hold_key(conn, values["key"]) is not None:
            return held
    return await store.add(conn, {**values, "serial": await serials.next_serial(conn, "item")})


async def sort_out(conn: AsyncConnection, actor: Actor, given: NewMessage, now: datetime) -> Change:
    """Puts a message aside that turned out to hold nothing once its file was heard; one a clerk has, stays his."""
    held = await store.hold_key(conn, rules.key_of(given.file))
    if held is None:
        raise NotFound(subject="item")
    if held.state is not State.NEW or given.sorted_out is None:
        return _known(held, now)
    to = rules.step(held.state, Verb.SORT_OUT)
    values = {"sorted_out": given.sorted_out.value}
    return await store.write(conn, actor, "item.sorted_out", held, to, values, now)


async def claim(conn: AsyncConnection, actor: Actor, public_id: str, version: int, now: datetime) -> Change:
    """Takes an item to hear it; also one the product had put aside. Raises Refused when another clerk has it."""
    require(actor, Action.WORK_ITEMS)
    held = await store.hold(conn, public_id, version)
    to = rules.step(held.state, Verb.CLAIM)
    values = {"owner_id": actor.staff_id, "owner_queue": None, "claimed_at": now}
    return await store.write(conn, actor, "item.claimed", held, to, values, now)


async def release(conn: AsyncConnection, actor: Actor, public_id: str, version: int, now: datetime) -> Change:
    """Gives an item back to the queue."""
    require(actor, Action.WORK_ITEMS)
    held = await store.hold(conn, public_id, version)
    to = rules.step(held.state, Verb.RELEASE)
    _mine(actor, held)
    values = {"owner_id": None, "owner_queue": QUEUE, "claimed_at": None}
    return await store.write(conn, actor, "item.released", held, to, values, now)


async def reassign(  # noqa: PLR0917 - who hands what to whom
    conn: AsyncConnection,
    actor: Actor,
    public_id: str,
    version: int,
    number: str,
    now: datetime,
    *,
    reason: str,
    note: str | None = None,
) -> Change:
    """A supervisor hands an item to a clerk by 工号 and says why, by code (PX-04, MN-02)."""
    require(actor, Action.REASSIGN_WORK)
    held = await store.hold(conn, public_id, version)
    to = rules.step(held.state, Verb.REASSIGN)
    said = await handing_on.reason(conn, reason, note, now)
    person = await staff.by_number(conn, number)
    if not person.active:
        raise NotFound(subject="staff", id=number)
    require(person.actor, Action.WORK_ITEMS)
    values = {"owner_id": person.id, "owner_queue": None, "claimed_at": now}
    return await store.write(conn, actor, "item.reassigned", held, to, values, now, said=said | {"to": person.number})


async def to_order(conn: AsyncConnection, actor: Actor, public_id: str, version: int, now: datetime) -> Ordered:
    """Makes a draft of a message, counted from the message's receipt stamp (IN-27, T1).

    A message may hold several complaints: called again, another draft is made. What the caller left as number and
    the customer it belongs to are filled in.
    """
    require(actor, Action.WORK_ITEMS)
    held = await store.hold(conn, public_id, version)
    to = rules.step(held.state, Verb.TO_ORDER)
    _mine(actor, held)
    row = held.row
    known = await _customer(conn, row["customer_id"])
    new = NewDraft(Channel.RECORDING, row["received_at"], known, row["key"], row["caller_number"])
    drafts = [await orders.create_draft(conn, actor, new, now)]
    if row["caller_number"] is not None:
        edit = EditDraft(drafts[0].subject_id, drafts[0].version, {"contact_number": row["caller_number"]})
        drafts.append(await orders.edit_draft(conn, actor, edit, now))
    values = {} if held.state is State.DONE else _end(held, to, now)
    changed = await store.write(conn, actor, "item.ordered", held, to, values, now)
    return Ordered(changed, drafts[-1], (*drafts, changed))


async def discard(  # noqa: PLR0917 - as the page says it
    conn: AsyncConnection,
    actor: Actor,
    public_id: str,
    version: int,
    reason: str,
    note: str | None,
    now: datetime,
) -> Change:
    """Puts a claimed item away with a coded reason (IN-28); the voice file and the row stay."""
    require(actor, Action.WORK_ITEMS)
    held = await store.hold(conn, public_id, version)
    to = rules.step(held.state, Verb.DISCARD)
    _mine(actor, held)
    await taxonomy.leaf(conn, "no_order_reason", reason, day_of(now), field="reason")
    values = _end(held, to, now) | {"discard_reason": reason, "note": clean(note or "", limit=500) or None}
    return await store.write(conn, actor, "item.discarded", held, to, values, now)


async def absorb(conn: AsyncConnection, actor: Actor, callback_id: int, order_id: int, now: datetime) -> list[Change]:
    """The caller was reached by his callback: what he had recorded and nobody has taken belongs to that order."""
    changes = []
    for held in await store.hold_of_callback(conn, callback_id):
        if held.state is State.NEW:
            to = rules.step(held.state, Verb.ABSORB)
            await contacts.join(conn, held.row["contact_id"], order_id, Role.FIRST, now)
            changes.append(await store.write(conn, actor, "item.absorbed", held, to, _end(held, to, now), now))
    return changes


def _end(held: Held, to: State, now: datetime) -> dict[str, Any]:
    judged = rules.outcome(to, held.row["due_at"], now)
    return {"ended_at": now, "outcome": judged.value if judged else None}


def _mine(actor: Actor, held: Held) -> None:
    if held.row["owner_id"] != actor.staff_id:
        raise Refused("not_your_item", "another clerk has this message", by=held.row["changed_by"])


async def _customer(conn: AsyncConnection, customer_id: int | None) -> str | None:
    found = await conn.scalar(select(customer.c.public_id).where(customer.c.id == customer_id))
    return None if found is None else str(found)


def _known(held: Held, now: datetime) -> Change:
    payload = {"serial": held.serial, "state": held.state.value, "key": held.row["key"], "version": held.version}
    return Change("item.known", held.public_id, held.version, now, payload)
