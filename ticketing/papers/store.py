"""All SQL of papers: rows locked and changed with their version, files, custody, and what pages read."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, case, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit
from ticketing.changes import Change
from ticketing.contacts.tables import contact_order
from ticketing.customers.tables import customer
from ticketing.db import for_update
from ticketing.errors import Invalid, NotFound, Stale
from ticketing.orders.tables import customer_order
from ticketing.pages import Page, check_limit, cursor_of, ordered
from ticketing.papers import rules
from ticketing.papers.model import (
    CHANNELS,
    WAITING,
    CustodyLine,
    Move,
    OrderRef,
    Original,
    Paper,
    PaperFile,
    PaperFilter,
    State,
)
from ticketing.papers.tables import paper, paper_custody, paper_file
from ticketing.roles import Actor
from ticketing.staff.tables import staff

_WAITING = sorted(state.value for state in WAITING)


@dataclass(frozen=True, slots=True)
class Held:
    """A paper's row under its lock."""

    id: int
    public_id: str
    version: int
    state: State
    original: Original
    #: every column
    row: Mapping[str, Any]


async def hold(conn: AsyncConnection, public_id: str, version: int | None = None) -> Held:
    """Locks a paper; raises NotFound, and Stale saying who was faster (F18)."""
    query = for_update(select(paper).where(paper.c.public_id == public_id))
    row = (await conn.execute(query)).mappings().first()
    if row is None:
        raise NotFound(subject="paper", id=public_id)
    held = Held(row["id"], row["public_id"], row["version"], State(row["state"]), Original(row["original"]), dict(row))
    if version is not None and held.version != version:
        raise _stale(held)
    return held


async def by_mail_number(conn: AsyncConnection, channel: str, mail_number: str) -> tuple[str, str] | None:
    """Public id and serial of the paper registered under this number; None when there is none."""
    which = select(paper.c.public_id, paper.c.serial).where(
        paper.c.channel == channel, paper.c.mail_number == mail_number
    )
    row = (await conn.execute(which)).first()
    return None if row is None else (row.public_id, row.serial)


async def add(conn: AsyncConnection, actor: Actor, values: Mapping[str, Any], now: datetime) -> Change:
    """Inserts a paper and audits it."""
    public_id = secrets.token_urlsafe(16)
    await conn.execute(insert(paper).values(public_id=public_id, version=1, **values))
    payload = {"serial": values["serial"], "state": values["state"], "channel": values["channel"], "version": 1}
    await audit.record(conn, actor, "paper.registered", "paper", public_id, payload, now)
    return Change("paper.registered", public_id, 1, now, payload)


async def write(  # noqa: PLR0917 - who did what to which, as in the audit
    conn: AsyncConnection,
    actor: Actor,
    fact: str,
    held: Held,
    values: Mapping[str, Any],
    now: datetime,
    *,
    said: Mapping[str, Any] | None = None,
) -> Change:
    """Changes the locked paper: columns, version and audit row, or nothing of it."""
    version = held.version + 1
    done = await conn.execute(
        update(paper)
        .where(paper.c.id == held.id, paper.c.version == held.version)
        .values(**values, version=version, changed_at=now, changed_by=actor.number)
    )
    if done.rowcount != 1:
        raise _stale(held)
    state = values.get("state", held.state.value)
    payload = {"serial": held.row["serial"], "state": state, "version": version, **(said or {})}
    await audit.record(conn, actor, fact, "paper", held.public_id, payload, now)
    return Change(fact, held.public_id, version, now, payload)


async def add_custody(  # noqa: PLR0917 - a line of the register as it is read
    conn: AsyncConnection,
    paper_id: int,
    move: Move,
    by: str,
    to: str | None,
    now: datetime,
    *,
    place: str | None = None,
    note: str | None = None,
) -> None:
    """Writes one line of the originals register."""
    line = {"paper_id": paper_id, "at": now, "move": move.value, "by": by, "to": to, "place": place, "note": note}
    await conn.execute(insert(paper_custody).values(line))


async def add_file(conn: AsyncConnection, values: Mapping[str, Any]) -> str:
    """Inserts a file's row; its public id."""
    public_id = secrets.token_urlsafe(16)
    await conn.execute(insert(paper_file).values(public_id=public_id, **values))
    return public_id


async def file_with(conn: AsyncConnection, paper_id: int, sha256: str) -> str | None:
    """Public id of the file with this content that the paper has already."""
    which = select(paper_file.c.public_id).where(paper_file.c.paper_id == paper_id, paper_file.c.sha256 == sha256)
    found = await conn.scalar(which)
    return None if found is None else str(found)


async def count_files(conn: AsyncConnection, paper_id: int) -> int:
    """How many files the paper has."""
    counted = select(func.count()).select_from(paper_file).where(paper_file.c.paper_id == paper_id)
    return int((await conn.execute(counted)).scalar_one())


def _stale(held: Held) -> Stale:
    by, at = held.row["changed_by"], held.row["changed_at"].isoformat()
    return Stale(subject="paper", id=held.public_id, version=held.version, by=by, at=at)


