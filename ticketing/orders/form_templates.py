"""Templates of orders and common phrases as rows: loaded from a data file, changed by administrators, picked by orders.

Nothing is taken away: what is retired stays readable and is offered no more (IN-05, IN-16).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import RowMapping, Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit, taxonomy
from ticketing.changes import Change
from ticketing.days import day_of
from ticketing.db import for_update
from ticketing.errors import Invalid, NotFound, Refused, Stale
from ticketing.orders import forms, rules
from ticketing.orders.fields import FIELDS, FieldKind
from ticketing.orders.form_tables import order_template, phrase
from ticketing.orders.forms import Template
from ticketing.orders.model import Kind
from ticketing.roles import SYSTEM, Action, Actor, require
from ticketing.taxonomy import Taxonomies
from ticketing.text import checked

SHIPPED: Final = Path(__file__).parent.parent / "data" / "order_forms.toml"

_CODE = re.compile(r"[a-z0-9_-]{1,40}")
KINDS: Final = (Kind.COMPLAINT, Kind.SUGGESTION, Kind.INQUIRY)
"""Kinds that have templates."""

_KINDS: Final = tuple(kind.value for kind in KINDS)
_PROMPT: Final = 120
_WORDS: Final = 500


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words often used, offered for one element (IN-16)."""

    code: str
    field: str
    zh: str
    en: str
    #: leaf or branch; None: every type of complaint
    complaint_type: str | None = None
    place: int = 0
    version: int = 1


@dataclass(frozen=True, slots=True)
class Listed:
    """A template or a phrase as administrators see it."""

    value: Template | Phrase
    retired: bool
    edited: bool


def parse(text: str) -> tuple[list[Template], list[Phrase]]:
    """Templates and phrases of a data file; raises Invalid naming what is wrong."""
    document = tomllib.loads(text)
    templates = [
        Template(
            code=code,
            kind=given["kind"],
            zh=given["label"][0],
            en=given["label"][1],
            complaint_type=given.get("complaint_type"),
            business=given.get("business"),
            asks=given.get("asks", {}),
            prefill=given.get("prefill", {}),
            prompts={name: {"zh": said[0], "en": said[1]} for name, said in given.get("prompts", {}).items()},
        )
        for code, given in document.get("template", {}).items()
    ]
    phrases = [
        Phrase(code, given["field"], given["words"][0], given["words"][1], given.get("complaint_type"), place)
        for place, (code, given) in enumerate(document.get("phrase", {}).items())
    ]
    return templates, phrases


async def load(conn: AsyncConnection, text: str, now: datetime) -> int:
    """Brings the rows to what the file says and retires what it no longer has; what an administrator has written is
    left alone. Returns how many rows were changed: the second time none."""
    templates, phrases = parse(text)
    words = await taxonomy.read(conn)
    checked_templates = [check(template, words, now) for template in templates]
    changed = await _load(conn, order_template, {each.code: asdict(each) for each in checked_templates}, now)
    changed += await _load(conn, phrase, {each.code: asdict(check_phrase(each, words)) for each in phrases}, now)
    if changed:
        await audit.record(conn, SYSTEM, "order_form.loaded", "order_form", "all", {"changed": changed}, now)
    return changed


async def _load(conn: AsyncConnection, table: Table, wanted: Mapping[str, Mapping[str, Any]], now: datetime) -> int:
    rows = {row["code"]: row for row in (await conn.execute(select(table))).mappings()}
    changed = 0
    for code, values in wanted.items():
        row = rows.get(code)
        said = {name: value for name, value in values.items() if name != "version"}
        if row is None:
            await conn.execute(insert(table).values(**said, version=1, changed_at=now))
        elif not row["edited"] and (row["retired"] or any(row[name] != value for name, value in said.items())):
            version = row["version"] + 1
            await conn.execute(
                update(table).where(table.c.code == code).values(**said, retired=False, version=version, changed_at=now)
            )
        else:
            continue
        changed += 1
    gone = [code for code, row in rows.items() if code not in wanted and not row["edited"] and not row["retired"]]
    if gone:
        await conn.execute(update(table).where(table.c.code.in_(gone)).values(retired=True, changed_at=now))
    return changed + len(gone)


async def fitting(conn: AsyncConnection, order: Mapping[str, Any]) -> Template | None:
    """The template of an order by its kind, type of complaint and business (IN-05)."""
    if not order["kind"]:
        return None
    found = await in_use(conn, order["kind"])
    if not found:
        return None
    return forms.pick(found, await taxonomy.read(conn), order["kind"], order["complaint_type"], order["business"])


