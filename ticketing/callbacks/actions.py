"""Use cases of callbacks: booked, asked for again, cancelled, put off, handed over, called now. Never commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import handing_on, serials
from ticketing.calendar import WorkingCalendar
from ticketing.callbacks import rules, store, workflow
from ticketing.callbacks.model import QUEUE, Again, NewBooking, Outcome, State, Verb, Window
from ticketing.callbacks.policy import Policy
from ticketing.callbacks.store import Held, Step
from ticketing.changes import Change
from ticketing.clocks.definitions import definitions
from ticketing.clocks.model import Clock
from ticketing.contacts import store as contacts
from ticketing.contacts.model import ContactKind, NewContact
from ticketing.customers import store as customers
from ticketing.errors import Invalid, NotFound, Refused
from ticketing.intake import store as items
from ticketing.roles import SYSTEM, Action, Actor, require
from ticketing.staff import store as staff
from ticketing.text import clean

#: a caller takes his time between hearing a window and confirming it
_GRACE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Takeover:
    """The place a caller takes over from his callback."""

    change: Change
    joined_at: datetime
    priority: int
    queue: str
    #: a channel to hang up and an agent to set free, when it was being dialled at this moment
    channel_id: str | None = None
    agent: str | None = None


async def book(
    conn: AsyncConnection,
    actor: Actor,
    given: NewBooking,
    policy: Policy,
    now: datetime,
    *,
    opening: WorkingCalendar | None = None,
    area_code: str | None = None,
) -> Change:
    """Books a callback; the serial is in the payload (TL-22).

    One is open for a number: asked again, by the same call nothing changes, else the booking keeps its serial and its
    place, takes the new window and counts the request (F28). Raises Invalid for a number that is not called back and
    for a window that is not offered, Refused while the number is just being dialled.
    """
    require(actor, Action.BOOK_CALLBACK)
    number = rules.dialable(given.number, policy, area_code)
    if number is None:
        raise Invalid("not_dialable", "this number cannot be called back", field="number")
    known = await store.hold_open(conn, number)
    if known is not None:
        return await _renew(conn, actor, known, given, policy, now, opening)
    window = _window(given.window, policy, opening, now)
    values = await _facts(conn, actor, given, number, now) | _when(window, given, policy, opening, now)
    state = workflow.advance(workflow.Situation(None, policy.mode), Verb.BOOK)
    fixed = {"state": state.value, "mode": policy.mode.value, "serial": await serials.next_serial(conn, "callback")}
    counts = {"requests": 1, "attempts": 0, "used": 0, "lease_epoch": 0}
    held = await store.add(conn, {**values, **fixed, **counts, "changed_at": now, "changed_by": actor.number})
    if held is None:  # somebody has booked for this number at the same moment
        known = await store.hold_open(conn, number)
        if known is None:
            raise Refused("callback_is_booked", "this number is being booked elsewhere; tell it again")
        return await _renew(conn, actor, known, given, policy, now, opening)
    await items.attach(conn, number, held.id)
    said = {"window": window.id, "queue": held.row["queue"], **_promised(given.call_id, values)}
    step = Step("callback.booked", state, {}, said)
    return await store.tell(conn, actor, held, step, held.version, now)


def _promised(call_id: str | None, when: Mapping[str, Any]) -> dict[str, Any]:
    """What the audit must say so that anyone can recompute what was promised, and in which call (N1, N6)."""
    said: dict[str, Any] = {"call_id": call_id} if call_id else {}
    return said | ({"counts_from": when["next_at"].isoformat()} if when else {})


async def propose(
    conn: AsyncConnection, given: NewBooking, policy: Policy, now: datetime, *, area_code: str | None = None
) -> Change | None:
    """Puts a caller who was cut off by a fault of ours on the owner's list: a person decides, nothing dials (F05).

    Once a call. None when there is nothing to decide: a number that is not called back, one that has an open callback,
    or a call that was proposed before.
    """
    number = rules.dialable(given.number, policy, area_code)
    if number is None or await store.hold_open(conn, number) is not None:
        return None
    if given.call_id is not None and await store.of_call(conn, given.call_id):
        return None
    window = Window(rules.ASAP, rules.ASAP, now, now)
    when = _when(window, given, policy, None, now)
    values = await _facts(conn, SYSTEM, given, number, now) | when
    state = workflow.advance(workflow.Situation(None, policy.mode), Verb.PROPOSE)
    fixed = {"state": state.value, "mode": policy.mode.value, "serial": await serials.next_serial(conn, "callback")}
    counts = {"requests": 1, "attempts": 0, "used": 0, "lease_epoch": 0}
    held = await store.add(conn, {**values, **fixed, **counts, "changed_at": now, "changed_by": SYSTEM.number})
    if held is None:  # he has booked himself at this moment
        return None
    step = Step("callback.proposed", state, {}, {"queue": held.row["queue"]} | _promised(given.call_id, when))
    return await store.tell(conn, SYSTEM, held, step, held.version, now)


def _window(wanted: str, policy: Policy, opening: WorkingCalendar | None, now: datetime) -> Window:
    """The window as offered now; as it was some minutes ago when it has just closed for new bookings."""
    if wanted == rules.ASAP:  # also while the centre is closed: then at the next opening
        return Window(rules.ASAP, rules.ASAP, now, now)
    for at in (now, now - _GRACE):
        for window in rules.windows(policy, opening, at):
            if window.id == wanted and window.ends_at > now:
                return window
    raise Invalid("no_such_window", "this time is not offered", field="window")


def _when(
    window: Window, given: NewBooking, policy: Policy, opening: WorkingCalendar | None, now: datetime
) -> dict[str, Any]:
    """Everything that follows from the chosen window."""
    asap = window.id == rules.ASAP
    start, end = (None, None) if asap else (window.starts_at, window.ends_at)
    joined_at = min(given.joined_at, now)
    definition = definitions()[Clock.CALLBACK]
    next_at = rules.next_call(policy, max(start or now, now), opening)
    due_at = rules.due(definition, policy, next_at, end)
    return {
        "window": window.id,
        "window_start": start,
        "window_end": end,
        "joined_at": joined_at,
        "place_at": rules.place_from(joined_at, start),
        "next_at": next_at,
        "due_at": due_at,
        "warn_at": due_at - definition.lead,
    }


async def _facts(conn: AsyncConnection, actor: Actor, given: NewBooking, number: str, now: datetime) -> dict[str, Any]:
    """Who asks and how; the call he asks in is a contact of its own, joined to the order later (TL-54)."""
    named = await customers.get(conn, given.customer) if given.customer else None
    whose = named or await customers.only_with(conn, number)
    queue = clean(given.queue, limit=40)
    contact_id = None
    if given.call_id is not None:
        contact = NewContact(
            kind=ContactKind.CALL,
            at=min(given.joined_at, now),
            external_id=given.call_id,
            customer_id=whose.id if whose else None,
            number=number,
            queue=queue,
        )
        contact_id = await contacts.record(conn, contact)
    person = None if actor.staff_id == SYSTEM.staff_id else actor.staff_id
    return {
        "number": number,
        "customer_id": whose.id if whose else None,
        "contact_id": contact_id,
        "call_id": given.call_id,
        "dnis": clean(given.dnis, limit=32),
        "language": clean(given.lang, limit=8),
        "queue": queue,
        "priority": given.priority,
        "booked_at": now,
        "owner_id": person,
        "owner_queue": QUEUE if person is None else None,
        "note": clean(given.note or "", limit=500) or None,
    }


async def _renew(  # noqa: PLR0917 - the pieces of one request
    conn: AsyncConnection,
    actor: Actor,
    held: Held,
    given: NewBooking,
    policy: Policy,
    now: datetime,
    opening: WorkingCalendar | None,
) -> Change:
    if given.call_id is not None and given.call_id == held.row["call_id"]:
        return _known(held, now)
    to = workflow.advance(_situation(held), Verb.RENEW)
    window = _window(given.window, policy, opening, now)
    when = _when(window, given, policy, opening, now)
    joined_at = min(held.row["joined_at"], when["joined_at"])  # the first request's place is kept
    values = when | {
        "joined_at": joined_at,
        "place_at": rules.place_from(joined_at, when["window_start"]),
        "call_id": given.call_id or held.row["call_id"],
        "queue": clean(given.queue, limit=40),
        "priority": max(given.priority, held.row["priority"]),
        "requests": held.row["requests"] + 1,
        "used": 0,
    }
    if window.id == rules.ASAP == held.row["window"]:  # asking again does not move what was promised
        values |= {"due_at": held.row["due_at"], "warn_at": held.row["warn_at"]}
        when = {}
    said = {"window": window.id, "requests": values["requests"], **_promised(given.call_id, when)}
    return await store.write(conn, actor, held, Step("callback.renewed", to, values, said), now)


async def again(
    conn: AsyncConnection, actor: Actor, public_id: str, choice: Again, now: datetime, *, call_id: str = ""
) -> Change | Takeover:
    """A number with an open callback calls again: it takes over the place, cancels, or keeps it (TL-22, P37).

    Raises Refused when it is too late for that, NotFound for no such callback.
    """
    require(actor, Action.BOOK_CALLBACK)
    held = await store.hold(conn, public_id)
    if choice is Again.KEEP:
        values = {"requests": held.row["requests"] + 1}
        kept = {"call_id": call_id} if call_id else {}
        return await store.write(conn, actor, held, Step("callback.kept", held.state, values, kept), now)
    if choice is Again.CANCEL:
        return await _cancel(conn, actor, held, "customer", None, now)
    to = workflow.advance(_situation(held), Verb.TAKE_OVER)
    agent, channel_id = held.row["agent"], await _withdraw(conn, held, now)
    said = {"call_id": call_id, "channel_id": channel_id, "agent": agent}
    values = _end(held, "taken_over", now) | ({"call_id": call_id} if call_id else {})
    change = await store.write(conn, actor, held, Step("callback.taken_over", to, values, said), now)
    row = held.row
    return Takeover(change, row["place_at"], row["priority"], row["queue"], channel_id, agent)


async def _withdraw(conn: AsyncConnection, held: Held, now: datetime) -> str | None:
    """Ends the attempt under way; its channel is to be hung up."""
    attempt = await store.last_try(conn, held) if held.state is State.DIALLING else None
    if attempt is None:
        return None
    ended = {"state": State.FAILED.value, "outcome": Outcome.WITHDRAWN.value, "ended_at": now}
    await store.write_try(conn, attempt, ended)
    return attempt.channel_id


async def cancel(  # noqa: PLR0917 - as the page says it
    conn: AsyncConnection,
    actor: Actor,
    public_id: str,
    version: int,
    note: str | None,
    now: datetime,
) -> Change:
    """Cancels a callback for a person, with his words why; it stays on record."""
    require(actor, Action.WORK_CALLBACKS)
    held = await store.hold(conn, public_id, version)
    words = clean(note or "", limit=500)
    if not words:
        raise Invalid("missing", "say why", field="note", missing=["note"])
    return await _cancel(conn, actor, held, "staff", words, now)


async def _cancel(  # noqa: PLR0917 - as above
    conn: AsyncConnection, actor: Actor, held: Held, reason: str, note: str | None, now: datetime
) -> Change:
    to = workflow.advance(_situation(held), Verb.CANCEL)
    values = _end(held, reason, now) | ({"note": note} if note else {})
    said = {"reason": reason, "agent": held.row["agent"]}
    return await store.write(conn, actor, held, Step("callback.cancelled", to, values, said), now)


async def snooze(  # noqa: PLR0917 - as the page says it
    conn: AsyncConnection,
    actor: Actor,
    public_id: str,
    version: int,
    until: datetime,
    policy: Policy,
    now: datetime,
) -> Change:
    """Puts a callback off; its place in the line stays. Quiet hours are kept, and what is due may become overdue."""
    require(actor, Action.WORK_CALLBACKS)
    held = await store.hold(conn, public_id, version)
    to = workflow.advance(_situation(held), Verb.SNOOZE)
    if until <= now:
        raise Invalid("in_the_past", "this time has passed", field="until")
    if until > now + policy.longest_snooze:
        raise Invalid("out_of_range", "not so far ahead", field="until")
    next_at = rules.next_call(policy, until)
    values = {"next_at": next_at, "used": _one_left(held, policy)}
    said = {"until": next_at.isoformat()}
    return await store.write(conn, actor, held, Step("callback.snoozed", to, values, said), now)


async def call_now(  # noqa: PLR0917 - as the page says it
    conn: AsyncConnection, actor: Actor, public_id: str, version: int, policy: Policy, now: datetime
) -> Change:
    """Makes a callback due at once, with one more attempt if none was left; it still takes its place in the line.

    For one whose last attempt's fate is unknown this is the person's decision to dial again. Raises Refused in quiet
    hours.
    """
    require(actor, Action.WORK_CALLBACKS)
    held = await store.hold(conn, public_id, version)
    to = workflow.advance(_situation(held), Verb.CALL_NOW)
    if not policy.calling.is_open(now):
        opens_at = rules.next_call(policy, now).isoformat()
        raise Refused("quiet_hours", "customers are not called now", opens_at=opens_at)
    values = {"next_at": now, "used": _one_left(held, policy)}
    return await store.write(conn, actor, held, Step("callback.called_now", to, values), now)


async def reassign(  # noqa: PLR0917 - who hands what to whom
    conn: AsyncConnection,
    actor: Actor,
    public_id: str,
    version: int,
    number: str | None,
    now: datetime,
    *,
    reason: str,
    note: str | None = None,
) -> Change:
    """A supervisor makes another person answer for a callback, or the common list (None), and says why, by code
    (PX-04, MN-02)."""
    require(actor, Action.REASSIGN_WORK)
    held = await store.hold(conn, public_id, version)
    to = workflow.advance(_situation(held), Verb.REASSIGN)
    said = await handing_on.reason(conn, reason, note, now)
    if number is None:
        values: Mapping[str, Any] = {"owner_id": None, "owner_queue": QUEUE}
    else:
        person = await staff.by_number(conn, number)
        if not person.active:
            raise NotFound(subject="staff", id=number)
        values = {"owner_id": person.id, "owner_queue": None}
    said |= {"owner": number or QUEUE}
    return await store.write(conn, actor, held, Step("callback.reassigned", to, values, said), now)


def _one_left(held: Held, policy: Policy) -> int:
    return min(int(held.row["used"]), policy.cap - 1)


def _end(held: Held, reason: str, now: datetime) -> dict[str, Any]:
    return {
        "ended_at": now,
        "end_reason": reason,
        "outcome": "void",
        "lease_holder": None,
        "lease_until": None,
        "agent": None,
    }


def _situation(held: Held) -> workflow.Situation:
    return workflow.Situation(held.state, held.mode)


def _known(held: Held, now: datetime) -> Change:
    payload = {"serial": held.serial, "state": held.state.value, "version": held.version, "window": held.row["window"]}
    return Change("callback.known", held.public_id, held.version, now, payload)
