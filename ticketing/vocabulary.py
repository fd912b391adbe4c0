"""Vocabularies changed by administrators: an entry is added, renamed, closed from a day on, opened again or moved.

Nothing is ever taken away: a closed entry stays readable on the orders that have it and can be chosen no more (IN-03).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit, taxonomy
from ticketing.changes import Change
from ticketing.db import for_update
from ticketing.errors import Invalid, NotFound, Refused, Stale
from ticketing.roles import Action, Actor, require
from ticketing.taxonomy import KINDS, Taxonomies, taxonomy_node
from ticketing.text import checked

FIXED = frozenset({"channel", "coded_absence", "vip_class"})
"""Vocabularies whose codes the product acts on: their words may be changed, their entries not."""

KEPT: Mapping[str, frozenset[str]] = {
    "pause_reason": frozenset({"missed", "callback", "supervisor"}),
    "satisfaction": frozenset({"refused", "later"}),
    "duty": frozenset({"handle"}),
    "intervention_reason": frozenset({"withdrawn"}),
    "reassign_reason": frozenset({"shift"}),
}
"""Entries the product writes by itself: renamed at will, never closed or moved."""

#: branches above each other
DEEPEST = 5
#: characters of a whole code, as the narrowest column of an order takes it
LONGEST = 40
_NAME = re.compile(r"[a-z0-9_]{1,30}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as administrators see it; field names are those of the JSON."""

    kind: str
    code: str
    parent: str | None
    zh: str
    en: str
    place: int
    leaf: bool
    #: first and last day on which it may be chosen
    valid_from: date | None
    valid_to: date | None
    #: an administrator has written it: the data file changes it no more
    edited: bool
    #: the product acts on its code: only its words may be changed
    kept: bool
    version: int


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to be added."""

    kind: str
    #: last part of its code, [a-z0-9_]
    name: str
    zh: str
    en: str
    parent: str | None = None
    #: first day; None = at once
    valid_from: date | None = None


async def entries(conn: AsyncConnection, kind: str) -> list[Entry]:
    """Every entry of a vocabulary, closed ones too, in the order of the page; raises NotFound for an unknown one."""
    _known(kind)
    rows = await conn.execute(
        select(taxonomy_node).where(taxonomy_node.c.kind == kind).order_by(taxonomy_node.c.place, taxonomy_node.c.id)
    )
    return [_entry(row) for row in rows.mappings()]


async def add(conn: AsyncConnection, actor: Actor, given: NewEntry, now: datetime, *, today: date) -> Change:
    """Adds an entry under a branch or at the top; a leaf that gets one below it is a branch from then on.

    Raises Refused for a vocabulary the product acts on and for a code that is there, Invalid for words and names that
    cannot be.
    """
    _editor(actor, given.kind)
    _open_kind(given.kind)
    if not _NAME.fullmatch(given.name):
        raise Invalid("bad_entry_code", "letters, digits and underscores", field="name", allowed="a-z 0-9 _, 1-30")
    if given.valid_from is not None and given.valid_from < today:
        raise Invalid("in_the_past", "from today on", field="valid_from", earliest=today.isoformat())
    known = await taxonomy.read(conn)
    code = f"{given.parent}.{given.name}" if given.parent else given.name
    if len(code) > LONGEST:
        raise Invalid("too_long", f"the whole code has at most {LONGEST} characters", field="name", limit=LONGEST)
    if known.find(given.kind, code) is not None:
        raise Refused("code_is_there", f"{code!r} is there already", field="name", code_given=code)
    _check_parent(known, given.kind, given.parent)
    values = {
        "kind": given.kind,
        "code": code,
        "parent": given.parent,
        "zh": _words("zh", given.zh),
        "en": _words("en", given.en),
        "place": await _last(conn, given.kind) + 1,
        "leaf": True,
        "valid_from": given.valid_from,
        "changed_at": now,
        "edited": True,
        "version": 1,
    }
    await conn.execute(insert(taxonomy_node).values(values))
    await _set_leaves(conn, given.kind)
    said = {"parent": given.parent, "zh": values["zh"], "en": values["en"]}
    return await _tell(conn, actor, "taxonomy.added", given.kind, code, 1, said, now)


async def rename(  # noqa: PLR0917 - what is called how
    conn: AsyncConnection, actor: Actor, kind: str, code: str, version: int, zh: str, en: str, now: datetime
) -> Change:
    """Other words for an entry; its code, and so every order that has it, stays."""
    row = await _hold(conn, actor, kind, code, version)
    values = {"zh": _words("zh", zh), "en": _words("en", en)}
    said = {**values, "before": {"zh": row["zh"], "en": row["en"]}}
    return await _write(conn, actor, "taxonomy.renamed", row, values, now, said=said)


async def close(  # noqa: PLR0917 - what is closed from when
    conn: AsyncConnection, actor: Actor, kind: str, code: str, version: int, first: date | None, now: datetime,
    *, today: date,
) -> Change:  # fmt: skip
    """Closes an entry, and with it what is below it, from a day on; None opens it again.

    Raises Invalid for a day that is past, Refused for what the product writes by itself.
    """
    row = await _hold(conn, actor, kind, code, version)
    _may_go(kind, code)
    if first is not None and first < today:
        raise Invalid("in_the_past", "from today on", field="from_day", earliest=today.isoformat())
    last = None if first is None else first - timedelta(days=1)
    fact = "taxonomy.opened" if first is None else "taxonomy.closed"
    said = {"from": None if first is None else first.isoformat()}
    return await _write(conn, actor, fact, row, {"valid_to": last}, now, said=said)


async def move(  # noqa: PLR0917 - what goes where
    conn: AsyncConnection,
    actor: Actor,
    kind: str,
    code: str,
    version: int,
    parent: str | None,
    place: int | None,
    now: datetime,
) -> Change:
    """Hangs an entry, with what is below it, on another branch, or gives it another place among its neighbours.

    Raises Refused when it would hang on itself, Invalid for a branch that is not there or too deep.
    """
    row = await _hold(conn, actor, kind, code, version)
    _may_go(kind, code)
    known = await taxonomy.read(conn)
    if parent is not None and any(node.code == code for node in known.way(kind, parent)):
        raise Refused("circular", "an entry cannot hang on what is below it", field="parent", code_given=parent)
    _check_parent(known, kind, parent, below=_depth_below(known, kind, code))
    values: dict[str, Any] = {"parent": parent}
    if place is not None:
        values["place"] = place
    said = {"parent": parent, "place": place, "before": {"parent": row["parent"], "place": row["place"]}}
    change = await _write(conn, actor, "taxonomy.moved", row, values, now, said=said)
    await _set_leaves(conn, kind)
    return change


def _known(kind: str) -> None:
    if kind not in KINDS:
        raise NotFound(subject="taxonomy", id=kind, allowed=list(KINDS))


def _editor(actor: Actor, kind: str) -> None:
    require(actor, Action.ADMINISTER_SYSTEM)
    _known(kind)


def _open_kind(kind: str) -> None:
    if kind in FIXED:
        raise Refused("fixed_vocabulary", f"the product acts on the codes of {kind}", kind=kind, fixed=sorted(FIXED))


def _may_go(kind: str, code: str) -> None:
    _open_kind(kind)
    if code in KEPT.get(kind, frozenset()):
        raise Refused("fixed_vocabulary", f"the product writes {code!r} by itself", kind=kind, code_given=code)


def _words(name: str, value: str) -> str:
    found = checked(name, value, 64)
    if found is None:
        raise Invalid("missing", "words are needed", field=name)
    return found


def _check_parent(known: Taxonomies, kind: str, parent: str | None, *, below: int = 1) -> None:
    if parent is None:
        return
    way = known.way(kind, parent)
    if not way:
        raise Invalid("unknown_code", f"{parent!r} is not in {kind}", field="parent", code_given=parent)
    if len(way) + below > DEEPEST:
        raise Invalid("too_deep", f"at most {DEEPEST} levels", field="parent", limit=DEEPEST)


def _depth_below(known: Taxonomies, kind: str, code: str) -> int:
    """Levels from the entry down, itself included."""
    own = len(known.way(kind, code))
    return max(len(known.way(kind, each)) for each in known.below(kind, code)) - own + 1


async def _hold(conn: AsyncConnection, actor: Actor, kind: str, code: str, version: int) -> RowMapping:
    _editor(actor, kind)
    which = select(taxonomy_node).where(taxonomy_node.c.kind == kind, taxonomy_node.c.code == code)
    row = (await conn.execute(for_update(which))).mappings().first()
    if row is None:
        raise NotFound(subject="taxonomy", id=f"{kind}.{code}")
    if row["version"] != version:
        raise Stale(subject="taxonomy", id=f"{kind}.{code}", version=row["version"])
    return row


async def _write(  # noqa: PLR0917 - who did what to which, as in the audit
    conn: AsyncConnection,
    actor: Actor,
    fact: str,
    row: RowMapping,
    values: Mapping[str, Any],
    now: datetime,
    *,
    said: Mapping[str, Any],
) -> Change:
    version = row["version"] + 1
    done = await conn.execute(
        update(taxonomy_node)
        .where(taxonomy_node.c.id == row["id"], taxonomy_node.c.version == row["version"])
        .values(**values, edited=True, changed_at=now, version=version)
    )
    if done.rowcount != 1:
        raise Stale(subject="taxonomy", id=f"{row['kind']}.{row['code']}", version=row["version"])
    return await _tell(conn, actor, fact, row["kind"], row["code"], version, said, now)


async def _tell(  # noqa: PLR0917 - as above
    conn: AsyncConnection,
    actor: Actor,
    fact: str,
    kind: str,
    code: str,
    version: int,
    said: Mapping[str, Any],
    now: datetime,
) -> Change:
    subject = f"{kind}.{code}"
    await audit.record(conn, actor, fact, "taxonomy", subject, dict(said), now)
    return Change(fact, subject, version, now, {"kind": kind, "code": code})


async def _last(conn: AsyncConnection, kind: str) -> int:
    rows = await conn.scalars(select(taxonomy_node.c.place).where(taxonomy_node.c.kind == kind))
    return max(rows, default=-1)


async def _set_leaves(conn: AsyncConnection, kind: str) -> None:
    """A leaf is an entry nothing hangs on."""
    parents = list(
        await conn.scalars(
            select(taxonomy_node.c.parent)
            .where(taxonomy_node.c.kind == kind, taxonomy_node.c.parent.is_not(None))
            .distinct()
        )
    )
    of_kind = update(taxonomy_node).where(taxonomy_node.c.kind == kind)
    await conn.execute(of_kind.where(taxonomy_node.c.code.in_(parents)).values(leaf=False))
    await conn.execute(of_kind.where(taxonomy_node.c.code.not_in(parents)).values(leaf=True))


_FIELDS = tuple(Entry.__dataclass_fields__)


def _entry(row: RowMapping) -> Entry:
    kept = row["kind"] in FIXED or row["code"] in KEPT.get(row["kind"], frozenset())
    return Entry(**{name: row[name] for name in _FIELDS if name != "kept"}, kept=kept)