# -- what pages read -------------------------------------------------------------------------------------------------


def _papers() -> Select[Any]:
    return (
        select(
            paper,
            customer.c.public_id.label("customer_public_id"),
            customer.c.name.label("customer_name"),
            customer.c.vip_class.label("vip_class"),
            staff.c.number.label("owner_number"),
        )
        .outerjoin(customer, customer.c.id == paper.c.customer_id)
        .outerjoin(staff, staff.c.id == paper.c.owner_id)
    )


async def get(conn: AsyncConnection, public_id: str, now: datetime) -> Paper:
    """One paper with its files, its custody and the orders it became; raises NotFound."""
    row = (await conn.execute(_papers().where(paper.c.public_id == public_id))).mappings().first()
    if row is None:
        raise NotFound(subject="paper", id=public_id)
    lines = await conn.execute(
        select(paper_custody).where(paper_custody.c.paper_id == row["id"]).order_by(paper_custody.c.id)
    )
    custody = tuple(
        CustodyLine(line["at"], line["move"], line["by"], line["to"], line["place"], line["note"])
        for line in lines.mappings()
    )
    files = (await _files(conn, paper_file.c.paper_id == row["id"])).get(row["id"], ())
    return (await _joined(conn, [row], now, files={row["id"]: files}, custody={row["id"]: custody}))[0]


async def search(
    conn: AsyncConnection,
    actor: Actor,
    wanted: PaperFilter,
    now: datetime,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Paper]:
    """Papers by remaining time, the shortest first; where nothing waits the newest first."""
    query = _papers().where(*_conditions(actor, wanted, now))
    over = bool(wanted.state) and WAITING.isdisjoint(wanted.state)
    filed = bool(wanted.original) and {Original.CLERK, Original.HANDED}.isdisjoint(wanted.original)
    query = ordered(query, paper.c.due_at, paper.c.id, cursor, newest_first=over or filed)
    rows = (await conn.execute(query.limit(check_limit(limit) + 1))).mappings().all()
    shown = rows[:limit]
    more = cursor_of(shown[-1]["due_at"], shown[-1]["id"]) if len(rows) > limit else None
    return Page(tuple(await _joined(conn, shown, now)), more)


async def waiting(conn: AsyncConnection, now: datetime) -> tuple[int, int, int]:
    """How many papers no clerk has, how many are past their two hours, how many originals wait for a receipt."""
    new = case((paper.c.state == State.NEW.value, 1), else_=0)
    late = case((and_(paper.c.state.in_(_WAITING), paper.c.due_at <= now), 1), else_=0)
    handed = case((paper.c.original == Original.HANDED.value, 1), else_=0)
    counted = select(*(func.coalesce(func.sum(each), 0) for each in (new, late, handed)))
    which = or_(paper.c.state.in_(_WAITING), paper.c.original == Original.HANDED.value)
    row = (await conn.execute(counted.where(which))).one()
    return int(row[0]), int(row[1]), int(row[2])


async def overdue_between(conn: AsyncConnection, after: datetime, until: datetime) -> list[tuple[str, str, str]]:
    """Papers still to be entered whose limit fell into this time: public id, serial, 工号 of the clerk or empty."""
    rows = await conn.execute(
        select(paper.c.public_id, paper.c.serial, func.coalesce(staff.c.number, "").label("owner"))
        .outerjoin(staff, staff.c.id == paper.c.owner_id)
        .where(paper.c.state.in_(_WAITING), paper.c.due_at > after, paper.c.due_at <= until)
        .order_by(paper.c.due_at)
    )
    return [(row.public_id, row.serial, row.owner) for row in rows]


async def file_of_paper(conn: AsyncConnection, public_id: str, file_id: str) -> tuple[PaperFile, str]:
    """A paper's file and its key in the store; raises NotFound."""
    which = and_(
        paper_file.c.public_id == file_id,
        paper_file.c.paper_id.in_(select(paper.c.id).where(paper.c.public_id == public_id)),
    )
    return await _one_file(conn, which, file_id)


async def files_of_order(conn: AsyncConnection, order_id: int) -> tuple[PaperFile, ...]:
    """Scans of every paper an order came from; whether it may be seen was asked before."""
    found = await _files(conn, paper_file.c.paper_id.in_(_of_order(order_id)))
    return tuple(file for files in found.values() for file in files)


async def file_of_order(conn: AsyncConnection, order_id: int, file_id: str) -> tuple[PaperFile, str]:
    """A scan of an order's paper and its key in the store; raises NotFound."""
    which = and_(paper_file.c.public_id == file_id, paper_file.c.paper_id.in_(_of_order(order_id)))
    return await _one_file(conn, which, file_id)


async def known_files(conn: AsyncConnection) -> list[tuple[str, str, int]]:
    """Key, SHA-256 and size of every file (CL-02)."""
    rows = await conn.execute(select(paper_file.c.key, paper_file.c.sha256, paper_file.c.size))
    return [(row.key, row.sha256, row.size) for row in rows]


