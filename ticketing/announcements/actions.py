"""Use cases of announcements: switched on, given other times, switched off. Never commit."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.announcements import rules, store
from ticketing.announcements.model import Announcement, NewAnnouncement, State
from ticketing.changes import Change
from ticketing.errors import Invalid, Refused
from ticketing.roles import Action, Actor, require
from ticketing.text import clean


async def switch_on(  # noqa: PLR0917 - what may be announced, and where, comes from the menus
    conn: AsyncConnection,
    actor: Actor,
    given: NewAnnouncement,
    prompts: Collection[str],
    lines: Collection[str],
    now: datetime,
) -> Change:
    """Switches an announcement on from one time to another (TL-26).

    `prompts` are the recorded announcements there are, `lines` the numbers dialled. Raises Invalid for any other, and
    for times `rules.check_times` refuses.
    """
    require(actor, Action.ANNOUNCE)
    if given.prompt not in prompts:
        raise Invalid("unknown_code", "no such announcement is recorded", field="prompt", allowed=sorted(prompts))
    strange = sorted(set(given.dnis) - set(lines))
    if strange:
        raise Invalid("unknown_code", f"{strange[0]} is not dialled here", field="dnis", allowed=sorted(lines))
    rules.check_times(given.starts_at, given.ends_at, now)
    values = {
        "prompt": given.prompt,
        "dnis": list(dict.fromkeys(given.dnis)),
        "starts_at": given.starts_at,
        "ends_at": given.ends_at,
        "note": clean(given.note or "", limit=500) or None,
    }
    return await store.add(conn, actor, values, now)


async def change_times(  # noqa: PLR0917 - as the page says it
    conn: AsyncConnection,
    actor: Actor,
    public_id: str,
    version: int,
    starts_at: datetime | None,
    ends_at: datetime,
    now: datetime,
) -> Change:
    """Gives it another end, and another beginning while it has not begun. Raises Refused when it is over."""
    require(actor, Action.ANNOUNCE)
    held = await _running(conn, public_id, version, now)
    if starts_at is not None and starts_at != held.starts_at and rules.state(held, now) is not State.PLANNED:
        raise Refused("has_begun", "it has begun: only its end can be changed")
    first = starts_at or held.starts_at
    rules.check_times(first, ends_at, now)
    values = {"starts_at": first, "ends_at": ends_at}
    return await store.write(conn, actor, held, "announcement.times_changed", values, now=now)


async def switch_off(conn: AsyncConnection, actor: Actor, public_id: str, version: int, now: datetime) -> Change:
    """Nobody hears it from now on; it stays on record. Raises Refused when it is over already."""
    require(actor, Action.ANNOUNCE)
    held = await _running(conn, public_id, version, now)
    return await store.write(conn, actor, held, "announcement.switched_off", {"off_at": now}, now=now)


async def _running(conn: AsyncConnection, public_id: str, version: int, now: datetime) -> Announcement:
    held = await store.hold(conn, public_id, version)
    if rules.state(held, now) is State.OVER:
        raise Refused("announcement_over", "this announcement is over")
    return held
