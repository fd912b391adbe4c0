"""Work beside the calls, told to the people it concerns: recorded complaints, papers and callbacks.

Every committed change goes as `item`, `paper` or `callback` to the pages of those who may see it (TL-21, TL-23, CL-01).
What needs a person now (K3, K17) is an alert to its owner, to everybody who may do it when it has none, and to the
supervisors: a callback that came onto the owner's list, and what went over its time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.hub import Hub
from ticketing.callbacks import reading
from ticketing.callbacks.model import LISTED
from ticketing.changes import Change
from ticketing.db import Database
from ticketing.errors import HotlineError
from ticketing.intake import store as items
from ticketing.papers import store as papers
from ticketing.roles import Action, Post, may
from ticketing.staff import store as staff
from ticketing.staff.model import Staff

log = structlog.get_logger(__name__)

#: what went over its time so long before the service started is told again: better twice than never
_BEFORE_START: Final = timedelta(minutes=10)
#: event on the stream, by the first word of the fact: who may see it, and who may do it
_SEES: Final = {"item": Action.VIEW_ITEMS, "paper": Action.VIEW_PAPERS, "callback": Action.VIEW_CALLBACKS}
_DOES: Final = {"item": Action.WORK_ITEMS, "paper": Action.WORK_PAPERS, "callback": Action.WORK_CALLBACKS}
#: told again without a change
_NO_NEWS: Final = frozenset({"item.known", "callback.known"})
#: facts by which a callback comes onto the owner's list
_LANDS: Final = frozenset({"callback.missed", "callback.lost", "callback.proposed"})


def news(change: Change) -> dict[str, Any] | None:
    """The event a page gets for a change; None for a change of anything else."""
    if change.kind.partition(".")[0] not in _SEES or change.kind in _NO_NEWS:
        return None
    said = change.payload
    return {
        "id": change.subject_id,
        "serial": str(said.get("serial", "")),
        "state": str(said.get("state", "")),
        "version": change.version,
        "event": change.kind,
    }


def landed(change: Change) -> bool:
    """Whether a callback came onto the owner's list by this change."""
    return change.kind in _LANDS and change.payload.get("state") in {state.value for state in LISTED}


def audience(people: Sequence[Staff], kind: str, owner: str) -> list[str]:
    """Who is alerted: the owner, all who may do it when no person owns it, and the supervisors."""
    owned = any(person.number == owner for person in people)
    return [
        person.number
        for person in people
        if person.number == owner or Post.SU in person.posts or (not owned and may(person.posts, _DOES[kind]))
    ]


async def tell(database: Database, hub: Hub, changes: Sequence[Change]) -> None:
    """Publishes committed changes of items and callbacks. What fails here is logged: the change itself stands."""
    told = [(change, event) for change in changes if (event := news(change)) is not None]
    if not told:
        return
    try:
        async with database.read() as conn:
            people = await staff.everyone(conn)
            owners = await reading.owners(conn, [change.subject_id for change, _ in told if landed(change)])
    except HotlineError as error:
        log.warning("work.not_told", why=error.code, changes=len(told))
        return
    for change, event in told:
        kind = change.kind.partition(".")[0]
        hub.broadcast(kind, event, [person.number for person in people if may(person.posts, _SEES[kind])])
        if landed(change):
            alert = _alert("callback_listed", change.subject_id, event["serial"], change.at)
            hub.broadcast("alert", alert, audience(people, kind, owners.get(change.subject_id, "")))


class Overdue:
    """Looks again and again for what went over its time since the last look."""

    def __init__(self, database: Database, hub: Hub, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._hub = hub
        self._clock = clock
        self._since = clock() - _BEFORE_START

    async def look(self) -> int:
        """Alerts for each item and callback whose time ran out since the last look; how many there were.

        Raises Unavailable when the database does not answer: the next look then covers this one's time.
        """
        now, since = self._clock(), self._since

        async def read(conn: AsyncConnection) -> tuple[list[tuple[str, str, str, str]], list[Staff]]:
            found = {
                "item": await items.overdue_between(conn, since, now),
                "paper": await papers.overdue_between(conn, since, now),
                "callback": await reading.overdue_between(conn, since, now),
            }
            late = [(kind, *each) for kind, rows in found.items() for each in rows]
            return late, await staff.everyone(conn) if late else []

        late, people = await self._database.read_whole(read)
        self._since = now
        for kind, public_id, serial, owner in late:
            alert = _alert(f"{kind}_overdue", public_id, serial, now)
            self._hub.broadcast("alert", alert, audience(people, kind, owner))
        return len(late)


def _alert(code: str, public_id: str, serial: str, at: datetime) -> dict[str, Any]:
    """In the form of `cti.web.schemas.pop.Alert`; the page has the words."""
    stamp = at.isoformat().replace("+00:00", "Z")
    return {"code": code, "text": code, "call_id": None, "at": stamp, "details": {"id": public_id, "serial": serial}}