async def in_use(conn: AsyncConnection, kind: str) -> list[Template]:
    """Templates of a kind that new orders are asked by."""
    query = select(order_template).where(order_template.c.kind == kind, order_template.c.retired.is_(False))
    return [_template(row) for row in (await conn.execute(query.order_by(order_template.c.code))).mappings()]


async def listed(conn: AsyncConnection) -> list[Listed]:
    """Every template, retired ones too."""
    rows = (
        await conn.execute(select(order_template).order_by(order_template.c.kind, order_template.c.code))
    ).mappings()
    return [Listed(_template(row), row["retired"], row["edited"]) for row in rows]


async def phrases(conn: AsyncConnection, complaint_type: str | None = None) -> list[Phrase]:
    """Phrases on offer for a type of complaint: those of every type, of this one and of the branches above it."""
    words = await taxonomy.read(conn)
    way = [node.code for node in words.way("complaint_type", complaint_type)] if complaint_type else []
    rows = await conn.execute(select(phrase).where(phrase.c.retired.is_(False)).order_by(phrase.c.place, phrase.c.id))
    found = [_phrase(row) for row in rows.mappings()]
    return [each for each in found if each.complaint_type is None or each.complaint_type in way]


async def all_phrases(conn: AsyncConnection) -> list[Listed]:
    """Every phrase, retired ones too."""
    rows = (await conn.execute(select(phrase).order_by(phrase.c.place, phrase.c.id))).mappings()
    return [Listed(_phrase(row), row["retired"], row["edited"]) for row in rows]


async def save(conn: AsyncConnection, actor: Actor, given: Template, now: datetime, *, new: bool) -> Change:
    """A template is added, or written anew over the version that was seen.

    Raises Refused when another one in use has the same kind, type and business, Invalid naming the element that cannot
    be asked for, coded, filled in or prompted for.
    """
    require(actor, Action.ADMINISTER_SYSTEM)
    template = check(given, await taxonomy.read(conn), now)
    same = next((each for each in await in_use(conn, template.kind) if _same(each, template)), None)
    if same is not None and same.code != template.code:
        raise Refused("template_is_there", "another template is for these orders", field="code", code_given=same.code)
    return await _save(conn, actor, order_template, asdict(template), now, new=new)


async def save_phrase(conn: AsyncConnection, actor: Actor, given: Phrase, now: datetime, *, new: bool) -> Change:
    """A phrase is added, or written anew over the version that was seen."""
    require(actor, Action.ADMINISTER_SYSTEM)
    return await _save(conn, actor, phrase, asdict(check_phrase(given, await taxonomy.read(conn))), now, new=new)


async def retire(  # noqa: PLR0917 - who retires what
    conn: AsyncConnection, actor: Actor, table: Table, code: str, version: int, now: datetime, *, retired: bool
) -> Change:
    """It is offered no more, or again; orders keep what they were asked."""
    require(actor, Action.ADMINISTER_SYSTEM)
    row = await _hold(conn, table, code, version)
    if table is order_template and not retired:
        same = next((each for each in await in_use(conn, row["kind"]) if _same(each, _template(row))), None)
        if same is not None and same.code != code:
            raise Refused("template_is_there", "another template is for these orders", code_given=same.code)
    values = {"retired": retired, "edited": True, "version": version + 1, "changed_at": now}
    await conn.execute(update(table).where(table.c.code == code).values(values))
    return await _tell(conn, actor, table, "retired" if retired else "opened", code, version + 1, {}, now)


async def _save(
    conn: AsyncConnection, actor: Actor, table: Table, values: Mapping[str, Any], now: datetime, *, new: bool
) -> Change:
    said = {name: value for name, value in values.items() if name not in {"code", "version"}}
    code, version = values["code"], values["version"]
    if new:
        if await conn.scalar(select(table.c.id).where(table.c.code == code)) is not None:
            raise Refused("code_is_there", f"{code!r} is there already", field="code", code_given=code)
        await conn.execute(insert(table).values(**said, code=code, version=1, edited=True, changed_at=now))
        return await _tell(conn, actor, table, "added", code, 1, said, now)
    before = await _hold(conn, table, code, version)
    version += 1
    await conn.execute(
        update(table).where(table.c.code == code).values(**said, version=version, edited=True, changed_at=now)
    )
    was = {name: before[name] for name in said if before[name] != said[name]}
    return await _tell(conn, actor, table, "changed", code, version, {**said, "before": was}, now)


