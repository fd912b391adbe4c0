"""Use cases of intake: draft at answer, entry of text, edit, submit, end without order, merge. Never commit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import serial_digits, taxonomy
from ticketing.changes import Change
from ticketing.contacts import store as contacts
from ticketing.contacts.model import ContactKind, NewContact, Role
from ticketing.customers.rules import normalise
from ticketing.days import day_of
from ticketing.errors import Invalid, NotFound, Refused
from ticketing.orders import dispatching, drafts, fields, ledger, planning, rules, workflow
from ticketing.orders.inputs import AddWords, DraftFromCall, EditDraft, EndWithoutOrder, Merge, NewDraft, Submit
from ticketing.orders.ledger import Held, Step
from ticketing.orders.model import PAPER, Channel, LinkKind, State
from ticketing.roles import Action, Actor, require
from ticketing.serials import next_serial

_CONTACT_KINDS = {
    Channel.TELEPHONE: ContactKind.CALL,
    Channel.CALLBACK: ContactKind.CALL,
    Channel.DEPARTMENT: ContactKind.LETTER,
    Channel.WEB: ContactKind.MESSAGE,
}
_TOLERANCE = timedelta(minutes=5)


async def draft_at_answer(conn: AsyncConnection, actor: Actor, given: DraftFromCall, now: datetime) -> Change:
    """T1 for a call: a draft exists from the answer on, whatever becomes of the browser (TL-32).

    Idempotent by call id: told again it changes nothing, told of a later answer (transfer) it hands the draft over.
    A customer's open order does not prevent it: the agent sees both and may merge.
    """
    owner = await ledger.find_staff(conn, given.agent_number)
    held = await ledger.hold_call(conn, given.call_id)
    if held is None:
        held = await _begin(conn, actor, given, owner, now)
        if held is not None:
            return await _opened(conn, actor, held, {"call_id": given.call_id, "agent": given.agent_number}, now)
        held = await ledger.hold_call(conn, given.call_id)
        if held is None:
            raise Refused("call_is_taken", "this call's draft is being made elsewhere; tell it again")
    return await _hand_over(conn, actor, held, given=given, owner=owner, now=now)


async def _begin(
    conn: AsyncConnection, actor: Actor, given: DraftFromCall, owner: int | None, now: datetime
) -> Held | None:
    number = normalise(given.caller_number)
    key = number.key
    customer = await drafts.caller(conn, given.customer, key)
    values: dict[str, Any] = {
        "serial": await next_serial(conn),
        "channel": Channel.TELEPHONE.value,
        "received_at": given.answered_at,
        "answered_at": given.answered_at,
        "caller_number": key,
        "call_id": given.call_id,
        "dnis": given.dnis[:32],
        "contact_number": key,
        "owner_id": owner,
        "owner_queue": None if owner is not None else (given.queue or "complaint"),
        **drafts.snapshot(customer),
    }
    held = await ledger.create(conn, actor, values, now)
    if held is not None:
        contact = NewContact(
            kind=ContactKind.CALL,
            at=given.answered_at,
            external_id=given.call_id,
            customer_id=customer.id if customer else None,
            number=key,
            staff_id=owner,
            queue=given.queue,
        )
        await contacts.join(conn, await contacts.record(conn, contact), held.id, Role.FIRST, now)
    return held


async def _opened(conn: AsyncConnection, actor: Actor, held: Held, payload: dict[str, Any], now: datetime) -> Change:
    """Runs T1 on a row just made: clocks, trail, audit, message."""
    channel = Channel(held.row["channel"])
    situation = workflow.Situation(state=None, kind=held.kind, paper=channel in PAPER)
    told = {"channel": channel.value, "received_at": held.row["received_at"]}
    told_by_telephone = held.row["call_id"] is not None  # whoever answered, of whatever post: the draft must be there
    decision = workflow.advance(situation, workflow.Verb.OPEN, actor.posts, told, system=told_by_telephone)
    await drafts.turn(conn, held, decision, now)
    step = Step("order.opened", workflow.Verb.OPEN, State.DRAFT, {}, payload={"channel": channel.value, **payload})
    return await ledger.born(conn, actor, held, step, now)


async def _hand_over(
    conn: AsyncConnection, actor: Actor, held: Held, *, given: DraftFromCall, owner: int | None, now: datetime
) -> Change:
    payload = {"call_id": given.call_id, "agent": given.agent_number}
    known = held.row["answered_at"]
    later = known is None or given.answered_at > known
    if held.state is not State.DRAFT or not later or owner is None or owner == held.row["owner_id"]:
        return _known(held, now, payload)
    values = {"owner_id": owner, "owner_queue": None, "answered_at": given.answered_at}
    await contacts.assign(conn, given.call_id, staff_id=owner, customer_id=held.row["customer_id"])
    return await ledger.apply(
        conn, actor, held, Step("order.handed_over", "hand_over", State.DRAFT, values, payload=payload), now
    )


async def create_draft(conn: AsyncConnection, actor: Actor, given: NewDraft, now: datetime) -> Change:
    """T1 for text, a visit or a recording, counted from its receipt stamp (IN-25).

    Raises Invalid for a stamp in the future and for calls, which make their own draft.
    """
    require(actor, Action.CREATE_ORDER)
    if given.channel in {Channel.TELEPHONE, Channel.CALLBACK}:
        raise Invalid("call_makes_its_own", "a call makes its own draft when it is answered", field="channel")
    if given.received_at.tzinfo is None or given.received_at > now + _TOLERANCE:
        raise Invalid("in_the_future", "it cannot have been received yet", field="received_at")
    customer = await drafts.customer_of(conn, given.customer) if given.customer else None
    values: dict[str, Any] = {
        "serial": await next_serial(conn),
        "channel": given.channel.value,
        "received_at": given.received_at,
        "caller_number": given.caller_number,
        "owner_id": actor.staff_id,
        **drafts.snapshot(customer),
    }
    held = await ledger.create(conn, actor, values, now)
    assert held is not None  # only a call can be there already
    contact = NewContact(
        kind=_CONTACT_KINDS.get(given.channel) or ContactKind(given.channel.value),
        at=given.received_at,
        external_id=fields.text("external_id", given.external_id, 80) if given.external_id else None,
        customer_id=customer.id if customer else None,
        staff_id=actor.staff_id,
    )
    await contacts.join(conn, await contacts.record(conn, contact), held.id, Role.FIRST, now)
    return await _opened(conn, actor, held, {}, now)


async def edit_draft(conn: AsyncConnection, actor: Actor, given: EditDraft, now: datetime) -> Change:
    """Writes some fields of a draft; what the telephone gave, the serial and the receipt stamp are not among them.

    Raises Invalid with the field for a value that cannot be, Refused when it is no draft any more.
    """
    require(actor, Action.EDIT_DRAFT)
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    drafts.mine(actor, held)
    if held.state is not State.DRAFT:
        code = "verbatim_fixed" if "verbatim" in given.fields else "not_a_draft"
        raise Refused(code, "it has been submitted; later words are added beside it", state=held.state.value)
    values = await drafts.written(conn, held, given, now)
    if not values:
        return _known(held, now, {})
    if held.row["owner_id"] is None:
        values |= {"owner_id": actor.staff_id, "owner_queue": None}
    if "customer_id" in values and held.row["call_id"] is not None:
        await contacts.assign(
            conn, held.row["call_id"], staff_id=held.row["owner_id"], customer_id=values["customer_id"]
        )
    payload = {"fields": sorted(values)}
    return await ledger.apply(
        conn, actor, held, Step("order.edited", "edit", State.DRAFT, values, payload=payload), now
    )


async def submit(conn: AsyncConnection, actor: Actor, given: Submit, now: datetime) -> Change:
    """T2: the draft becomes an order once every element its kind requires is filled or coded; a VIP's complaint goes on
    to the seniors at once, unless a senior submits it (RT-03). The process it follows is fixed now, in the version that
    is in force (DP-14).

    Raises Invalid naming what is missing, or a promise that is already past.
    """
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    drafts.mine(actor, held)
    held = await drafts.refit(conn, held)
    row = held.row
    decision = workflow.advance(drafts.situation(held), workflow.Verb.SUBMIT, actor.posts, {})
    if row["promise_due_at"] is not None and row["promise_due_at"] <= now:
        raise Invalid("in_the_past", "the promised time has passed", field="promise_due_at")
    await drafts.check_leaves(conn, held, now)
    await drafts.turn(conn, held, decision, now)
    if row["promise_due_at"] is not None:
        await ledger.promise(conn, actor, held, now, words=row["promise_text"] or "", due_at=row["promise_due_at"])
    if row["repeat_of_id"] is not None:
        await ledger.link(conn, held.id, row["repeat_of_id"], LinkKind.REPEAT_OF, now)
    follows = await planning.bind(conn, row, now)
    values = {"registered_at": now, "form": row["form"], "template_version_id": follows}
    step = Step("order.submitted", workflow.Verb.SUBMIT, State.REGISTERED, values, payload={"kind": row["kind"]})
    submitted = await ledger.apply(conn, actor, held, step, now)
    return await dispatching.vip_to_senior(conn, actor, given.public_id, now) or submitted


async def end_without_order(conn: AsyncConnection, actor: Actor, given: EndWithoutOrder, now: datetime) -> Change:
    """T37: ends a draft with a coded reason; its clocks never counted (PX-07, G16)."""
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    drafts.mine(actor, held)
    decision = workflow.advance(
        drafts.situation(held), workflow.Verb.END_WITHOUT_ORDER, actor.posts, {"reason": given.reason}
    )
    await taxonomy.leaf(conn, "no_order_reason", given.reason, day_of(now), field="reason")
    note = fields.text("note", given.note, 500) if given.note else None
    await drafts.turn(conn, held, decision, now)
    values = {"ended_at": now, "no_order_reason": given.reason, "end_note": note}
    step = Step(
        "order.ended_without_order",
        workflow.Verb.END_WITHOUT_ORDER,
        State.NO_ORDER,
        values,
        note=note,
        payload={"reason": given.reason},
    )
    return await ledger.apply(conn, actor, held, step, now)


async def merge(conn: AsyncConnection, actor: Actor, given: Merge, now: datetime) -> tuple[Change, Change]:
    """T38: the draft's call and words go to an open order, which counts one contact more and moves up (G15, RT-06).

    Returns the draft's change and the order's. Raises Refused when that order is over: then submit a new one as its
    repeat.
    """
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    drafts.mine(actor, held)
    decision = workflow.advance(
        drafts.situation(held), workflow.Verb.MERGE, actor.posts, {"into_serial": given.into_serial}
    )
    target = await _target(conn, actor, held, given.into_serial)
    await contacts.move(conn, held.id, target.id, now)
    words = held.row["verbatim"] or held.row["description"]
    if words:
        await ledger.add_words(conn, target.id, actor, words, now)
    await ledger.link(conn, held.id, target.id, LinkKind.MERGED_INTO, now)
    await drafts.turn(conn, held, decision, now)
    ended = {"ended_at": now, "merged_into_id": target.id}
    step = Step(
        "order.merged",
        workflow.Verb.MERGE,
        State.MERGED,
        ended,
        payload={"into": target.public_id, "into_serial": target.serial},
    )
    gone = await ledger.apply(conn, actor, held, step, now)
    counts = {"contact_no": target.row["contact_no"] + 1, "priority": target.row["priority"] + 1}
    payload = {"from_serial": held.serial, "call_id": held.row["call_id"], "contact_no": counts["contact_no"]}
    grown = await ledger.apply(
        conn, actor, target, Step("order.contacted", "contact", target.state, counts, payload=payload), now
    )
    return gone, grown


async def _target(conn: AsyncConnection, actor: Actor, held: Held, serial: str) -> Held:
    serial = serial.strip()
    if not serial_digits.valid(serial):
        raise Invalid("bad_serial", "this order number is mistyped: its check digit is wrong", field="into_serial")
    if serial == held.serial:
        raise Refused("itself", "an order cannot be merged into itself", field="into_serial")
    target = await ledger.hold_serial(conn, actor, serial)
    if target is None:
        raise NotFound(subject="order", serial=serial, field="into_serial")
    if not rules.takes_contacts(target.state):
        raise Refused(
            "target_over",
            "that order is not open: submit a new one as its repeat",
            field="into_serial",
            state=target.state.value,
        )
    return target


async def add_words(conn: AsyncConnection, actor: Actor, given: AddWords, now: datetime) -> Change:
    """Adds words of the customer beside his first ones, which stay as they are (IN-22)."""
    require(actor, Action.EDIT_DRAFT)
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    if not rules.takes_contacts(held.state):
        raise Refused("not_open", "words are added to an open order", state=held.state.value)
    words = fields.text("text", given.text, 8000, lines=True)
    if words is None:
        raise Invalid("missing", "there are no words", field="text")
    await ledger.add_words(conn, held.id, actor, words, now)
    return await ledger.apply(conn, actor, held, Step("order.words_added", "add_words", held.state, {}), now)


def _known(held: Held, now: datetime, payload: dict[str, Any]) -> Change:
    """Nothing was changed: the order is as it was."""
    told = {"order": held.public_id, "serial": held.serial, "version": held.version, "state": held.state.value}
    return Change("order.known", held.public_id, held.version, now, {**told, **payload})
