"""Use cases of papers: registered, scanned, made orders of, put away, and their originals filed. Never commit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import handing_on, serials, taxonomy
from ticketing.changes import Change
from ticketing.clocks.definitions import definitions
from ticketing.clocks.model import Clock
from ticketing.contacts import store as contacts
from ticketing.contacts.model import ContactKind, NewContact
from ticketing.customers.tables import customer
from ticketing.days import day_of
from ticketing.errors import Forbidden, Invalid, NotFound, Refused
from ticketing.orders import actions as orders
from ticketing.orders import fields
from ticketing.orders.drafts import customer_of
from ticketing.orders.inputs import EditDraft, NewDraft
from ticketing.orders.model import Channel
from ticketing.papers import rules, store
from ticketing.papers.files import FileStore, Stored
from ticketing.papers.model import CHANNELS, QUEUE, FileKind, Move, NewPaper, Original, State, Verb
from ticketing.papers.store import Held
from ticketing.roles import Action, Actor, require
from ticketing.staff import store as staff

_TOLERANCE = timedelta(minutes=5)
#: a stamp further back is a slip of the pen; default, no paper gives one
_OLDEST = timedelta(days=366)
_KINDS = {Channel.DEPARTMENT: ContactKind.LETTER}


@dataclass(frozen=True, slots=True)
class Ordered:
    """What making an order of a paper changed."""

    paper: Change
    #: the draft as it is now
    order: Change
    #: everything that happened, in order, for the edge to publish
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Custody:
    """One move of an original."""

    move: Move
    #: hand_over: 工号 of the archivist, empty = whoever is there; lend: who borrows it
    to: str | None = None
    #: file: shelf and folder
    place: str | None = None
    note: str | None = None


async def register(conn: AsyncConnection, actor: Actor, given: NewPaper, now: datetime) -> Change:
    """Writes a paper into the register; whoever does it has it, and its two hours run from the receipt stamp (CL-01).

    Raises Invalid for a stamp in the future or out of reach, an unknown channel or a department's text without its
    unit, and Refused when the post's register number is there already.
    """
    require(actor, Action.WORK_PAPERS)
    values = await _facts(conn, given, now)
    if values["mail_number"] is not None:
        known = await store.by_mail_number(conn, given.channel.value, values["mail_number"])
        if known is not None:
            raise Refused("mail_is_registered", "it is registered already", field="mail_number", serial=known[1])
    whose = await customer_of(conn, given.customer) if given.customer else None
    serial = await serials.next_serial(conn, "paper")
    contact = NewContact(
        kind=_KINDS.get(given.channel) or ContactKind(given.channel.value),
        at=given.received_at,
        external_id=_key(serial),
        customer_id=whose.id if whose else None,
        number=values["number"],
        staff_id=actor.staff_id,
    )
    has_original = given.original and given.channel is not Channel.EMAIL
    due_at, warn_at = rules.limit(definitions()[Clock.ENTRY], given.received_at)
    values |= {
        "serial": serial,
        "state": rules.step(None, Verb.REGISTER).value,
        "registered_at": now,
        "registered_by": actor.number,
        "customer_id": contact.customer_id,
        "contact_id": await contacts.record(conn, contact),
        "owner_id": actor.staff_id,
        "claimed_at": now,
        "due_at": due_at,
        "warn_at": warn_at,
        "original": (Original.CLERK if has_original else Original.NONE).value,
        "holder": actor.number if has_original else None,
        "changed_at": now,
        "changed_by": actor.number,
    }
    return await store.add(conn, actor, values, now)


async def _facts(conn: AsyncConnection, given: NewPaper, now: datetime) -> dict[str, Any]:
    """What arrived, each value checked as the order's own fields are."""
    if given.channel not in CHANNELS:
        allowed = [each.value for each in CHANNELS]
        raise Invalid("unknown_channel", "not a channel of papers", field="channel", allowed=allowed)
    if given.received_at.tzinfo is None:
        raise Invalid("not_a_time", "a moment with its zone is expected", field="received_at")
    if given.received_at > now + _TOLERANCE:
        raise Invalid("in_the_future", "it cannot have been received yet", field="received_at", latest=now.isoformat())
    if given.received_at < now - _OLDEST:
        earliest = (now - _OLDEST).isoformat()
        raise Invalid("out_of_range", "too long ago to be meant", field="received_at", earliest=earliest)
    if given.channel is Channel.DEPARTMENT and not given.unit:
        raise Invalid("missing", "which unit it came from", field="unit")
    if given.unit:
        await taxonomy.leaf(conn, "unit", given.unit, day_of(now), field="unit")
    return {
        "channel": given.channel.value,
        "received_at": given.received_at,
        "sender": fields.text("sender", given.sender or "", 200),
        "number": fields.number("number", given.number) if given.number else None,
        "unit": given.unit or None,
        "subject": fields.text("subject", given.subject or "", 500),
        "mail_number": fields.text("mail_number", given.mail_number or "", 80),
    }


