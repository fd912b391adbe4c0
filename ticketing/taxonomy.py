"""Vocabularies as dated trees: data files become rows, and only a living leaf may be chosen (IN-03, IN-04, G12)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Column, Date, Integer, String, Table, UniqueConstraint, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit
from ticketing.db import UtcDateTime, id_column, metadata
from ticketing.errors import Invalid
from ticketing.roles import SYSTEM, Actor

#: choices told in a refusal; a longer list is cut
ALLOWED_TOLD = 100

SAMPLE = Path(__file__).parent / "data" / "taxonomies.toml"

KINDS = (
    "business", "nature", "complaint_type", "complainant_type", "suggestion_category", "unit", "no_order_reason",
    "pause_reason", "reply_mode", "channel", "coded_absence", "vip_class", "disposition",
    "cause", "remedy", "satisfaction", "review_error", "order_pause_reason", "extension_reason", "duty",
    "reassign_reason", "disconnect_reason", "intervention_reason",
)  # fmt: skip
"""The vocabularies the product knows; what is in them is data."""

taxonomy_node = Table(
    "taxonomy_node",
    metadata,
    id_column(),
    Column("kind", String(32), nullable=False),
    Column("code", String(64), nullable=False),
    Column("parent", String(64)),
    Column("zh", String(64), nullable=False),
    Column("en", String(64), nullable=False),
    Column("place", Integer, nullable=False),
    Column("leaf", Boolean, nullable=False),
    Column("valid_from", Date),
    #: last day on which it may be chosen
    Column("valid_to", Date),
    Column("changed_at", UtcDateTime, nullable=False),
    #: an administrator has written it: the data file changes it no more
    Column("edited", Boolean, nullable=False, server_default=text("false")),
    Column("version", Integer, nullable=False, server_default="1"),
    UniqueConstraint("kind", "code", name="uq_taxonomy_node_kind_code"),
)


@dataclass(frozen=True, slots=True)
class Node:
    """One entry of a vocabulary."""

    kind: str
    #: dotted as it was made, `data.broadband`; it stays when the entry is moved or renamed
    code: str
    zh: str
    en: str
    #: order on the page
    place: int = 0
    leaf: bool = True
    #: first and last day on which it may be chosen; None = open
    valid_from: date | None = None
    valid_to: date | None = None
    #: code of the branch it hangs on; None = top
    parent: str | None = None

    def active(self, day: date) -> bool:
        """True when it may be chosen on that day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


class Taxonomies:
    """All vocabularies as read at one time: asked by rules and pages without another query."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._nodes = {(node.kind, node.code): node for node in sorted(nodes, key=lambda node: node.place)}

    def find(self, kind: str, code: str) -> Node | None:
        """The entry, living or retired: old orders keep their words."""
        return self._nodes.get((kind, code))

    def below(self, kind: str, code: str) -> list[str]:
        """The code and everything under it, retired entries too, for searches; empty when nobody knows it."""
        if (kind, code) not in self._nodes:
            return []
        return [known for of, known in self._nodes if of == kind and any(n.code == code for n in self.way(kind, known))]

    def way(self, kind: str, code: str) -> list[Node]:
        """The entry and the branches above it, from the entry up; empty when nobody knows it."""
        found: list[Node] = []
        node = self.find(kind, code)
        while node is not None and node not in found:
            found.append(node)
            node = self.find(kind, node.parent) if node.parent is not None else None
        return found

    def choosable(self, kind: str, day: date) -> list[str]:
        """Codes of the leaves that may be chosen on that day, in the order of the page."""
        return [
            code
            for of, code in self._nodes
            if of == kind and self._nodes[of, code].leaf and all(node.active(day) for node in self.way(kind, code))
        ]

    def label(self, kind: str, code: str | None, language: str = "zh") -> str:
        """Words for a page; an unknown code is shown as it is."""
        node = self.find(kind, code) if code else None
        return (node.en if language == "en" else node.zh) if node else (code or "")

    def check_leaf(self, kind: str, code: str, day: date, *, field: str | None = None) -> Node:
        """The entry, when it may be chosen on that day: a leaf in use below branches in use; raises Invalid naming the
        field and what may be chosen otherwise."""
        node = self.find(kind, code)
        allowed = self.choosable(kind, day)
        told: dict[str, Any] = {"field": field or kind, "code_given": code, "allowed": allowed[:ALLOWED_TOLD]}
        if node is None:
            raise Invalid("unknown_code", f"{code!r} is not in {kind}", **told)
        if not node.leaf:
            within = [each for each in allowed if each in self.below(kind, code)]
            raise Invalid(
                "not_a_leaf", f"{code!r} has finer entries in {kind}: choose one", **told | {"allowed": within}
            )
        if code not in allowed:
            raise Invalid("retired_code", f"{code!r} of {kind} is not in use on {day}", **told)
        return node

    def closed(self, day: date) -> dict[str, dict[str, dict[str, str]]]:
        """Words of what is not offered on that day, kind -> code -> label: old orders keep them."""
        found: dict[str, dict[str, dict[str, str]]] = {}
        for (kind, code), node in self._nodes.items():
            if not all(each.active(day) for each in self.way(kind, code)):
                found.setdefault(kind, {})[code] = {"zh": node.zh, "en": node.en}
        return found

    def tree(self, kind: str, day: date) -> list[dict[str, Any]]:
        """Living entries as nested `{code, label{zh,en}, children}`, in the order of the file."""
        living = [node for node in self._nodes.values() if node.kind == kind and node.active(day)]
        made: dict[str | None, list[dict[str, Any]]] = {None: []}
        for node in living:
            made[node.code] = []
        for node in living:
            below = made.get(node.parent)
            if below is not None:  # a living entry under a retired branch is not offered
                below.append({"code": node.code, "label": {"zh": node.zh, "en": node.en}, "children": made[node.code]})
        return made[None]

    def trees(self, day: date) -> dict[str, list[dict[str, Any]]]:
        """Every kind's tree."""
        return {kind: self.tree(kind, day) for kind in KINDS}


