"""How right and how timely what came in writing or as a recording is entered: figures of each person (CL-02, CL-01)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.clocks.model import Clock, Outcome
from ticketing.clocks.tables import clock
from ticketing.errors import Invalid
from ticketing.orders.model import ReviewKind
from ticketing.orders.tables import customer_order, order_trail, review
from ticketing.orders.workflow import Verb
from ticketing.roles import Action, Actor, require

#: the longest time of one answer (default)
LONGEST: Final = timedelta(days=92)
_SENT_BACK: Final = "sent_back"
_DECIDED: Final = ("approved", _SENT_BACK, "invalid")


@dataclass(frozen=True, slots=True)
class Entered:
    """One order that somebody entered, as far as the figures need it."""

    by: str
    name: str
    received_at: datetime
    entered_at: datetime
    #: within two hours of the receipt (K3)
    in_time: bool
    #: a second person has looked at what was proposed of it, and how often he sent it back
    reviewed: bool
    sent_back: int
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntryFigures:
    """What one person entered in a time; field names are those of the JSON."""

    #: 工号 and name as they were at the last of them
    number: str
    name: str
    entered: int
    in_time: int
    late: int
    #: seconds from the receipt to the entry
    mean_s: float
    longest_s: float
    #: a second person has looked at it (RV-03)
    reviewed: int
    #: of these, sent back for correction at least once
    corrected: int
    #: leaf of taxonomy review_error -> how often it was given
    errors: Mapping[str, int] = field(default_factory=dict)


def count(rows: Iterable[Entered]) -> list[EntryFigures]:
    """Figures by person, in the order of their numbers. Pure."""
    of_person: defaultdict[str, list[Entered]] = defaultdict(list)
    for row in rows:
        of_person[row.by].append(row)
    return [_of(number, made) for number, made in sorted(of_person.items())]


def _of(number: str, made: list[Entered]) -> EntryFigures:
    took = [(row.entered_at - row.received_at).total_seconds() for row in made]
    in_time = sum(row.in_time for row in made)
    return EntryFigures(
        number=number,
        name=max(made, key=lambda row: row.entered_at).name,
        entered=len(made),
        in_time=in_time,
        late=len(made) - in_time,
        mean_s=sum(took) / len(took),
        longest_s=max(took),
        reviewed=sum(row.reviewed for row in made),
        corrected=sum(bool(row.sent_back) for row in made),
        errors=dict(sorted(Counter(code for row in made for code in row.errors).items())),
    )


async def read(conn: AsyncConnection, actor: Actor, since: datetime, until: datetime) -> list[EntryFigures]:
    """Figures of what was entered from `since` until before `until`: letters, fax, e-mail, texts of departments and
    recordings, by the clock of their entry, which stops with it (K3). What is only a draft is not entered yet; what
    lay for longer than `LONGEST` stands in no figure, but on the list of what is overdue.

    Raises Forbidden for who has no business with them, Invalid for a time that cannot be or is too long.
    """
    require(actor, Action.VIEW_ENTRY_FIGURES)
    if not since < until:
        raise Invalid("end_before_start", "it ends before it begins", field="to", earliest=since.isoformat())
    if until - since > LONGEST:
        raise Invalid("too_long", f"at most {LONGEST.days} days", field="to", limit=LONGEST.days)
    mine = (clock.c.code == Clock.ENTRY.value, clock.c.outcome != Outcome.VOID.value)
    when = (clock.c.started_at >= since - LONGEST, clock.c.started_at < until)  # the index; nothing is entered before
    entered = (*mine, *when, clock.c.stopped_at >= since, clock.c.stopped_at < until)
    query = (
        select(
            customer_order.c.id,
            customer_order.c.received_at,
            clock.c.stopped_at,
            clock.c.outcome,
            order_trail.c.actor_number,
            order_trail.c.actor_name,
        )
        .join(order_trail, order_trail.c.order_id == customer_order.c.id)
        .join(clock, clock.c.order_id == customer_order.c.id)
        .where(*entered, order_trail.c.action == Verb.SUBMIT.value)
        .order_by(clock.c.stopped_at, clock.c.id)
    )
    rows = (await conn.execute(query)).mappings().all()
    decided = (review.c.kind == ReviewKind.DISPATCH.value, review.c.state.in_(_DECIDED))
    looks: defaultdict[int, list[RowMapping]] = defaultdict(list)
    found = await conn.execute(
        select(review.c.order_id, review.c.state, review.c.error_codes)
        .join(clock, clock.c.order_id == review.c.order_id)
        .where(*entered, *decided)
    )
    for look in found.mappings():
        looks[look["order_id"]].append(look)
    return count(_entered(row, looks[row["id"]]) for row in rows)


def _entered(row: RowMapping, looks: Sequence[RowMapping]) -> Entered:
    back = [look for look in looks if look["state"] == _SENT_BACK]
    return Entered(
        by=row["actor_number"],
        name=row["actor_name"],
        received_at=row["received_at"],
        entered_at=row["stopped_at"],
        in_time=row["outcome"] == Outcome.MET.value,
        reviewed=bool(looks),
        sent_back=len(back),
        errors=tuple(code for look in back for code in look["error_codes"]),
    )