def _of_order(order_id: int) -> Select[tuple[int]]:
    """Papers an order came from, by their contact; a merged draft's paper moves with it (T38)."""
    return (
        select(paper.c.id)
        .join(contact_order, contact_order.c.contact_id == paper.c.contact_id)
        .where(contact_order.c.order_id == order_id)
    )


async def _one_file(conn: AsyncConnection, which: ColumnElement[bool], file_id: str) -> tuple[PaperFile, str]:
    row = (await conn.execute(select(paper_file).where(which))).mappings().first()
    if row is None:
        raise NotFound(subject="file", id=file_id)
    return _file(row), str(row["key"])


async def _files(conn: AsyncConnection, which: ColumnElement[bool]) -> dict[int, tuple[PaperFile, ...]]:
    rows = (await conn.execute(select(paper_file).where(which).order_by(paper_file.c.id))).mappings()
    found: dict[int, tuple[PaperFile, ...]] = {}
    for row in rows:
        found[row["paper_id"]] = (*found.get(row["paper_id"], ()), _file(row))
    return found


def _file(row: RowMapping) -> PaperFile:
    return PaperFile(
        row["public_id"], row["name"], row["media_type"], row["size"], row["sha256"], row["added_at"], row["added_by"]
    )


def _conditions(actor: Actor, wanted: PaperFilter, now: datetime) -> list[ColumnElement[bool]]:
    _check(wanted.state, [state.value for state in State], "state")
    _check(wanted.original, [each.value for each in Original], "original")
    _check((wanted.channel,) if wanted.channel else (), [each.value for each in CHANNELS], "channel")
    found: list[ColumnElement[bool]] = []
    if wanted.state or not (wanted.original or wanted.serial or wanted.text):
        found.append(paper.c.state.in_(wanted.state or _WAITING))
    if wanted.original:
        found.append(paper.c.original.in_(wanted.original))
    if wanted.channel is not None:
        found.append(paper.c.channel == wanted.channel)
    if wanted.serial is not None:
        found.append(paper.c.serial == wanted.serial)
    if wanted.text is not None:
        within = (paper.c.sender, paper.c.subject, paper.c.mail_number, paper.c.place)
        found.append(or_(*(column.contains(wanted.text, autoescape=True) for column in within)))
    if wanted.mine:
        found.append(paper.c.owner_id == actor.staff_id)
    if wanted.overdue:
        found += [paper.c.due_at <= now, paper.c.ended_at.is_(None)]
    return found


def _check(given: Sequence[str], known: Sequence[str], field: str) -> None:
    if not set(given) <= set(known):
        raise Invalid("unknown_code", f"no such {field}", field=field, allowed=list(known))


_SAME = frozenset(Paper.__dataclass_fields__) & {column.name for column in paper.c} - {"id", "customer_id"}


async def _joined(
    conn: AsyncConnection,
    rows: Sequence[RowMapping],
    now: datetime,
    *,
    files: Mapping[int, tuple[PaperFile, ...]] | None = None,
    custody: Mapping[int, tuple[CustodyLine, ...]] | None = None,
) -> list[Paper]:
    """The papers with their orders in one more query: an order belongs to the paper's own contact."""
    orders: dict[int, tuple[OrderRef, ...]] = {}
    if rows:
        found = await conn.execute(
            select(
                contact_order.c.contact_id, customer_order.c.public_id, customer_order.c.serial, customer_order.c.state
            )
            .join(customer_order, customer_order.c.id == contact_order.c.order_id)
            .where(contact_order.c.contact_id.in_([row["contact_id"] for row in rows]))
            .order_by(customer_order.c.id)
        )
        for each in found:
            ref = OrderRef(each.public_id, each.serial, each.state)
            orders[each.contact_id] = (*orders.get(each.contact_id, ()), ref)
    return [
        _paper(
            row,
            now,
            orders=orders.get(row["contact_id"], ()),
            files=(files or {}).get(row["id"], ()),
            custody=(custody or {}).get(row["id"], ()),
        )
        for row in rows
    ]


def _paper(
    row: RowMapping,
    now: datetime,
    *,
    orders: tuple[OrderRef, ...],
    files: tuple[PaperFile, ...],
    custody: tuple[CustodyLine, ...],
) -> Paper:
    ended, handed = row["ended_at"], row["handed_at"]
    has_original = row["original"] != Original.NONE.value
    handed_over = rules.outcome(row["due_at"], handed)
    return Paper(
        **{name: row[name] for name in _SAME},
        id=row["public_id"],
        customer_id=row["customer_public_id"],
        customer_name=row["customer_name"],
        vip_class=row["vip_class"],
        card=rules.card(row["due_at"], row["warn_at"], ended, now).value,
        overdue=ended is None and row["due_at"] <= now,
        owner=row["owner_queue"] or row["owner_number"] if ended is None else None,
        original_card=rules.card(row["due_at"], row["warn_at"], handed, now).value if has_original else "none",
        original_outcome=handed_over.value if handed_over else None,
        files=files,
        custody=custody,
        orders=orders,
    )
