"""Process templates in an administrator's hands, and the plan a dispatch begins with (DP-02, DP-14, IN-20)."""

from collections.abc import Mapping
from datetime import date, datetime, time

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.web.route import Call, Handler, Route
from cti.web.schemas import processes as schemas
from cti.web.schemas.common import Input
from ticketing.changes import Change
from ticketing.classification import Cover
from ticketing.orders import planning, tracking
from ticketing.orders.planning import Plan
from ticketing.orders.tables import customer_order
from ticketing.processes import actions, store
from ticketing.processes.model import Content, Node, Template, Version

__all__ = ["ROUTES", "moment"]

_ALL = "/api/templates"
_ONE = f"{_ALL}/{{code:[a-z0-9][a-z0-9_-]{{0,39}}}}"


def moment(call: Call, day: date | None) -> datetime | None:
    """The first moment of a day of the operator; None, which is now, for none and for today.

    A day that is past is a moment that is past, for the core to refuse.
    """
    zone = call.deps.zone
    if day is None or day == call.now.astimezone(zone).date():
        return None
    return datetime.combine(day, time(), zone)


async def everything(call: Call) -> schemas.TemplateList:
    """Every template with its versions."""
    async with call.deps.database.read() as conn:
        found = await store.every(conn)
        running = await _running(conn)
    await call.looked_up("template.listed", "template", "list", ids=[each.code for each in found])
    return schemas.TemplateList(
        items=[_view(each, running, call.now) for each in found],
        tracking_s=round(tracking.shipped().unit.total_seconds()),
    )


async def show(call: Call) -> schemas.TemplateView:
    """One template."""
    async with call.deps.database.read() as conn:
        found = _view(await store.get(conn, call.part("code")), await _running(conn), call.now)
    await call.looked_up("template.read", "template", call.part("code"), ids=[call.part("code")])
    return found


async def add(call: Call) -> schemas.TemplateView:
    """A new template."""
    given = call.input(schemas.AddTemplate)
    async with call.write() as conn:
        new = actions.NewTemplate(given.code, given.kind, given.zh, given.en)
        return await _told(call, conn, await actions.add(conn, call.actor, new, call.now))


async def write(call: Call) -> schemas.TemplateView:
    """The draft as a whole; the published versions stay."""
    given = call.input(schemas.WriteDraft)
    nodes = tuple(Node(**{**node.model_dump(), "after": tuple(node.after)}) for node in given.nodes)
    content = Content(tuple(Cover(**cover.model_dump()) for cover in given.covers), nodes, given.note, given.tracking_s)
    async with call.write() as conn:
        done = await actions.write(conn, call.actor, call.part("code"), given.version, content, call.now)
        return await _told(call, conn, done)


async def publish(call: Call) -> schemas.TemplateView:
    """The draft becomes the version in force, now or from a day on."""
    given = call.input(schemas.PublishTemplate)
    start = moment(call, given.from_day)
    async with call.write() as conn:
        done = await actions.publish(conn, call.actor, call.part("code"), given.version, start, call.now)
        return await _told(call, conn, done)


async def discard(call: Call) -> schemas.TemplateView:
    """The draft is thrown away."""
    async with call.write() as conn:
        version = call.input(schemas.SeenTemplate).version
        done = await actions.discard(conn, call.actor, call.part("code"), version, call.now)
        return await _told(call, conn, done)


async def retire(call: Call) -> schemas.TemplateView:
    """No new order follows it; running ones go on."""
    async with call.write() as conn:
        version = call.input(schemas.SeenTemplate).version
        done = await actions.retire(conn, call.actor, call.part("code"), version, call.now)
        return await _told(call, conn, done)


async def rename(call: Call) -> schemas.TemplateView:
    """Other names."""
    given = call.input(schemas.RenameTemplate)
    async with call.write() as conn:
        done = await actions.rename(conn, call.actor, call.part("code"), given.version, given.zh, given.en, call.now)
        return await _told(call, conn, done)


async def match(call: Call) -> schemas.MatchView:
    """Which template, which steps and which units an order of this classification would have now."""
    asked = call.filters(schemas.MatchQuery).model_dump()
    async with call.deps.database.read() as conn:
        plan = await planning.of_order(conn, asked, call.now)
    await call.looked_up("template.matched", "template", "match", conditions=asked)
    return schemas.MatchView(plan=plan_view(plan))


