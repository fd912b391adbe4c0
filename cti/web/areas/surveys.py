"""Call-backs: orders by need, calls in vain, departments' own; follow-ups of bad grades (SV-05, SV-09, SV-10)."""

from collections.abc import Mapping
from dataclasses import asdict

from sqlalchemy.ext.asyncio import AsyncConnection

from cti.web.areas.workflow import order_step, work_step
from cti.web.route import Call, Route
from cti.web.schemas import surveys as schemas
from cti.web.schemas.common import Label
from cti.web.schemas.surveys import ClaimFollowUp, FinishFollowUp, FollowUpPage, FollowUpQuery, FollowUpView
from ticketing.orders import follow_up, inputs, surveying
from ticketing.surveys import actions, queue, rules, store
from ticketing.surveys.model import FollowUpFilter

__all__ = ["ROUTES"]

_ONE = "/api/follow-ups/{id:[A-Za-z0-9_-]{1,64}}"


async def search(call: Call) -> FollowUpPage:
    """Follow-ups by remaining time, the shortest first."""
    asked = call.filters(FollowUpQuery)
    wanted = FollowUpFilter(
        state=tuple(asked.state.split(",")) if asked.state else (), mine=asked.mine, overdue=asked.overdue
    )
    async with call.deps.database.read() as conn:
        page = await store.search(conn, call.actor, wanted, call.now, cursor=asked.cursor, limit=asked.limit)
    views = [FollowUpView.model_validate(found) for found in page.items]
    said, ids = asked.model_dump(exclude_defaults=True), [view.id for view in views]
    await call.looked_up("follow_up.searched", "follow_up", "list", conditions=said, ids=ids)
    return FollowUpPage(items=views, next_cursor=page.next_cursor)


async def claim(call: Call) -> FollowUpView:
    """Take it."""
    given = call.input(ClaimFollowUp)
    async with call.deps.database.write() as conn:
        change = await actions.claim(conn, call.actor, call.part("id"), given.version, call.now)
        view = await read(call, conn)
    call.changed(change)
    return view


async def release(call: Call) -> FollowUpView:
    """Give it back to the queue."""
    given = call.input(ClaimFollowUp)
    async with call.deps.database.write() as conn:
        change = await actions.release(conn, call.actor, call.part("id"), given.version, rules.shipped(), call.now)
        view = await read(call, conn)
    call.changed(change)
    return view


async def finish(call: Call) -> FollowUpView:
    """Done: what the customer said."""
    given = call.input(FinishFollowUp)
    async with call.deps.database.write() as conn:
        change = await actions.finish(
            conn,
            call.actor,
            call.part("id"),
            given.version,
            given.opinion,
            given.final_grade,
            rules.shipped(),
            call.now,
        )
        view = await read(call, conn)
    call.changed(change)
    return view


async def read(call: Call, conn: AsyncConnection) -> FollowUpView:
    """The follow-up of the address."""
    return FollowUpView.model_validate(await store.get(conn, call.part("id"), call.now))


async def waiting(call: Call) -> schemas.SurveyQueue:
    """Orders that wait for their call-back, the most needed first (SV-09)."""
    asked = call.filters(schemas.SurveyQueueQuery)
    known, scale = follow_up.shipped(), rules.shipped()
    async with call.deps.database.read() as conn:
        found = await queue.waiting(conn, call.actor, known, scale, call.now, mine=asked.mine, limit=asked.limit)
    said, ids = asked.model_dump(exclude_defaults=True), [each.id for each in found.items]
    await call.looked_up("survey.searched", "order", "list", conditions=said, ids=ids)
    items = [schemas.SurveyTask.model_validate({**asdict(each), "reasons": list(each.reasons)}) for each in found.items]
    return schemas.SurveyQueue(items=items, total=found.total)


async def form(call: Call) -> schemas.SurveyForm:
    """What a surveyor fills in."""
    known = follow_up.shipped()
    return schemas.SurveyForm(
        attempts=known.attempts,
        vain=_choices(known.vain),
        outcomes=_choices(known.outcomes),
        profile=[
            schemas.SurveyField(name=each.name, label=_label(each.names), choices=_choices(each.choices))
            for each in known.profile
        ],
        ends_well=list(known.ends_well),
    )


def _choices(known: Mapping[str, follow_up.Names]) -> list[schemas.SurveyChoice]:
    return [schemas.SurveyChoice(code=code, name=_label(names)) for code, names in known.items()]


def _label(names: follow_up.Names) -> Label:
    return Label(zh=names[0], en=names[1])


ROUTES = (
    Route(
        "surveys.queue",
        "GET",
        "/api/surveys",
        waiting,
        "Orders that wait for their call-back.",
        query=schemas.SurveyQueueQuery,
        answer=schemas.SurveyQueue,
    ),
    Route("surveys.form", "GET", "/api/survey-form", form, "What a surveyor fills in.", answer=schemas.SurveyForm),
    order_step("attempt", schemas.InVain, inputs.InVain, surveying.in_vain, "A call-back in vain."),
    work_step("call_back", schemas.CallBack, inputs.CalledBack, surveying.called_back, "The unit asked the customer."),
    Route(
        "follow_ups.list",
        "GET",
        "/api/follow-ups",
        search,
        "Follow-ups of bad grades.",
        query=FollowUpQuery,
        answer=FollowUpPage,
    ),
    Route("follow_ups.claim", "POST", f"{_ONE}/claim", claim, "Take it.", body=ClaimFollowUp, answer=FollowUpView),
    Route(
        "follow_ups.release",
        "POST",
        f"{_ONE}/release",
        release,
        "Give it back.",
        body=ClaimFollowUp,
        answer=FollowUpView,
    ),
    Route("follow_ups.done", "POST", f"{_ONE}/done", finish, "Done.", body=FinishFollowUp, answer=FollowUpView),
)
