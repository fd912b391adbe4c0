"""The responsibility map in an administrator's hands: given, reassigned, ended, with the work under way (AD-03)."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.web.areas.processes import moment
from cti.web.route import Call, Route
from cti.web.schemas import processes as schemas
from ticketing.changes import Change
from ticketing.classification import Cover
from ticketing.orders import reorganising
from ticketing.orders.reorganising import Choice, Live
from ticketing.responsibility import actions, store
from ticketing.responsibility.model import Line
from ticketing.roles import Post
from ticketing.staff.tables import staff, staff_post

__all__ = ["ROUTES"]

_ALL = "/api/responsibilities"
_ONE = f"{_ALL}/{{id:[A-Za-z0-9_-]{{1,64}}}}"


async def everything(call: Call) -> schemas.LineList:
    """The whole map."""
    async with call.deps.database.read() as conn:
        lines = await store.every(conn)
        views = await _views(conn, lines, lines, call.now)
    await call.looked_up("responsibility.listed", "responsibility", "list", ids=[line.id for line in lines])
    return schemas.LineList(items=views)


async def live(call: Call) -> schemas.LineLive:
    """Work orders a change of the line is about."""
    async with call.deps.database.read() as conn:
        line = await store.get(conn, call.part("id"))
        now_has = await reorganising.under_way(conn, line, call.now)
        left = await reorganising.affected(conn, line, call.now)
    ids = [each.id for each in (*now_has, *left)]
    await call.looked_up("responsibility.live_read", "responsibility", line.id, ids=ids)
    return schemas.LineLive.model_validate(
        {"under_way": [asdict(each) for each in now_has], "left": [asdict(each) for each in left]}
    )


async def add(call: Call) -> schemas.LineView:
    """A duty given to a unit."""
    given = call.input(schemas.AddLine)
    new = actions.NewLine(
        given.duty, Cover(**given.cover.model_dump()), given.unit, given.reason, moment(call, given.from_day)
    )
    async with call.write() as conn:
        return await _told(call, conn, (await actions.add(conn, call.actor, new, call.now),))


async def reassign(call: Call) -> schemas.LineView:
    """The duty goes to another unit; work orders under way follow or stay."""
    given = call.input(schemas.ReassignLine)
    asked = actions.Reassign(call.part("id"), given.version, given.unit, given.reason, moment(call, given.from_day))
    chosen = _chosen(given.live) if given.live is not None else None
    async with call.write() as conn:
        done = await reorganising.reassign(conn, call.actor, asked, chosen, call.now)
        return await _told(call, conn, done)


async def decide(call: Call) -> schemas.LineView:
    """Work orders the old unit still has follow or stay."""
    given = call.input(schemas.DecideLive)
    async with call.write() as conn:
        done = await reorganising.decide(
            conn, call.actor, call.part("id"), given.version, _chosen(given.live), call.now
        )
        return await _told(call, conn, done)


async def end(call: Call) -> schemas.LineView:
    """Nobody has the duty any more."""
    given = call.input(schemas.EndLine)
    at = moment(call, given.from_day)
    async with call.write() as conn:
        done = await actions.end(conn, call.actor, call.part("id"), given.version, at, given.reason, call.now)
        return await _told(call, conn, (done,))


def _chosen(given: schemas.LiveInput) -> Live:
    return Live(Choice(given.choice), frozenset(given.others))


async def _told(call: Call, conn: AsyncConnection, changes: tuple[Change, ...]) -> schemas.LineView:
    call.changed(*changes)
    line = await store.get(conn, changes[0].subject_id)
    return (await _views(conn, [line], await store.every(conn), call.now))[0]


async def _views(
    conn: AsyncConnection, lines: Collection[Line], known: Collection[Line], now: datetime
) -> list[schemas.LineView]:
    ids = {line.key: line.id for line in known}
    people = await _people(conn)
    return [
        schemas.LineView.model_validate(
            {
                "id": line.id,
                "duty": line.duty,
                "cover": line.cover.plain,
                "unit": line.unit,
                "valid_from": line.valid_from,
                "valid_until": line.valid_until,
                "state": "over" if line.over(now) else "in_force" if line.active(now) else "coming",
                "reason": line.reason,
                "created_at": line.created_at,
                "created_by": line.created_by,
                "version": line.version,
                "replaces": ids.get(line.replaces_key or 0),
                "people": people.get(line.unit, 0),
                "undecided": len(await reorganising.affected(conn, line, now)) if line.active(now) else 0,
            }
        )
        for line in lines
    ]


async def _people(conn: AsyncConnection) -> Mapping[str, int]:
    """How many people of the office each unit has, who may take its work orders."""
    rows = await conn.execute(
        select(staff.c.unit, func.count(staff.c.id.distinct()))
        .join(staff_post, staff_post.c.staff_id == staff.c.id)
        .where(staff.c.active, staff_post.c.post.in_([Post.DS.value, Post.DH.value]), staff.c.unit.is_not(None))
        .group_by(staff.c.unit)
    )
    return {str(unit): int(count) for unit, count in rows.all()}


ROUTES = (
    Route("responsibilities.list", "GET", _ALL, everything, "The whole map.", answer=schemas.LineList),
    Route("responsibilities.live", "GET", f"{_ONE}/live", live, "Work under way.", answer=schemas.LineLive),
    Route(
        "responsibilities.add",
        "POST",
        _ALL,
        add,
        "Give a duty to a unit.",
        body=schemas.AddLine,
        answer=schemas.LineView,
        status=201,
        idempotent=True,
    ),
    Route(
        "responsibilities.reassign",
        "POST",
        f"{_ONE}/reassign",
        reassign,
        "To another unit; work under way follows or stays.",
        body=schemas.ReassignLine,
        answer=schemas.LineView,
        idempotent=True,
    ),
    Route(
        "responsibilities.decide",
        "POST",
        f"{_ONE}/live",
        decide,
        "Work the old unit still has follows or stays.",
        body=schemas.DecideLive,
        answer=schemas.LineView,
        idempotent=True,
    ),
    Route(
        "responsibilities.end",
        "POST",
        f"{_ONE}/end",
        end,
        "End a duty.",
        body=schemas.EndLine,
        answer=schemas.LineView,
        idempotent=True,
    ),
)
