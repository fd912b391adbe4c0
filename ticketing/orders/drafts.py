"""Pieces the intake actions share: the customer's snapshot, checked fields, and the clocks a step turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import serial_digits, taxonomy
from ticketing.clocks import store as clocks
from ticketing.clocks.model import Anchor, Clock
from ticketing.clocks.store import NewClock
from ticketing.customers import store as customers
from ticketing.customers.model import Customer
from ticketing.days import day_of
from ticketing.errors import Forbidden, Invalid, NotFound, Refused
from ticketing.orders import fields, form_templates, forms, rules
from ticketing.orders.inputs import EditDraft
from ticketing.orders.ledger import Held
from ticketing.orders.model import PAPER, Absence, Channel, Kind, State
from ticketing.orders.tables import customer_order
from ticketing.orders.workflow import Decision, Situation
from ticketing.roles import Action, Actor, may


async def customer_of(conn: AsyncConnection, public_id: str) -> Customer:
    """The customer a person names; raises NotFound with the field."""
    found = await customers.get(conn, public_id)
    if found is None:
        raise NotFound(subject="customer", id=public_id, field="customer")
    return found


async def caller(conn: AsyncConnection, public_id: str | None, number: str | None) -> Customer | None:
    """The customer of a call: the one named if he is there, else the only one with this number; of several none is
    guessed (TL-04), and nothing here keeps a draft from being made."""
    found = None if public_id is None else await customers.get(conn, public_id)
    if found is None and number is not None:
        found = await customers.only_with(conn, number)
    return found


def snapshot(customer: Customer | None) -> dict[str, Any]:
    """What an order keeps of the customer as he was (IN-07), and what saves the agent typing."""
    if customer is None:
        return {"customer_id": None, "vip_class": None}
    return {
        "customer_id": customer.id,
        "vip_class": customer.vip_class,
        "complainant_type": customer.complainant_type,
        "contact_name": customer.name,
        "contact_address": customer.address,
    }


def mine(actor: Actor, held: Held) -> None:
    """A draft is written by its owner; one that lies in a queue by whoever takes it up, in the seniors' queue by
    whoever may handle VIPs (RT-03). Raises Forbidden."""
    owner = held.row["owner_id"]
    if held.state is State.DRAFT and held.row["owner_queue"] == "senior" and not may(actor.posts, Action.HANDLE_VIP):
        raise Forbidden("not_your_draft", "this draft waits for a senior", order=held.public_id)
    if held.state is State.DRAFT and owner is not None and owner != actor.staff_id:
        raise Forbidden("not_your_draft", "this draft is somebody else's", order=held.public_id)


def of_vip(kind: str | None, vip_class: str | None) -> bool:
    """The complaint of a VIP, or a call of his that nobody has classified yet (RT-03)."""
    return vip_class is not None and kind in (None, Kind.COMPLAINT.value)


def situation(held: Held, **more: Any) -> Situation:
    """What the interpreter must know of this order; `more` is what only the action knows."""
    row = held.row
    return Situation(
        state=held.state,
        kind=held.kind,
        control=held.control,
        paper=Channel(row["channel"]) in PAPER,
        at_once=bool(row["urgent"] or row["vip_class"]),
        promised=row["promise_due_at"] is not None,
        missing=rules.missing(held.kind, row, row["coded"], row["form"]),
        **more,
    )


async def turn(
    conn: AsyncConnection,
    held: Held,
    decision: Decision,
    now: datetime,
    *,
    cycle: int | None = None,
    promise: datetime | None = None,
) -> None:
    """Starts and stops the clocks of a step; `cycle` is the one the step begins, `promise` the time told with it.

    The dispatch hour's second start is the senior's first receipt: what comes back to him does not begin it anew (G4).
    """
    verb = decision.transition.verb.value
    for counts in (True, False):
        codes = [stop.clock for stop in decision.stops if stop.void is not counts]
        if codes:
            await clocks.stop(conn, held.id, now, verb, codes=codes, counts=counts)
    if decision.stop_all:
        await clocks.stop(conn, held.id, now, verb, counts=decision.stop_all != "void")
    begun = [
        NewClock(
            code=start.clock,
            started_at=held.row["received_at"] if start.from_receipt else now,
            reason=verb,
            anchor=start.anchor,
            given=(promise or held.row["promise_due_at"]) if start.clock is Clock.PROMISE else None,
            cycle=cycle or held.row["cycle"],
        )
        for start in decision.starts
        if start.anchor is not Anchor.B or not await clocks.runs(conn, held.id, start.clock, start.anchor)
    ]
    await clocks.start(conn, held.id, begun)


async def written(conn: AsyncConnection, held: Held, given: EditDraft, now: datetime) -> dict[str, Any]:
    """Columns an edit changes, each checked; empty when it changes nothing."""
    values: dict[str, Any] = {}
    for name, value in given.fields.items():
        if name == "customer":
            values |= await _customer(conn, held, value, given.fields)
        elif name == "repeat_of":
            values |= await _repeat(conn, held, value)
        else:
            values[name] = fields.parse(name, value, now)
            if fields.FIELDS[name].kind is fields.FieldKind.LEAF and values[name] is not None:
                await taxonomy.leaf(conn, name, values[name], day_of(now), field=name)
            _not_nothing(name, values[name])
    kind = values.get("kind", held.row["kind"])
    if "urgent" in values and kind == Kind.SUGGESTION.value and values["urgent"]:
        raise Invalid("not_urgent", "a suggestion is not urgent", field="urgent")
    coded = _coded(held, given, values)
    values |= await _fitted(conn, held, given, values, coded)
    if coded != held.row["coded"]:
        values["coded"] = coded
    return {name: value for name, value in values.items() if value != held.row[name]}


async def _fitted(
    conn: AsyncConnection, held: Held, given: EditDraft, values: Mapping[str, Any], coded: Mapping[str, str]
) -> dict[str, Any]:
    """The template of the draft as it is now written, and what that fills in (IN-05, IN-16)."""
    after = {**held.row, **values}
    if all(after[name] == held.row[name] for name in forms.SELECTORS):
        return {}
    before = held.row["form"]
    template = await form_templates.fitting(conn, after)
    taken = forms.prefilled(template, before, {**after, **given.fields}, coded)
    said = {name: value for name, value in taken.items() if name not in given.fields}
    return {**said, "form": forms.kept(template)}


async def refit(conn: AsyncConnection, held: Held) -> Held:
    """The draft with the template as it is at this moment: an administrator may have changed it since (IN-05)."""
    return replace(held, row={**held.row, "form": forms.kept(await form_templates.fitting(conn, held.row))})


def _not_nothing(name: str, value: object) -> None:
    """Raises Invalid for 无 and its like where "refused" and "not applicable" can be said (IN-17)."""
    prose = fields.FIELDS[name].kind in {fields.FieldKind.TEXT, fields.FieldKind.LINES}
    if prose and name in rules.CODEABLE and isinstance(value, str) and rules.says_nothing(value):
        raise Invalid(
            "says_nothing", "say why there is none instead", field=name, allowed=[each.value for each in Absence]
        )


async def check_leaves(conn: AsyncConnection, held: Held, now: datetime) -> None:
    """Every entry the draft names can still be chosen on the day it is submitted; raises Invalid with the field."""
    for name, rule in fields.FIELDS.items():
        if rule.kind is fields.FieldKind.LEAF and held.row[name] is not None:
            await taxonomy.leaf(conn, name, held.row[name], day_of(now), field=name)


def _coded(held: Held, given: EditDraft, values: Mapping[str, Any]) -> dict[str, str]:
    """Codes for what the customer would not or could not say; a field that is filled loses its code (IN-17)."""
    coded: dict[str, str] = dict(held.row["coded"])
    for name, code in given.coded.items():
        if name not in rules.CODEABLE:
            raise Invalid("not_codeable", "this must be filled in", field=name, allowed=sorted(rules.CODEABLE))
        if code is None:
            coded.pop(name, None)
            continue
        if not rules.is_absence(code):
            raise Invalid("unknown_code", "not a reason for leaving it out", field=name, code_given=code)
        if values.get(name) is not None:
            raise Invalid("filled_and_coded", "it is filled in and left out at once", field=name)
        coded[name] = code
    for name in list(coded):
        if name in values and values[name] is not None:
            del coded[name]
        elif name in given.coded and held.row[name] is not None and name not in values:
            raise Invalid("filled_and_coded", "empty it first", field=name)
    return coded


async def _customer(conn: AsyncConnection, held: Held, value: object, others: Mapping[str, object]) -> dict[str, Any]:
    """Another customer: his class and type are the order's now; what the agent typed stays."""
    if value is not None and not isinstance(value, str):
        raise Invalid("not_text", "a customer's id is expected", field="customer")
    taken = snapshot(await customer_of(conn, value) if value else None)
    typed = {"contact_name", "contact_address"}
    return {
        name: new
        for name, new in taken.items()
        if name not in others and not (name in typed and held.row[name] is not None)
    }


async def _repeat(conn: AsyncConnection, held: Held, value: object) -> dict[str, Any]:
    """The draft is a repeat of an ended order: counted, and up in priority (RT-06, G15); linked when submitted."""
    if value is None:
        return {"repeat_of_id": None, "repeat_no": 0, "priority": 0}
    if not isinstance(value, str) or not serial_digits.valid(value):
        raise Invalid("bad_serial", "this order number is mistyped: its check digit is wrong", field="repeat_of")
    found = await conn.execute(
        select(customer_order.c.id, customer_order.c.state, customer_order.c.repeat_no).where(
            customer_order.c.serial == value
        )
    )
    earlier = found.first()
    if earlier is None or rules.never_was(State(earlier.state)):
        raise NotFound(subject="order", serial=value, field="repeat_of")
    if not rules.is_over(State(earlier.state)):
        raise Refused("still_open", "that order is open: merge this call into it", field="repeat_of", serial=value)
    return {"repeat_of_id": earlier.id, "repeat_no": earlier.repeat_no + 1, "priority": 1}