async def add_file(  # noqa: PLR0917 - what is kept, for which paper, by whom
    conn: AsyncConnection, actor: Actor, files: FileStore, public_id: str, name: str, data: bytes, now: datetime
) -> tuple[Change, str]:
    """Keeps a scan or text with a paper: the change and the file's public id.

    Raises Invalid for a name that could be a path and for content that is no scan, PDF or text, Refused for one that
    is there already or one too many. The file is on disk before the row: a commit that fails later leaves it behind,
    where `FileStore.orphans` finds it.
    """
    require(actor, Action.WORK_PAPERS)
    plain = rules.file_name(name)
    kind = rules.kind_of(plain, data)
    held = await store.hold(conn, public_id)
    if await store.count_files(conn, held.id) >= rules.MOST:
        raise Refused("too_many_files", f"at most {rules.MOST} files", limit=rules.MOST)
    stored = await files.put(data)
    try:
        return await _keep(conn, actor, held, stored, name=plain, kind=kind, now=now)
    except BaseException:
        await files.drop(stored.key)
        raise


async def _keep(
    conn: AsyncConnection, actor: Actor, held: Held, stored: Stored, *, name: str, kind: FileKind, now: datetime
) -> tuple[Change, str]:
    same = await store.file_with(conn, held.id, stored.sha256)
    if same is not None:
        raise Refused("same_file", "this file is there already", field="file", file=same)
    values = {
        "paper_id": held.id,
        "name": name,
        "media_type": kind.media_type,
        "size": stored.size,
        "sha256": stored.sha256,
        "key": stored.key,
        "added_at": now,
        "added_by": actor.number,
    }
    file_id = await store.add_file(conn, values)
    said = {"file": file_id, "sha256": stored.sha256, "size": stored.size}
    return await store.write(conn, actor, "paper.file_added", held, {}, now, said=said), file_id


async def claim(conn: AsyncConnection, actor: Actor, public_id: str, version: int, now: datetime) -> Change:
    """Takes a paper to enter it, and its original with it; raises Refused when another clerk has it."""
    require(actor, Action.WORK_PAPERS)
    held = await store.hold(conn, public_id, version)
    to = rules.step(held.state, Verb.CLAIM)
    values: dict[str, Any] = {"state": to.value, "owner_id": actor.staff_id, "owner_queue": None, "claimed_at": now}
    if held.original is Original.CLERK:
        values["holder"] = actor.number
    return await store.write(conn, actor, "paper.claimed", held, values, now)


async def release(conn: AsyncConnection, actor: Actor, public_id: str, version: int, now: datetime) -> Change:
    """Gives a paper back to the clerks' queue."""
    require(actor, Action.WORK_PAPERS)
    held = await store.hold(conn, public_id, version)
    to = rules.step(held.state, Verb.RELEASE)
    _mine(actor, held)
    values = {"state": to.value, "owner_id": None, "owner_queue": QUEUE, "claimed_at": None}
    return await store.write(conn, actor, "paper.released", held, values, now)


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
    """A supervisor hands a paper to a clerk by 工号 and says why, by code (PX-04, MN-02)."""
    require(actor, Action.REASSIGN_WORK)
    held = await store.hold(conn, public_id, version)
    to = rules.step(held.state, Verb.REASSIGN)
    said = await handing_on.reason(conn, reason, note, now)
    person = await staff.by_number(conn, number)
    if not person.active:
        raise NotFound(subject="staff", id=number)
    require(person.actor, Action.WORK_PAPERS)
    values: dict[str, Any] = {"state": to.value, "owner_id": person.id, "owner_queue": None, "claimed_at": now}
    if held.original is Original.CLERK:
        values["holder"] = person.number
    return await store.write(conn, actor, "paper.reassigned", held, values, now, said=said | {"to": person.number})


