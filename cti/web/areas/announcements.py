"""Service announcements: what is on, planned and over with its callers; switch on, other times, switch off (TL-26)."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy.ext.asyncio import AsyncConnection

from cti import store as calls
from cti.calls import announced
from cti.web.route import Call, Route
from cti.web.schemas.announcements import (
    AnnouncementChoices,
    AnnouncementList,
    AnnouncementQuery,
    AnnouncementView,
    ChangeTimes,
    SwitchOff,
    SwitchOn,
)
from ticketing.announcements import actions, rules, store
from ticketing.announcements.model import Announcement, NewAnnouncement

__all__ = ["ROUTES"]

_ONE = "/api/announcements/{id:[A-Za-z0-9_-]{1,64}}"
#: how many that are over are shown
_PAST = 50


async def listed(call: Call) -> AnnouncementList:
    """What is on and planned, or what is over."""
    asked = call.filters(AnnouncementQuery)
    async with call.deps.database.read() as conn:
        found = await (store.past(conn, call.now, _PAST) if asked.over else store.coming(conn, call.now))
        return AnnouncementList(items=await views(call, conn, found))


async def choices(call: Call) -> AnnouncementChoices:
    """The announcements that are recorded, and the numbers dialled."""
    return call.deps.announceable()


async def switch_on(call: Call) -> AnnouncementView:
    """Switch one on."""
    given, can = call.input(SwitchOn), call.deps.announceable()
    new = NewAnnouncement(given.prompt, tuple(given.dnis), given.starts_at or call.now, given.ends_at, given.note)
    prompts, lines = [each.code for each in can.prompts], [each.dnis for each in can.lines]
    async with call.write() as conn:
        change = await actions.switch_on(conn, call.actor, new, prompts, lines, call.now)
        (view,) = await views(call, conn, [await store.get(conn, change.subject_id)])
    call.changed(change)
    return view


async def times(call: Call) -> AnnouncementView:
    """Give it other times."""
    given = call.input(ChangeTimes)
    async with call.deps.database.write() as conn:
        change = await actions.change_times(
            conn, call.actor, call.part("id"), given.version, given.starts_at, given.ends_at, call.now
        )
        (view,) = await views(call, conn, [await store.get(conn, change.subject_id)])
    call.changed(change)
    return view


async def switch_off(call: Call) -> AnnouncementView:
    """Switch it off."""
    given = call.input(SwitchOff)
    async with call.deps.database.write() as conn:
        change = await actions.switch_off(conn, call.actor, call.part("id"), given.version, call.now)
        (view,) = await views(call, conn, [await store.get(conn, change.subject_id)])
    call.changed(change)
    return view


async def views(call: Call, conn: AsyncConnection, found: Sequence[Announcement]) -> list[AnnouncementView]:
    """Announcements with how many callers heard them and how many hung up there."""
    made = []
    for each in found:
        end = min(each.until, call.now)
        walks = await calls.announced(conn, each.starts_at, end) if each.starts_at < end else []
        counted = announced.count(walks, each.prompt, each.starts_at, end)
        said = asdict(each) | {"dnis": list(each.dnis), "state": rules.state(each, call.now).value}
        made.append(AnnouncementView.model_validate(said | asdict(counted)))
    return made


ROUTES = (
    Route(
        "announcements.list",
        "GET",
        "/api/announcements",
        listed,
        "Service announcements.",
        query=AnnouncementQuery,
        answer=AnnouncementList,
    ),
    Route(
        "announcements.choices",
        "GET",
        "/api/announcement-choices",
        choices,
        "What can be announced.",
        answer=AnnouncementChoices,
    ),
    Route(
        "announcements.create",
        "POST",
        "/api/announcements",
        switch_on,
        "Switch an announcement on.",
        body=SwitchOn,
        answer=AnnouncementView,
        status=201,
        idempotent=True,
    ),
    Route(
        "announcements.times", "POST", f"{_ONE}/times", times, "Other times.", body=ChangeTimes, answer=AnnouncementView
    ),
    Route(
        "announcements.off",
        "POST",
        f"{_ONE}/off",
        switch_off,
        "Switch it off.",
        body=SwitchOff,
        answer=AnnouncementView,
    ),
)
