"""Searches of orders: every condition as SQL.

A condition is one entry of a table here and one field of the interface; any of them may be combined (AU-03, AU-04).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import taxonomy
from ticketing.customers.rules import normalise
from ticketing.customers.tables import customer
from ticketing.db import Unindexed
from ticketing.errors import Invalid
from ticketing.orders import specialists, words
from ticketing.orders.access import few_seen, visible, ways_to_wait
from ticketing.orders.listing import SORTS, Condition, O, Query
from ticketing.orders.model import Channel, Control, Kind, State, WorkOrderState
from ticketing.orders.tables import (
    commitment,
    order_reply,
    order_survey,
    order_trail,
    review,
    work_order,
)
from ticketing.orders.views import OrderFilter, Span
from ticketing.roles import Actor
from ticketing.staff.tables import staff

TREES: Final[Mapping[str, str]] = {
    "business": "business",
    "nature": "nature",
    "complaint_type": "complaint_type",
    "complainant_type": "complainant_type",
    "suggestion_category": "suggestion_category",
    "unit": "unit",
    "vip_class": "vip_class",
    "reply_mode": "reply_mode",
    "no_order_reason": "no_order_reason",
    "work_unit": "unit",
    "cause": "cause",
    "satisfaction": "satisfaction",
}
"""Conditions by a code of a vocabulary, and which one: a branch stands for every leaf below it, retired ones too."""

STAGES: Final = ("received", "reviewed", "dispatched", "handled", "replied", "surveyed", "acted")
"""Whose work may be asked for: 受理, 复核, 派单, 处理, 反馈, 回访, and any step at all."""

FLAGS: Final = ("urgent", "vip", "repeat", "paused", "fcr", "live")
"""What an order is or is not; `repeat` counts further contacts and repeats of an ended order."""

TIMES: Final = ("created", "received", "registered", "ended", "due", "event", "promised", "sent", "handled")
"""Key times: `sent` and `handled` are those of its work orders, `promised` that of an open promise."""

#: conditions that leave few orders over: what somebody is told to add when his search took too long
NARROWING: Final = ("serial", "number", "customer", "created_from", "created_to", "state", "business", "unit", "owner")


async def read(conn: AsyncConnection, actor: Actor, wanted: OrderFilter, now: datetime) -> Query:
    """Makes SQL of a search among the orders the actor may see; raises Invalid naming the condition that cannot be."""
    if wanted.sort not in SORTS:
        raise Invalid("unknown_code", "no such order", field="sort", allowed=sorted(SORTS))
    trees = await taxonomy.read(conn) if wanted.codes else None
    keys = list(_keys(wanted))
    found = [
        *_what(wanted),
        *_by_codes(wanted.codes, trees),
        *_who(actor, wanted),
        *_people(wanted.people),
        *_flags(wanted, now),
        *_times(wanted.times),
        visible(actor),
    ]
    ways = list(_ways(actor, wanted))
    if wanted.for_me:
        found.append(await specialists.routed(conn, actor, now))
    if wanted.words is not None:
        said = await words.said(conn, wanted.words)
        (keys if said.few else found).extend(said.conditions)
    if (few := await few_seen(conn, actor)) is not None:
        keys.append(few)
    if keys:  # by them few are found; at what else must hold these are looked at
        rest = [*found, *(or_(*each) for each in ways)]
        return Query((*keys, *(Unindexed(each) for each in rest)), wanted.sort, few=True)
    return Query(tuple(found), wanted.sort, live=_is_live(wanted), ways=tuple(ways))


#: an order number's first digits name few orders when there are so many of them
_FEW_DIGITS: Final = 3


def _keys(wanted: OrderFilter) -> Iterator[Condition]:
    """What finds few orders by an index of its own."""
    if wanted.serial is not None and len(wanted.serial) >= _FEW_DIGITS:
        yield _serial(wanted.serial)
    if wanted.work_serial is not None:
        yield _work_serial(wanted.work_serial)
    if wanted.operation_serial is not None:
        yield O.operation_serial == wanted.operation_serial
    if wanted.number is not None:
        key = normalise(wanted.number).key or wanted.number
        yield or_(by_number(key), O.service_number.in_([key, wanted.number]))
    if wanted.customer is not None:
        yield O.customer_id == select(customer.c.id).where(customer.c.public_id == wanted.customer).scalar_subquery()


def _serial(given: str) -> Condition:
    if not re.fullmatch(r"[0-9]{1,12}", given):
        raise Invalid("bad_serial", "an order number is digits only", field="serial")
    return O.serial.between(given, given.ljust(12, "9"))  # LIKE has no index


def _is_live(wanted: OrderFilter) -> bool:
    """Whether a condition leaves only orders that are open."""
    return bool(wanted.overdue or wanted.flags.get("live") or wanted.card in {"red", "yellow"})


def narrowing(given: Iterable[str]) -> list[str]:
    """What to add to a search that took too long, the most telling first."""
    return [name for name in NARROWING if name not in set(given)]


def _what(wanted: OrderFilter) -> Iterator[Condition]:
    """Of what kind it is, what it is called by, where it stands."""
    if wanted.state:
        yield O.state.in_(_known("state", wanted.state, State))
    if wanted.kind is not None:
        yield O.kind == _known("kind", (wanted.kind,), Kind)[0]
    if wanted.channel:
        yield O.channel.in_(_known("channel", wanted.channel, Channel))
    if wanted.serial is not None and len(wanted.serial) < _FEW_DIGITS:
        yield _serial(wanted.serial)
    if wanted.work_state:
        known = _known("work_state", wanted.work_state, WorkOrderState)
        yield _work(work_order.c.state.in_(known))
    if wanted.dnis is not None:
        yield O.dnis == wanted.dnis


def _who(actor: Actor, wanted: OrderFilter) -> Iterator[Condition]:
    """Whose it is: by the customer's name, and the owner's."""
    if wanted.name is not None:
        named = customer.alias()  # the list joins the row of `customer`
        called = named.c.name.contains(wanted.name, autoescape=True)
        itself = O.contact_name.contains(wanted.name, autoescape=True)
        yield or_(exists().where(named.c.id == O.customer_id, called), itself)
    if wanted.mine:
        yield O.owner_id == actor.staff_id


def _ways(actor: Actor, wanted: OrderFilter) -> Iterator[Sequence[Condition]]:
    """Of each of these one must hold; each is served by an index of its own, which their OR is not."""
    if wanted.for_me:
        yield ways_to_wait(actor)
    if wanted.owner is not None:
        yield O.owner_queue == wanted.owner, O.owner_id == _staff(wanted.owner)


def by_number(number: str) -> Condition:
    """Orders of a caller or contact number."""
    return or_(O.caller_number == number, O.contact_number == number)


def _by_codes(codes: Mapping[str, str], trees: taxonomy.Taxonomies | None) -> Iterator[Condition]:
    for name, code in codes.items():
        if name not in TREES:
            raise Invalid("unknown_field", f"orders have no {name}", field=name, allowed=sorted(TREES))
        assert trees is not None
        below = trees.below(TREES[name], code)
        if not below:
            raise Invalid("unknown_code", f"{code!r} is not in {TREES[name]}", field=name, code_given=code)
        if name == "work_unit":
            yield _work(work_order.c.unit.in_(below), work_order.c.state != WorkOrderState.PROPOSED.value)
        elif name == "cause":
            yield or_(_work(work_order.c.cause.in_(below)), _of(order_survey, order_survey.c.cause.in_(below)))
        elif name == "satisfaction":
            heard = _of(order_survey, order_survey.c.grade.in_(below))
            yield or_(heard, _of(order_reply, order_reply.c.satisfaction.in_(below)))
        else:
            yield O[name].in_(below)


_DID: Final[Mapping[str, Callable[[ColumnElement[Any]], Condition]]] = {
    "received": O.author_id.in_,
    "reviewed": lambda who: _of(review, review.c.reviewer_id.in_(who)),
    "dispatched": lambda who: _work(work_order.c.dispatched_by.in_(who)),
    "handled": lambda who: _of(order_trail, order_trail.c.work_order_id.is_not(None), order_trail.c.actor_id.in_(who)),
    "replied": lambda who: _of(order_reply, order_reply.c.staff_id.in_(who)),
    "surveyed": lambda who: _of(order_survey, order_survey.c.staff_id.in_(who)),
    "acted": lambda who: _of(order_trail, order_trail.c.actor_id.in_(who)),
}


def _people(people: Mapping[str, str]) -> Iterator[Condition]:
    for stage, number in people.items():
        if stage not in _DID:
            raise Invalid("unknown_field", f"there is no stage {stage}", field=f"{stage}_by", allowed=list(STAGES))
        yield _DID[stage](_staff(number))


def _flags(wanted: OrderFilter, now: datetime) -> Iterator[Condition]:
    live = O.ended_at.is_(None)
    made: Mapping[str, Condition] = {
        "urgent": O.urgent.is_(True),
        "vip": O.vip_class.is_not(None),
        "repeat": or_(O.repeat_no > 0, O.contact_no > 1),
        "paused": O.control == Control.PAUSED.value,
        "fcr": O.fcr.is_(True),
        "live": live,
    }
    for name, so in wanted.flags.items():
        if name not in made:
            raise Invalid("unknown_field", f"orders have no flag {name}", field=name, allowed=list(FLAGS))
        yield made[name] if so else or_(~made[name], made[name].is_(None))
    red = and_(live, O.due_at <= now)
    yellow = and_(live, O.warn_at <= now, O.due_at > now)
    if wanted.overdue or wanted.card == "red":
        yield red
    elif wanted.card == "yellow":
        yield yellow
    elif wanted.card == "none":
        yield or_(
            O.ended_at.is_not(None), O.due_at.is_(None), and_(O.due_at > now, or_(O.warn_at.is_(None), O.warn_at > now))
        )
    elif wanted.card is not None:
        raise Invalid("unknown_code", "no such card", field="card", allowed=["none", "yellow", "red"])


_AT: Final[Mapping[str, Callable[[Span], Condition]]] = {
    "created": lambda span: _within(O.created_at, span),
    "received": lambda span: _within(O.received_at, span),
    "registered": lambda span: _within(O.registered_at, span),
    "ended": lambda span: _within(O.ended_at, span),
    "due": lambda span: _within(O.due_at, span),
    "event": lambda span: _within(O.event_at, span),
    "promised": lambda span: _of(
        commitment,
        commitment.c.kept_at.is_(None),
        commitment.c.replaced_at.is_(None),
        _within(commitment.c.due_at, span),
    ),
    "sent": lambda span: _work(_within(work_order.c.sent_at, span)),
    "handled": lambda span: _work(_within(work_order.c.ended_at, span)),
}


def _times(times: Mapping[str, Span]) -> Iterator[Condition]:
    for name, span in times.items():
        if name not in _AT:
            raise Invalid("unknown_field", f"orders have no time {name}", field=f"{name}_from", allowed=list(TIMES))
        if span[0] is not None and span[1] is not None and span[0] >= span[1]:
            raise Invalid("empty_span", "the end must be after the beginning", field=f"{name}_to")
        yield _AT[name](span)


def _within(column: ColumnElement[datetime], span: Span) -> Condition:
    first, end = span
    return and_(*([column >= first] if first else []), *([column < end] if end else []), column.is_not(None))


def _work(*conditions: Condition) -> Condition:
    return _of(work_order, *conditions)


def _of(table: Any, *conditions: Condition) -> Condition:
    """Orders that have a row of this table."""
    return exists().where(table.c.order_id == O.id, *conditions)


def _work_serial(given: str) -> Condition:
    serial, _, number = given.partition("-")
    if not (serial.isascii() and serial.isdigit() and number.isascii() and number.isdigit() and len(number) <= 4):
        raise Invalid("bad_serial", "an order number, a dash, the work order's number", field="work_serial")
    return and_(O.serial == serial, _work(work_order.c.number == int(number)))


def _staff(number: str) -> Any:
    return select(staff.c.id).where(staff.c.number == number).scalar_subquery()


def _known(name: str, given: tuple[str, ...], words_of: Any) -> tuple[str, ...]:
    allowed = [each.value for each in words_of]
    if any(code not in allowed for code in given):
        raise Invalid("unknown_code", f"no such {name}", field=name, allowed=allowed)
    return given