async def plan(call: Call) -> schemas.PlanView:
    """What an order's template asks for now."""
    async with call.deps.database.read() as conn:
        found = await planning.read(conn, call.actor, call.part("id"), call.now)
    await call.looked_up("order.plan_read", "order", call.part("id"), ids=[call.part("id")])
    return plan_view(found)


def plan_view(found: Plan) -> schemas.PlanView:
    """A plan as the interface shows it."""
    return schemas.PlanView.model_validate(
        {
            "template": found.template,
            "label": found.names or None,
            "number": found.number,
            "tasks": [
                {
                    "node": task.node,
                    "label": task.names or None,
                    "unit": task.unit,
                    "duty": task.duty,
                    "task": task.task,
                    "limit_s": task.limit_s,
                    "working_time": task.working_time,
                    "workplace": task.workplace,
                    "after": list(task.after),
                }
                for task in found.tasks
            ],
        }
    )


async def _running(conn: AsyncConnection) -> Mapping[int, int]:
    """Orders under way by the version they follow."""
    version = customer_order.c.template_version_id
    rows = await conn.execute(
        select(version, func.count()).where(version.is_not(None), customer_order.c.ended_at.is_(None)).group_by(version)
    )
    return {int(key): int(count) for key, count in rows.all()}


async def _told(call: Call, conn: AsyncConnection, change: Change) -> schemas.TemplateView:
    call.changed(change)
    return _view(await store.get(conn, change.subject_id), await _running(conn), call.now)


def _view(found: Template, running: Mapping[int, int], now: datetime) -> schemas.TemplateView:
    return schemas.TemplateView.model_validate(
        {
            "code": found.code,
            "kind": found.kind,
            "label": {"zh": found.zh, "en": found.en},
            "version": found.version,
            "versions": [_version(each, running.get(each.key, 0), now) for each in found.versions],
        }
    )


def _version(found: Version, running: int, now: datetime) -> dict[str, object]:
    nodes = [{name: getattr(node, name) for name in schemas.NodeView.model_fields} for node in found.nodes]
    return {
        "number": found.number,
        "state": found.state(now).value,
        "note": found.note,
        "covers": [cover.plain for cover in found.covers],
        "nodes": [{**node, "after": list(each.after)} for node, each in zip(nodes, found.nodes, strict=True)],
        "published_at": found.published_at,
        "published_by": found.published_by,
        "effective_at": found.effective_at,
        "retired_at": found.retired_at,
        "tracking_s": found.tracking_s,
        "running": running,
    }


def _change(  # noqa: PLR0917 - a route as it is written below
    name: str, path: str, handler: Handler, model: type[Input], says: str, status: int = 200
) -> Route:
    return Route(
        f"templates.{name}",
        "POST",
        path,
        handler,
        says,
        body=model,
        answer=schemas.TemplateView,
        status=status,
        idempotent=True,
    )


ROUTES = (
    Route("templates.list", "GET", _ALL, everything, "Every template.", answer=schemas.TemplateList),
    Route(
        "templates.match",
        "GET",
        "/api/template-match",
        match,
        "What would be done with such an order.",
        query=schemas.MatchQuery,
        answer=schemas.MatchView,
    ),
    Route("templates.show", "GET", _ONE, show, "One template.", answer=schemas.TemplateView),
    _change("add", _ALL, add, schemas.AddTemplate, "A new template.", 201),
    Route(
        "templates.write",
        "PUT",
        f"{_ONE}/draft",
        write,
        "Write the draft.",
        body=schemas.WriteDraft,
        answer=schemas.TemplateView,
    ),
    _change("publish", f"{_ONE}/publish", publish, schemas.PublishTemplate, "Publish the draft."),
    _change("discard", f"{_ONE}/discard", discard, schemas.SeenTemplate, "Throw the draft away."),
    _change("retire", f"{_ONE}/retire", retire, schemas.SeenTemplate, "No new order follows it."),
    _change("rename", f"{_ONE}/rename", rename, schemas.RenameTemplate, "Other names."),
    Route(
        "orders.plan",
        "GET",
        "/api/orders/{id:[A-Za-z0-9_-]{1,64}}/plan",
        plan,
        "What the order's template asks for now.",
        answer=schemas.PlanView,
    ),
)
