"""Working calendars in their versions, and which unit works by which: read, loaded from the data file, changed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit, calendar
from ticketing.calendar import WorkingCalendar
from ticketing.clocks.rules import EVERY_HOUR, WorkingTime
from ticketing.clocks.tables import unit_calendar, work_calendar
from ticketing.errors import Invalid, NotFound, Stale
from ticketing.roles import SYSTEM, Action, Actor, require

#: the entry of everybody who has none of his own
EVERYBODY: Final = "*"
_CODE = re.compile(r"[a-z][a-z0-9_-]{0,29}")
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """One version of a calendar."""

    code: str
    version: int
    #: as the data file or the page gave them
    fields: Mapping[str, Any]
    published_at: datetime
    published_by: str

    @property
    def ref(self) -> str:
        """What a clock keeps: code and version."""
        return f"{self.code}@{self.version}"


@dataclass(frozen=True, slots=True)
class Calendars:
    """Every version of every calendar, and who works by which."""

    versions: Mapping[str, Calendar]
    units: Mapping[str, str]

    def latest(self, code: str) -> Calendar | None:
        """The version that new clocks take; None when there is no such calendar."""
        return max((each for each in self.versions.values() if each.code == code), key=_version, default=None)

    def current(self) -> tuple[Calendar, ...]:
        """The newest version of each calendar, by code."""
        return tuple(found for code in sorted({each.code for each in self.versions.values()})
                     if (found := self.latest(code)) is not None)  # fmt: skip

    def of_unit(self, unit: str) -> str | None:
        """Calendar and version of a unit; a branch speaks for its leaves. None: every hour counts."""
        code: str = unit
        while code:
            if code in self.units:
                break
            code = code.rpartition(".")[0]
        found = self.latest(self.units.get(code or EVERYBODY, ""))
        return None if found is None else found.ref

    def working(self, ref: str | None) -> WorkingTime:
        """What counts by that calendar; every hour without one. Raises NotFound for a version nobody published."""
        return EVERY_HOUR if ref is None else self.calendar(ref)

    def calendar(self, ref: str) -> WorkingCalendar:
        """The calendar of a version; raises NotFound."""
        found = self.versions.get(ref)
        if found is None:
            raise NotFound(subject="calendar", id=ref)
        return calendar.from_table(found.fields, f"[calendar.{found.code}]")


def _version(found: Calendar) -> int:
    return found.version


async def read(conn: AsyncConnection) -> Calendars:
    """Everything; a centre has a handful."""
    rows = await conn.execute(select(work_calendar).order_by(work_calendar.c.id))
    versions = [Calendar(row.code, row.version, row.fields, row.published_at, row.published_by) for row in rows]
    units = (await conn.execute(select(unit_calendar.c.unit, unit_calendar.c.calendar))).all()
    return Calendars({each.ref: each for each in versions}, {row.unit: row.calendar for row in units})


async def publish(
    conn: AsyncConnection, actor: Actor, code: str, fields: Mapping[str, Any], now: datetime, *, after: int
) -> Calendar:
    """A further version of a calendar, or its first: clocks that start from now on count by it, no running one moves.

    `after` is the version that was seen, 0 for a new calendar. Raises Stale when it is not the newest, Invalid for a
    calendar that cannot be read, or in which nobody ever works.
    """
    require(actor, Action.ADMINISTER_SYSTEM)
    if not _CODE.fullmatch(code):
        raise Invalid("bad_code", "small letters, digits, - and _, thirty at most", field="code")
    calendar.from_table(fields, f"[calendar.{code}]").advance(now, _HOUR)
    newest = (await read(conn)).latest(code)
    known = 0 if newest is None else newest.version
    if known != after:
        by = None if newest is None else newest.published_by
        raise Stale(subject="calendar", id=code, version=known, by=by)
    made = Calendar(code, known + 1, dict(fields), now, actor.number)
    row = {"code": code, "version": made.version, "fields": made.fields, "published_at": now}
    try:
        async with conn.begin_nested():
            await conn.execute(insert(work_calendar).values(**row, published_by=actor.number))
    except IntegrityError:
        raise Stale(subject="calendar", id=code) from None
    told = {"version": made.version, "fields": made.fields}
    await audit.record(conn, actor, "calendar.published", "calendar", code, told, now)
    return made


async def assign(conn: AsyncConnection, actor: Actor, unit: str, code: str | None, now: datetime) -> None:
    """From now on a unit works by this calendar; None: by that of its branch. Raises NotFound for no such calendar."""
    require(actor, Action.ADMINISTER_SYSTEM)
    if code is not None and (await read(conn)).latest(code) is None:
        raise NotFound(subject="calendar", id=code, field="calendar")
    if code is None and unit == EVERYBODY:
        raise Invalid("missing", "everybody needs a calendar", field="calendar")
    old = await conn.scalar(select(unit_calendar.c.calendar).where(unit_calendar.c.unit == unit))
    if code is None:
        await conn.execute(delete(unit_calendar).where(unit_calendar.c.unit == unit))
    else:
        changed = {"calendar": code, "changed_at": now, "changed_by": actor.number}
        done = await conn.execute(update(unit_calendar).where(unit_calendar.c.unit == unit).values(**changed))
        if done.rowcount == 0:
            await conn.execute(insert(unit_calendar).values(unit=unit, **changed))
    told = {"calendar": code, "before": old}
    await audit.record(conn, actor, "calendar.assigned", "unit", unit, told, now)


def shipped() -> str:
    """The data file's text."""
    return files("ticketing").joinpath("data/calendars.toml").read_text(encoding="utf-8")


async def load(conn: AsyncConnection, text: str, now: datetime) -> int:
    """Brings calendars and units to what the file says, but for those an administrator changed; returns how many
    were changed. Raises Invalid naming what is wrong."""
    calendar.parse(text, "calendars.toml")
    document = tomllib.loads(text)
    there = await read(conn)
    changed = 0
    for code, fields in document.get("calendar", {}).items():
        newest = there.latest(code)
        if newest is None or (newest.published_by == SYSTEM.number and newest.fields != fields):
            await publish(conn, SYSTEM, code, fields, now, after=0 if newest is None else newest.version)
            changed += 1
    rows = await conn.execute(select(unit_calendar.c.unit, unit_calendar.c.changed_by))
    own = {row.unit for row in rows if row.changed_by != SYSTEM.number}
    for unit, code in document.get("unit", {}).items():
        if unit not in own and there.units.get(unit) != code:
            await assign(conn, SYSTEM, unit, code, now)
            changed += 1
    return changed
