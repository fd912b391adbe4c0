"""Use cases of administrators: a template is made, its draft written and published, it is retired. Never commit."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit, taxonomy
from ticketing.changes import Change
from ticketing.classification import check_cover
from ticketing.days import day_of
from ticketing.db import for_update
from ticketing.errors import Invalid, NotFound, Refused, Stale
from ticketing.processes import rules, store
from ticketing.processes.model import Content, Node, Template, Version, VersionState
from ticketing.processes.tables import process_node, process_template, process_template_version
from ticketing.roles import Action, Actor, require
from ticketing.text import checked

#: kinds of orders that are dispatched by a template
KINDS: Final = ("complaint", "suggestion", "appeal", "coordination")


@dataclass(frozen=True, slots=True)
class NewTemplate:
    """A template to be added, with an empty draft."""

    code: str
    kind: str
    zh: str
    en: str


async def add(conn: AsyncConnection, actor: Actor, given: NewTemplate, now: datetime) -> Change:
    """Adds a template; it makes nothing before its first version is published. Raises Refused for a code in use."""
    require(actor, Action.ADMINISTER_SYSTEM)
    if not rules.CODE.fullmatch(given.code):
        raise Invalid("bad_entry_code", "letters, digits, - and _", field="code", allowed="a-z 0-9 - _, 1-40")
    if given.kind not in KINDS:
        raise Invalid("unknown_code", "no such kind of order", field="kind", allowed=list(KINDS))
    names = {"name_zh": _words("zh", given.zh), "name_en": _words("en", given.en)}
    try:
        async with conn.begin_nested():
            made = await conn.execute(
                insert(process_template)
                .values(code=given.code, kind=given.kind, version=1, **names)
                .returning(process_template.c.id)
            )
    except IntegrityError:
        raise Refused(
            "code_is_there", f"{given.code!r} is there already", field="code", code_given=given.code
        ) from None
    await _new_draft(conn, made.scalar_one(), 1)
    return await _tell(conn, actor, "template.added", given.code, 1, {"kind": given.kind, **names}, now)


async def write(  # noqa: PLR0917 - who writes what
    conn: AsyncConnection, actor: Actor, code: str, version: int, content: Content, now: datetime
) -> Change:
    """Writes the draft as a whole; a template without one gets the next version as its draft.

    Raises Invalid for what could not be published.
    """
    template = await _hold(conn, actor, code, version)
    clean = await _checked(conn, content, now)
    draft = template.draft
    key = draft.key if draft else await _new_draft(conn, template.key, _next(template))
    values: dict[str, Any] = {"covers": [cover.plain for cover in clean.covers], "note": clean.note}
    values["settings"] = {} if clean.tracking_s is None else {"tracking_s": clean.tracking_s}
    await conn.execute(update(process_template_version).where(process_template_version.c.id == key).values(**values))
    await store.write_nodes(conn, key, clean)
    number = draft.number if draft else _next(template)
    said = {"number": number, "covers": values["covers"], "nodes": [_plain(node) for node in clean.nodes]}
    said["tracking_s"] = clean.tracking_s
    return await _bump(conn, actor, template, "template.draft_written", said, now)


async def publish(  # noqa: PLR0917 - who publishes what from when
    conn: AsyncConnection, actor: Actor, code: str, version: int, effective_at: datetime | None, now: datetime
) -> Change:
    """The draft becomes a version that never changes; orders registered from `effective_at` on follow it, those that
    began with another keep theirs (DP-14).

    Raises Refused without a draft and when another template covers the same orders, Invalid for a moment that is past
    and for a draft that is not complete.
    """
    template = await _hold(conn, actor, code, version)
    draft = template.draft
    if draft is None:
        raise Refused("no_draft", "there is nothing to publish: write a draft first", template=code)
    start = effective_at or now
    if start < now:
        raise Invalid("in_the_past", "from now on", field="effective_at", earliest=now.isoformat())
    content = await _checked(conn, Content(draft.covers, draft.nodes, draft.note, draft.tracking_s), now)
    await _covered_once(conn, template, content, start)
    for each in template.versions:
        if each.state(start) in {VersionState.IN_FORCE, VersionState.COMING}:
            await _retire(conn, each, start)
    done = {"published_at": now, "published_by": actor.number, "effective_at": start}
    await conn.execute(
        update(process_template_version).where(process_template_version.c.id == draft.key).values(**done)
    )
    said = {"number": draft.number, "effective_at": start.isoformat()}
    return await _bump(conn, actor, template, "template.published", said, now)


async def discard(conn: AsyncConnection, actor: Actor, code: str, version: int, now: datetime) -> Change:
    """Throws the draft away; raises Refused when there is none, or when the template has nothing else."""
    template = await _hold(conn, actor, code, version)
    draft = template.draft
    if draft is None:
        raise Refused("no_draft", "there is no draft", template=code)
    if len(template.versions) == 1:
        raise Refused("only_version", "the first draft is written, not thrown away", template=code)
    await conn.execute(delete(process_node).where(process_node.c.version_id == draft.key))
    await conn.execute(delete(process_template_version).where(process_template_version.c.id == draft.key))
    return await _bump(conn, actor, template, "template.draft_discarded", {"number": draft.number}, now)


async def retire(conn: AsyncConnection, actor: Actor, code: str, version: int, now: datetime) -> Change:
    """No newly registered order follows it any more; running ones go on. Raises Refused when none did."""
    template = await _hold(conn, actor, code, version)
    living = [each for each in template.versions if each.state(now) in {VersionState.IN_FORCE, VersionState.COMING}]
    if not living:
        raise Refused("not_in_force", "no version of it is in force", template=code)
    for each in living:
        await _retire(conn, each, now)
    said = {"numbers": [each.number for each in living]}
    return await _bump(conn, actor, template, "template.retired", said, now)


async def rename(  # noqa: PLR0917 - what is called how
    conn: AsyncConnection, actor: Actor, code: str, version: int, zh: str, en: str, now: datetime
) -> Change:
    """Other names; its code and its versions stay."""
    template = await _hold(conn, actor, code, version)
    names = {"name_zh": _words("zh", zh), "name_en": _words("en", en)}
    await conn.execute(update(process_template).where(process_template.c.id == template.key).values(**names))
    said = {**names, "before": {"zh": template.zh, "en": template.en}}
    return await _bump(conn, actor, template, "template.renamed", said, now)


async def _retire(conn: AsyncConnection, version: Version, at: datetime) -> None:
    """The only thing that is ever written to a published version: the moment it ends."""
    one = process_template_version.c.id == version.key
    await conn.execute(update(process_template_version).where(one).values(retired_at=at))


async def _checked(conn: AsyncConnection, content: Content, now: datetime) -> Content:
    """The content with its words as they are stored; raises Invalid naming what is wrong."""
    nodes = tuple(
        replace(
            node,
            zh=_words(f"nodes.{place}.zh", node.zh),
            en=_words(f"nodes.{place}.en", node.en),
            task=_text(f"nodes.{place}.task", node.task),
            workplace=checked(f"nodes.{place}.workplace", node.workplace, 60) if node.workplace else None,
        )
        for place, node in enumerate(content.nodes)
    )
    note = checked("note", content.note, 500, lines=True) if content.note else None
    clean = replace(content, nodes=nodes, note=note)
    rules.check(clean)
    words = await taxonomy.read(conn)
    for place, cover in enumerate(clean.covers):
        check_cover(words, cover, field=f"covers.{place}")
    for place, node in enumerate(clean.nodes):
        kind, code = ("unit", node.unit) if node.unit is not None else ("duty", node.duty or "")
        words.check_leaf(kind, code or "", day_of(now), field=f"nodes.{place}.{kind}")
    return clean


async def _covered_once(conn: AsyncConnection, template: Template, content: Content, start: datetime) -> None:
    """Raises Refused when another template of the kind has the very same line in force then."""
    mine = set(content.covers)
    for other in await store.every(conn):
        if other.key == template.key or other.kind != template.kind:
            continue
        for version in other.versions:
            if version.state(start) in {VersionState.IN_FORCE, VersionState.COMING} and mine & set(version.covers):
                same = sorted(mine & set(version.covers), key=str)[0]
                raise Refused("covered", "another template is for the same orders", by=other.code, cover=same.plain)


async def _new_draft(conn: AsyncConnection, template: int, number: int) -> int:
    made = await conn.execute(
        insert(process_template_version)
        .values(template_id=template, version=number, covers=[], settings={})
        .returning(process_template_version.c.id)
    )
    return int(made.scalar_one())


def _next(template: Template) -> int:
    return max((each.number for each in template.versions), default=0) + 1


async def _hold(conn: AsyncConnection, actor: Actor, code: str, version: int) -> Template:
    require(actor, Action.ADMINISTER_SYSTEM)
    row: RowMapping | None = (
        (await conn.execute(for_update(select(process_template).where(process_template.c.code == code))))
        .mappings()
        .first()
    )
    if row is None:
        raise NotFound(subject="template", id=code)
    if row["version"] != version:
        raise Stale(subject="template", id=code, version=row["version"])
    return await store.get(conn, code)


async def _bump(  # noqa: PLR0917 - who did what, as in the audit
    conn: AsyncConnection, actor: Actor, template: Template, fact: str, said: dict[str, Any], now: datetime
) -> Change:
    version = template.version + 1
    done = await conn.execute(
        update(process_template)
        .where(process_template.c.id == template.key, process_template.c.version == template.version)
        .values(version=version)
    )
    if done.rowcount != 1:
        raise Stale(subject="template", id=template.code, version=template.version)
    return await _tell(conn, actor, fact, template.code, version, said, now)


async def _tell(  # noqa: PLR0917 - as above
    conn: AsyncConnection, actor: Actor, fact: str, code: str, version: int, said: dict[str, Any], now: datetime
) -> Change:
    await audit.record(conn, actor, fact, "template", code, said, now)
    return Change(fact, code, version, now, said)


def _plain(node: Node) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(node).items()}


def _words(name: str, value: str) -> str:
    found = checked(name, value, 80)
    if found is None:
        raise Invalid("missing", "words are needed", field=name)
    return found


def _text(name: str, value: str) -> str:
    found = checked(name, value, 2000, lines=True)
    if found is None:
        raise Invalid("missing", "say what is to be done", field=name)
    return found
