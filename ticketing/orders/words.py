"""The words of orders as an index that Chinese can be searched by, on every database alike (TL-72).

SQLite's and PostgreSQL's own full-text searches split no Chinese; the index holds pairs of characters instead, is
written in the transaction that changes the text, and answers by equality and ranges of one B-tree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    delete,
    exists,
    false,
    func,
    insert,
    intersect,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.customers.tables import customer
from ticketing.orders.tables import customer_order, order_addendum, order_term
from ticketing.text import after, bigrams, index_terms

#: columns whose words are searched; the customer's name and his later words are searched with them
TEXTS: Final = (
    "contact_name",
    "contact_address",
    "event_place",
    "description",
    "verbatim",
    "wanted_result",
    "promise_text",
    "end_note",
)


def touched(values: Mapping[str, Any]) -> bool:
    """Whether a change of these columns changes what an order is found by."""
    return "customer_id" in values or any(name in values for name in TEXTS)


async def write(conn: AsyncConnection, order_id: int) -> None:
    """Brings the index to what the order says now, in the transaction that changed it: both are seen at once."""
    wanted = set(index_terms("\n".join(await _texts(conn, order_id))))
    kept = set(await conn.scalars(select(order_term.c.term).where(order_term.c.order_id == order_id)))
    if gone := kept - wanted:
        await conn.execute(delete(order_term).where(order_term.c.order_id == order_id, order_term.c.term.in_(gone)))
    if new := wanted - kept:
        await conn.execute(insert(order_term), [{"term": term, "order_id": order_id} for term in sorted(new)])


async def write_of_customer(conn: AsyncConnection, customer_id: int) -> None:
    """Brings the index to what all orders of a customer say now that he has another name."""
    of_his = select(customer_order.c.id).where(customer_order.c.customer_id == customer_id)
    for order_id in (await conn.scalars(of_his)).all():
        await write(conn, order_id)


async def _texts(conn: AsyncConnection, order_id: int) -> list[str]:
    found = await conn.execute(
        select(customer.c.name, *(customer_order.c[name] for name in TEXTS))
        .select_from(customer_order)
        .outerjoin(customer, customer.c.id == customer_order.c.customer_id)
        .where(customer_order.c.id == order_id)
    )
    later = await conn.scalars(select(order_addendum.c.text).where(order_addendum.c.order_id == order_id))
    return [text for text in (*found.one(), *later) if text]


#: up to so many orders are fetched and sorted; when more say the words, the newest orders are asked one after another
FEW: Final = 2_000
#: how far the orders of one word are counted, to begin with the rarest; a word more orders say is a common one
COMMON: Final = 20_000


@dataclass(frozen=True, slots=True)
class Said:
    """How orders that say some words are found."""

    conditions: tuple[ColumnElement[bool], ...]
    #: they are few: sorting them costs less than walking all orders by time
    few: bool


@dataclass(frozen=True, slots=True)
class Term:
    """One word to be found."""

    text: str
    #: nothing follows it: it may still be typed on
    last: bool

    @property
    def whole(self) -> bool:
        """Whether the index has it as it is: one character, and the last word of another script, only begin a term."""
        return len(self.text) == 2 or (len(self.text) > 1 and not self.last)

    def fits(self, column: ColumnElement[str]) -> ColumnElement[bool]:
        """Condition on a term of the index."""
        return column == self.text if self.whole else and_(column >= self.text, column < after(self.text))

    def said_by(self, order_id: ColumnElement[int]) -> ColumnElement[bool]:
        """Condition on an order."""
        other = order_term.alias()
        return exists().where(other.c.order_id == order_id, self.fits(other.c.term))


async def said(conn: AsyncConnection, wanted: str) -> Said:
    """What holds for orders that say all these words, in any of their texts.

    A Chinese phrase is found by its pairs; one character, and the last word of another script, by their beginning.
    Text without a letter or digit is said by no order. The orders of the rarest word are looked through in the index
    for the other words, or, when all are common, the lists of all words are read side by side; when few orders are left
    they are named, and when they are many the newest orders are asked first.
    """
    found = bigrams(wanted)
    terms = [Term(text, place == len(found)) for place, text in enumerate(found, start=1)]
    if not terms:
        return Said((false(),), few=True)
    counts = [await _count(conn, term) for term in terms]
    ids = list(await conn.scalars(_who_say(terms, counts)))
    if len(ids) <= FEW:
        return Said((customer_order.c.id.in_(ids),), few=True)
    return Said(tuple(term.said_by(customer_order.c.id) for term in terms), few=False)


def _who_say(terms: Sequence[Term], counts: Sequence[int]) -> Select[int] | CompoundSelect[int]:
    """Keys of the orders that say all terms, a few at most."""
    rarest = min(range(len(terms)), key=counts.__getitem__)
    first = select(order_term.c.order_id).where(terms[rarest].fits(order_term.c.term))
    rest = [term for place, term in enumerate(terms) if place != rarest]
    beside = [term for term in rest if term.whole] if counts[rarest] >= COMMON and terms[rarest].whole else []
    first = first.where(*(term.said_by(order_term.c.order_id) for term in rest if term not in beside))
    if not beside:
        return first.distinct().limit(FEW + 1)
    lists = (select(order_term.c.order_id).where(term.fits(order_term.c.term)) for term in beside)
    return intersect(first, *lists).order_by(first.selected_columns.order_id).limit(FEW + 1)


async def _count(conn: AsyncConnection, term: Term) -> int:
    """How many orders say it, as far as that matters."""
    some = select(order_term.c.order_id).where(term.fits(order_term.c.term)).limit(COMMON).subquery()
    return int(await conn.scalar(select(func.count()).select_from(some)) or 0)
