"""The words of orders as an index that Chinese can be searched by, on every database alike (TL-72).

SQLite's and PostgreSQL's own full-text searches split no Chinese; the index holds pairs of characters instead, is
written in the transaction that changes the text, and answers by equality and ranges of one B-tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, false, insert, select
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


async def _texts(conn: AsyncConnection, order_id: int) -> list[str]:
    found = await conn.execute(
        select(customer.c.name, *(customer_order.c[name] for name in TEXTS))
        .select_from(customer_order)
        .outerjoin(customer, customer.c.id == customer_order.c.customer_id)
        .where(customer_order.c.id == order_id)
    )
    later = await conn.scalars(select(order_addendum.c.text).where(order_addendum.c.order_id == order_id))
    return [text for text in (*found.one(), *later) if text]


def conditions(wanted: str) -> Iterable[ColumnElement[bool]]:
    """What holds for orders that say all these words, in any of their texts.

    A Chinese phrase is found by its pairs; one character, and the last word of another script, by their beginning.
    Text without a letter or digit is said by no order.
    """
    terms = bigrams(wanted)
    if not terms:
        yield false()
    for place, term in enumerate(terms, start=1):
        whole = len(term) == 2 or (len(term) > 1 and place < len(terms))
        column = order_term.c.term
        fits = column == term if whole else and_(column >= term, column < after(term))
        yield customer_order.c.id.in_(select(order_term.c.order_id).where(fits))