def parse(text: str, source: str = "taxonomies") -> list[Node]:
    """Entries of a data file; raises Invalid naming kind and code of what is wrong."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid("bad_taxonomy", f"{source}: {error}") from None
    nodes: list[Node] = []
    for kind, entries in document.items():
        if kind not in KINDS:
            raise Invalid("bad_taxonomy", f"{source}: unknown kind [{kind}]")
        codes = set(entries)
        branches = {code.rpartition(".")[0] for code in codes} - {""}
        for missing in sorted(branches - codes):
            raise Invalid("bad_taxonomy", f"{source}: [{kind}] has entries below {missing!r}, which is not there")
        nodes += [
            _node(kind, code, value, place=place, leaf=code not in branches, source=source)
            for place, (code, value) in enumerate(entries.items())
        ]
    return nodes


def _node(kind: str, code: str, value: object, *, place: int, leaf: bool, source: str) -> Node:
    given: dict[str, Any] = value if isinstance(value, dict) else {"label": value}
    label = given.get("label")
    if set(given) - {"label", "from", "to"} or not (
        isinstance(label, list) and len(label) == 2 and all(isinstance(each, str) and each.strip() for each in label)
    ):
        raise Invalid("bad_taxonomy", f'{source}: [{kind}] {code}: give ["中文", "English"]')
    first, last = dates = [given.get("from"), given.get("to")]
    if any(each is not None and type(each) is not date for each in dates):
        raise Invalid("bad_taxonomy", f"{source}: [{kind}] {code}: from and to are dates")
    parent = code.rpartition(".")[0] or None
    return Node(kind, code, label[0], label[1], place, leaf, first, last, parent)


async def load(
    conn: AsyncConnection, nodes: Iterable[Node], now: datetime, *, today: date, actor: Actor = SYSTEM
) -> tuple[int, int]:
    """Brings the rows to what the file says: adds, changes, retires what the file no longer has (last day: yesterday
    would hide today's orders, so `today`). What an administrator has added or changed is left as it is. Returns
    (changed, retired); the second load changes nothing.
    """
    edited = await _edited(conn)
    rows = await _read(conn)
    branches = {(node.kind, node.parent) for node in rows if (node.kind, node.code) in edited}
    wanted = {
        (node.kind, node.code): replace(node, leaf=node.leaf and (node.kind, node.code) not in branches)
        for node in nodes
        if (node.kind, node.code) not in edited
    }
    present = {(node.kind, node.code): node for node in rows if (node.kind, node.code) not in edited}
    fresh = [_values(node, now) for key, node in wanted.items() if key not in present]
    if fresh:
        await conn.execute(insert(taxonomy_node), fresh)
    changed = [node for key, node in wanted.items() if key in present and present[key] != node]
    loaded_kinds = {kind for kind, _ in wanted}
    gone = [
        node
        for key, node in present.items()
        if key not in wanted and node.kind in loaded_kinds and (node.valid_to is None or node.valid_to > today)
    ]
    for node in changed:
        await conn.execute(_at(node.kind, node.code).values(_values(node, now)))
    for node in gone:
        await conn.execute(_at(node.kind, node.code).values(valid_to=today, changed_at=now))
    if fresh or changed or gone:
        said = {"added": len(fresh), "changed": [f"{n.kind}.{n.code}" for n in changed],
                "retired": [f"{n.kind}.{n.code}" for n in gone]}  # fmt: skip
        await audit.record(conn, actor, "taxonomy.loaded", "taxonomy", "all", said, now)
    return len(fresh) + len(changed), len(gone)


async def read(conn: AsyncConnection) -> Taxonomies:
    """Every vocabulary, retired entries included."""
    return Taxonomies(await _read(conn))


async def leaf(conn: AsyncConnection, kind: str, code: str, day: date, *, field: str | None = None) -> Node:
    """One entry checked as `Taxonomies.check_leaf` does, with one query."""
    return Taxonomies(await _read(conn, kind)).check_leaf(kind, code, day, field=field)


async def _read(conn: AsyncConnection, kind: str | None = None) -> list[Node]:
    query = select(taxonomy_node)
    if kind is not None:
        query = query.where(taxonomy_node.c.kind == kind)
    return [
        Node(row.kind, row.code, row.zh, row.en, row.place, row.leaf, row.valid_from, row.valid_to, row.parent)
        for row in await conn.execute(query)
    ]


async def _edited(conn: AsyncConnection) -> frozenset[tuple[str, str]]:
    rows = await conn.execute(
        select(taxonomy_node.c.kind, taxonomy_node.c.code).where(taxonomy_node.c.edited.is_(True))
    )
    return frozenset((row.kind, row.code) for row in rows)


def _values(node: Node, now: datetime) -> dict[str, Any]:
    return {
        "kind": node.kind, "code": node.code, "parent": node.parent, "zh": node.zh, "en": node.en, "place": node.place,
        "leaf": node.leaf, "valid_from": node.valid_from, "valid_to": node.valid_to, "changed_at": now,
    }  # fmt: skip


def _at(kind: str, code: str) -> Any:
    return update(taxonomy_node).where(taxonomy_node.c.kind == kind, taxonomy_node.c.code == code)
