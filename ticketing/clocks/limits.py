"""Limits and leads of the clocks as they are now: the data file's, with what an administrator changed (MN-08)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit
from ticketing.clocks.definitions import definitions
from ticketing.clocks.model import Clock, Definition
from ticketing.clocks.tables import clock_setting
from ticketing.errors import Invalid
from ticketing.roles import Action, Actor, require

#: clocks whose limits other records are computed from again and again: theirs stand in the data file
FIXED: Final = frozenset({Clock.QUEUE, Clock.ENTRY, Clock.CALLBACK})
_LONGEST_S: Final = 366 * 86400


@dataclass(frozen=True, slots=True)
class Limit:
    """One clock's figures: as shipped and as they are now."""

    now: Definition
    shipped: Definition
    changed_at: datetime | None = None
    changed_by: str | None = None

    @property
    def editable(self) -> bool:
        """An administrator may change it."""
        return self.now.code not in FIXED


async def read(conn: AsyncConnection) -> Mapping[Clock, Definition]:
    """Definitions that the next clock takes."""
    return {code: limit.now for code, limit in (await table(conn)).items()}


async def table(conn: AsyncConnection) -> Mapping[Clock, Limit]:
    """Every clock with what was changed, by whom."""
    rows = {Clock(row.code): row for row in await conn.execute(select(clock_setting))}
    made = {}
    for code, shipped in definitions().items():
        row = rows.get(code)
        if row is None:
            made[code] = Limit(shipped, shipped)
            continue
        target = shipped.target if row.target_s is None else timedelta(seconds=row.target_s)
        lead = shipped.lead if row.lead_s is None else timedelta(seconds=row.lead_s)
        made[code] = Limit(replace(shipped, target=target, lead=lead), shipped, row.changed_at, row.changed_by)
    return made


async def change(
    conn: AsyncConnection, actor: Actor, code: Clock, now: datetime, *, target_s: int | None, lead_s: int | None
) -> Limit:
    """Another limit or lead for clocks that start from now on; None takes the data file's again.

    Raises Invalid with the field: a clock whose limit is given each time has none here, and a lead is shorter than the
    limit.
    """
    require(actor, Action.ADMINISTER_SYSTEM)
    shipped = definitions()[code]
    if code in FIXED:
        raise Invalid("fixed_clock", "the limits of this clock stand in the data file", field="code", code_given=code)
    if target_s is not None and (shipped.target is None or not 0 < target_s <= _LONGEST_S):
        allowed = [] if shipped.target is None else [1, _LONGEST_S]
        raise Invalid("bad_limit", "no limit for this clock", field="target_s", allowed=allowed)
    target = shipped.target if target_s is None else timedelta(seconds=target_s)
    most = _LONGEST_S if target is None else int(target.total_seconds()) - 1
    if lead_s is not None and not 0 <= lead_s <= most:
        raise Invalid("bad_lead", "the yellow card comes before the limit", field="lead_s", allowed=[0, most])
    if target is not None and (shipped.lead if lead_s is None else timedelta(seconds=lead_s)) >= target:
        raise Invalid("bad_lead", "the yellow card comes before the limit", field="lead_s", allowed=[0, most])
    before = (await table(conn))[code]
    await conn.execute(delete(clock_setting).where(clock_setting.c.code == code.value))
    if target_s is not None or lead_s is not None:
        row = {"code": code.value, "target_s": target_s, "lead_s": lead_s, "changed_at": now}
        await conn.execute(insert(clock_setting).values(**row, changed_by=actor.number))
    made = (await table(conn))[code]
    await audit.record(conn, actor, "clock.limit_changed", "clock", code.value, _told(before, made), now)
    return made


def _told(before: Limit, after: Limit) -> dict[str, int | None]:
    return {
        "target_s": _seconds(after.now.target),
        "lead_s": _seconds(after.now.lead),
        "old_target_s": _seconds(before.now.target),
        "old_lead_s": _seconds(before.now.lead),
    }


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())