async def to_order(conn: AsyncConnection, actor: Actor, public_id: str, version: int, now: datetime) -> Ordered:
    """Makes a draft of a paper, counted from the paper's receipt stamp (IN-25, T1); sender and number are filled in.

    A paper may hold several complaints: called again, another draft is made.
    """
    require(actor, Action.WORK_PAPERS)
    held = await store.hold(conn, public_id, version)
    to = rules.step(held.state, Verb.TO_ORDER)
    _mine(actor, held)
    row = held.row
    known = await conn.scalar(select(customer.c.public_id).where(customer.c.id == row["customer_id"]))
    new = NewDraft(Channel(row["channel"]), row["received_at"], known, _key(row["serial"]))
    drafts = [await orders.create_draft(conn, actor, new, now)]
    typed = {"contact_name": row["sender"], "contact_number": row["number"]}
    filled = {name: value for name, value in typed.items() if value is not None}
    if filled:
        edit = EditDraft(drafts[0].subject_id, drafts[0].version, filled)
        drafts.append(await orders.edit_draft(conn, actor, edit, now))
    values = {} if held.state is State.DONE else _end(held, to, now)
    changed = await store.write(conn, actor, "paper.ordered", held, {"state": to.value, **values}, now)
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
    """Puts a paper away with a coded reason (IN-28); its original is filed all the same."""
    require(actor, Action.WORK_PAPERS)
    held = await store.hold(conn, public_id, version)
    to = rules.step(held.state, Verb.DISCARD)
    _mine(actor, held)
    await taxonomy.leaf(conn, "no_order_reason", reason, day_of(now), field="reason")
    values = {"state": to.value, "discard_reason": reason, "note": fields.text("note", note or "", 500)}
    ended = _end(held, to, now)
    return await store.write(conn, actor, "paper.discarded", held, values | ended, now, said={"reason": reason})


async def move_original(  # noqa: PLR0917 - who moves what
    conn: AsyncConnection, actor: Actor, public_id: str, version: int, given: Custody, now: datetime
) -> Change:
    """One step of the chain of custody, written into the originals register (KB-11).

    The clerk who has the paper hands over; everything else is the archivist's, who says where it lies, to whom it is
    lent, or what is wrong with what he was given.
    """
    handing = given.move is Move.HAND_OVER
    require(actor, Action.WORK_PAPERS if handing else Action.FILE_ORIGINALS)
    held = await store.hold(conn, public_id, version)
    to = rules.move(held.original, given.move)
    if handing and held.row["holder"] != actor.number:
        raise Forbidden("not_your_paper", "another clerk has this paper", by=held.row["holder"])
    place = fields.text("place", given.place or "", 200)
    note = fields.text("note", given.note or "", 500)
    whom = fields.text("to", given.to or "", 80)
    values: dict[str, Any] = {"original": to.value}
    match given.move:
        case Move.HAND_OVER:
            whom = await _archivist(conn, whom)
            values |= {"handed_at": held.row["handed_at"] or now, "holder": whom}
        case Move.FILE:
            values |= {"holder": None, "place": _needed("place", place)}
        case Move.REFUSE:
            _needed("note", note)
            values |= {"holder": held.row["registered_by"], "handed_at": None}
        case Move.LEND:
            values["holder"] = _needed("to", whom)
        case Move.TAKE_BACK:
            values |= {"holder": None, "place": place or held.row["place"]}
    await store.add_custody(conn, held.id, given.move, actor.number, whom, now, place=place, note=note)
    fact = f"paper.original_{to.value}"
    said = {"original": to.value, "move": given.move.value}
    return await store.write(conn, actor, fact, held, values, now, said=said)


async def _archivist(conn: AsyncConnection, number: str | None) -> str | None:
    """The archivist who is to get it; None = whoever is there first."""
    if number is None:
        return None
    person = await staff.by_number(conn, number)
    if not person.active:
        raise NotFound(subject="staff", id=number, field="to")
    require(person.actor, Action.FILE_ORIGINALS)
    return person.number


def _needed(name: str, value: str | None) -> str:
    if value is None:
        raise Invalid("missing", f"{name} is needed", field=name)
    return value


def _end(held: Held, to: State, now: datetime) -> dict[str, Any]:
    judged = rules.outcome(held.row["due_at"], now)
    return {"ended_at": now, "outcome": judged.value if judged else None}


def _mine(actor: Actor, held: Held) -> None:
    if held.row["owner_id"] != actor.staff_id:
        raise Refused("not_your_paper", "another clerk has this paper", by=held.row["changed_by"])


def _key(serial: str) -> str:
    """What the paper's contact is known by."""
    return f"paper-{serial}"
