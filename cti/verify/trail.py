"""N4: one owner of what lives, each version has its audit row, and the audit chain is whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Label, Select, Table, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.verify.model import Found, Place, Rule, Violation, rows
from ticketing import sealing
from ticketing.announcements.tables import announcement
from ticketing.audit import audit
from ticketing.callbacks.model import LISTED
from ticketing.callbacks.tables import callback
from ticketing.handover.adopting import ownerless
from ticketing.intake.tables import intake_item
from ticketing.orders.tables import customer_order, order_trail
from ticketing.orders.work_tables import work_order
from ticketing.papers.tables import paper
from ticketing.staff.tables import staff
from ticketing.surveys.tables import follow_up


@dataclass(frozen=True, slots=True)
class _Aggregate:
    #: as the audit calls it
    kind: str
    table: Table


_AUDITED: Final = (
    _Aggregate("order", customer_order),
    _Aggregate("item", intake_item),
    _Aggregate("callback", callback),
    _Aggregate("paper", paper),
    _Aggregate("follow_up", follow_up),
    _Aggregate("announcement", announcement),
)
#: told of an order, and no change of it: a card that a limit brings (MN-07)
_CARDS: Final = "clock.%"
_FAULTS: Final = {
    "missing": "the row is missing",
    "seal": "who, what or when of the row was changed after it was sealed",
    "payload": "what the row says was changed after it was sealed",
    "anchor": "the seal differs from the one kept outside the database",
    "tail": "rows are missing at the end, or the end was moved",
}


async def check(place: Place) -> Found:
    """Owners, versions against audit rows and trail, rows that vanished, and the chain."""
    async with place.database.read() as conn:
        for one in _AUDITED:
            if "owner_id" in one.table.c:
                async for found in _owners(conn, one):
                    yield found
            async for found in _versions(conn, one):
                yield found
            async for found in _vanished(conn, one):
                yield found
        async for found in _owners(conn, _Aggregate("work order", work_order)):
            yield found
        async for found in _trail(conn):
            yield found
        place.progress("audit rows", 0)
        async for found in _chain(conn, place):
            yield found


def _named(table: Table) -> Label[str]:
    """What people call a row: its number, where it has one."""
    return (table.c.serial if "serial" in table.c else table.c.public_id).label("name")


async def _owners(conn: AsyncConnection, one: _Aggregate) -> Found:
    """A person who is here or a queue, and not both (IN-23). Callbacks that wait for a person are looked at by N3."""
    table = one.table
    found = select(_named(table), table.c.owner_id, table.c.owner_queue, staff.c.number)
    query = found.outerjoin(staff, staff.c.id == table.c.owner_id).where(ownerless(table))
    if table is callback:
        query = query.where(table.c.state.not_in(sorted(LISTED)))
    async for row in rows(conn, query.order_by(table.c.id)):
        says = "it lives and nobody owns it"
        if row.owner_id is not None:
            both = row.owner_queue is not None
            says = "a person and a queue both own it" if both else f"its owner {row.number} has left"
        remedy = "`hotline verify --repair` gives it to its queue; or reassign it on the page"
        yield Violation(Rule.N4, f"{one.kind} {row.name}", says, remedy)


async def _versions(conn: AsyncConnection, one: _Aggregate) -> Found:
    table, name = one.table, _named(one.table)
    of_it = and_(audit.c.subject_kind == one.kind, audit.c.subject_id == table.c.public_id)
    query = (
        select(name, table.c.version, func.count(audit.c.id).label("audited"))
        .outerjoin(audit, and_(of_it, audit.c.verb.not_like(_CARDS)))
        .group_by(table.c.id, name, table.c.version)
        .having(func.count(audit.c.id) != table.c.version)
    )
    async for row in rows(conn, query.order_by(table.c.id)):
        yield Violation(
            Rule.N4,
            f"{one.kind} {row.name}",
            f"it is at version {row.version} and has {row.audited} audit rows",
            "find who writes to the database beside the service; compare with a backup",
        )


async def _vanished(conn: AsyncConnection, one: _Aggregate) -> Found:
    """What was audited and is there no more: nothing of the product removes it."""
    table = one.table
    query: Select[tuple[str]] = (
        select(audit.c.subject_id.label("name"))
        .distinct()
        .outerjoin(table, table.c.public_id == audit.c.subject_id)
        .where(audit.c.subject_kind == one.kind, table.c.id.is_(None))
    )
    async for row in rows(conn, query.order_by(audit.c.subject_id)):
        yield Violation(
            Rule.N4, f"{one.kind} {row.name}", "it has audit rows and is not there", "restore it from a backup"
        )


async def _trail(conn: AsyncConnection) -> Found:
    order = customer_order
    query = (
        select(_named(order), order.c.version, func.count(func.distinct(order_trail.c.version)).label("lines"))
        .outerjoin(order_trail, order_trail.c.order_id == order.c.id)
        .group_by(order.c.id, order.c.serial, order.c.version)
        .having(func.count(func.distinct(order_trail.c.version)) != order.c.version)
    )
    async for row in rows(conn, query.order_by(order.c.id)):
        yield Violation(
            Rule.N4,
            f"order {row.name}",
            f"it is at version {row.version} and its trail has {row.lines}",
            "the audit rows of the order say which step is missing",
        )


async def _chain(conn: AsyncConnection, place: Place) -> Found:
    if place.audit_key is None:
        sealed = await conn.scalar(select(audit.c.id).where(audit.c.seal_seq.is_not(None)).limit(1))
        if sealed is not None:
            yield Violation(
                Rule.N4, "audit", "its key is not there, so the chain cannot be verified", "restore secrets/audit_key"
            )
        return
    anchors = sealing.read_anchors(place.anchors) if place.anchors is not None else []
    verdict = await sealing.verify(conn, place.audit_key, anchors)
    for fault in verdict.faults:
        yield Violation(
            Rule.N4,
            f"{fault.chain} {fault.seq}",
            _FAULTS[fault.what],
            "compare with a backup: somebody changed the log past the service",
        )
    if place.running:
        late = await conn.scalar(
            select(func.count()).select_from(audit).where(audit.c.seal_seq.is_(None), audit.c.at < place.settled)
        )
        if late:
            yield Violation(
                Rule.N4,
                "audit",
                f"{late} rows wait to be sealed for more than a minute",
                "look for audit_not_sealed in the service's log",
            )