async def _hold(conn: AsyncConnection, table: Table, code: str, version: int) -> RowMapping:
    row = (await conn.execute(for_update(select(table).where(table.c.code == code)))).mappings().first()
    if row is None:
        raise NotFound(subject=table.name, id=code)
    if row["version"] != version:
        raise Stale(subject=table.name, id=code, version=row["version"])
    return row


async def _tell(  # noqa: PLR0917 - as in the audit
    conn: AsyncConnection,
    actor: Actor,
    table: Table,
    fact: str,
    code: str,
    version: int,
    said: Mapping[str, Any],
    now: datetime,
) -> Change:
    verb = f"{table.name}.{fact}"
    await audit.record(conn, actor, verb, table.name, code, {"version": version, **said}, now)
    return Change(verb, code, version, now, {"code": code})


def check(given: Template, words: Taxonomies, now: datetime) -> Template:
    """The template with its words cleaned; raises Invalid with the field and what is allowed."""
    _code(given.code)
    if given.kind not in _KINDS:
        raise Invalid("unknown_kind", "the desk's kinds have templates", field="kind", allowed=list(_KINDS))
    for name in ("complaint_type", "business"):
        _entry(words, name, getattr(given, name))
    fixed = {each.field for each in rules.REQUIRED[Kind(given.kind)] if not each.codeable}
    for name, codeable in given.asks.items():
        _askable("asks", name)
        if codeable and (name in fixed or name not in rules.CODEABLE):
            raise Invalid("not_codeable", "this must be filled in", field=f"asks.{name}", allowed=[False])
    for name, text in given.prefill.items():
        _askable("prefill", name)
        if FIELDS[name].kind is FieldKind.LEAF:
            words.check_leaf(name, text, day_of(now), field=f"prefill.{name}")
        elif not forms.prefillable(name):
            raise Invalid("not_prefillable", "only the customer or the case can say this", field=f"prefill.{name}")
    prefill = {
        name: _text(f"prefill.{name}", text, FIELDS[name].limit or 60, lines=FIELDS[name].kind is FieldKind.LINES)
        for name, text in given.prefill.items()
    }
    for name in given.prompts:
        _askable("prompts", name)
    prompts = {
        name: {each: _text(f"prompts.{name}", said[each], _PROMPT) for each in ("zh", "en")}
        for name, said in given.prompts.items()
    }
    return replace(
        given,
        zh=_text("zh", given.zh, 64),
        en=_text("en", given.en, 64),
        asks=dict(given.asks),
        prefill=prefill,
        prompts=prompts,
    )


def check_phrase(given: Phrase, words: Taxonomies) -> Phrase:
    """The phrase with its words cleaned; raises Invalid with the field and what is allowed."""
    _code(given.code)
    offered = sorted(name for name in forms.ASKABLE if FIELDS[name].kind in {FieldKind.TEXT, FieldKind.LINES})
    if given.field not in offered or given.field == "verbatim":
        allowed = [name for name in offered if name != "verbatim"]
        raise Invalid("not_an_element", "phrases are for texts of the form", field="field", allowed=allowed)
    _entry(words, "complaint_type", given.complaint_type)
    return replace(given, zh=_text("zh", given.zh, _WORDS, lines=True), en=_text("en", given.en, _WORDS, lines=True))


def _code(code: str) -> None:
    if not _CODE.fullmatch(code):
        raise Invalid("bad_entry_code", "letters, digits, - and _", field="code", allowed="a-z 0-9 _ -, 1-40")


def _entry(words: Taxonomies, kind: str, code: str | None) -> None:
    """A leaf or a branch: what is below it is meant too."""
    if code is not None and words.find(kind, code) is None:
        raise Invalid("unknown_code", f"{code!r} is not in {kind}", field=kind, code_given=code)


def _askable(place: str, name: str) -> None:
    if name not in forms.ASKABLE:
        raise Invalid(
            "not_an_element", "not an element of the form", field=f"{place}.{name}", allowed=sorted(forms.ASKABLE)
        )


def _text(field: str, value: object, limit: int, *, lines: bool = False) -> str:
    text = checked(field, value, limit, lines=lines)
    if text is None:
        raise Invalid("missing", "there are no words", field=field)
    return text


def _same(one: Template, other: Template) -> bool:
    return (one.kind, one.complaint_type, one.business) == (other.kind, other.complaint_type, other.business)


def _template(row: RowMapping) -> Template:
    return Template(**{name: row[name] for name in Template.__dataclass_fields__})


def _phrase(row: RowMapping) -> Phrase:
    return Phrase(**{name: row[name] for name in Phrase.__dataclass_fields__})
