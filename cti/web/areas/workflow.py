"""Steps after the submission, one route a verb; a department's inbox; what came of an order."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from cti.web.areas.orders import named, read
from cti.web.route import Call, Route
from cti.web.schemas import workflow as schemas
from cti.web.schemas.common import Input
from cti.web.schemas.orders import Order
from cti.web.schemas.steps import OrderHistory
from cti.web.schemas.workflow import WorkOrderList, WorkOrderQuery, WorkOrderTask
from ticketing.changes import Change
from ticketing.notices import store as notices
from ticketing.orders import (
    chasing,
    closing,
    control,
    dispatching,
    happened,
    history,
    inputs,
    pausing,
    remedies,
    rework,
    store,
    tracking,
    work,
)
from ticketing.orders.views import WorkOrderView

__all__ = ["ROUTES"]

_ORDER = "/api/orders/{id:[A-Za-z0-9_-]{1,64}}"
_WORK = "/api/work-orders/{id:[A-Za-z0-9_-]{1,64}}"

Action = Callable[..., Awaitable[Change | tuple[Change, ...]]]


def _given(body: Input) -> dict[str, Any]:
    """The body in the core's words."""
    values = {name: getattr(body, name) for name in type(body).model_fields}
    if values.get("tasks") is not None:
        values["tasks"] = [inputs.Task(**task.model_dump()) for task in values["tasks"]]
    if values.get("checks") is not None:
        values["checks"] = values["checks"].model_dump()
    return values


def order_step(name: str, model: type[Input], made: Callable[..., Any], action: Action, says: str) -> Route:
    """A route that does one verb of the order's table and answers the order."""

    async def handle(call: Call) -> Order:
        given = made(call.part("id"), **_given(call.input(model)))
        async with named(call) as conn:
            change = await action(conn, call.actor, given, call.now)
            found = await read(call, conn, call.part("id"))
        call.changed(*(change if isinstance(change, tuple) else (change,)))
        return found

    path = f"{_ORDER}/{name.replace('_', '-')}"
    return Route(f"orders.{name}", "POST", path, handle, says, body=model, answer=Order, idempotent=True)


def work_step(name: str, model: type[Input], made: Callable[..., Any], action: Action, says: str) -> Route:
    """A route that does one verb of a work order and answers it."""

    async def handle(call: Call) -> WorkOrderTask:
        given = made(call.part("id"), **_given(call.input(model)))
        async with named(call) as conn:
            change = await action(conn, call.actor, given, call.now)
            found, _ = await history.one(conn, call.actor, call.part("id"), call.now)
        call.changed(*(change if isinstance(change, tuple) else (change,)))
        return task_view(found)

    path = f"{_WORK}/{name.replace('_', '-')}"
    return Route(f"work_orders.{name}", "POST", path, handle, says, body=model, answer=WorkOrderTask, idempotent=True)


async def inbox(call: Call) -> WorkOrderList:
    """Work orders of one's own unit, the nearest limit first."""
    asked = call.filters(WorkOrderQuery)
    wanted = history.WorkFilter(tuple(asked.state.split(",")) if asked.state else (), asked.mine, asked.overdue)
    async with call.deps.database.read() as conn:
        found = await history.inbox(conn, call.actor, wanted, call.now, limit=asked.limit)
    said, ids = asked.model_dump(exclude_defaults=True), [each.id for each in found]
    await call.looked_up("work_order.searched", "work_order", "list", conditions=said, ids=ids)
    return WorkOrderList(items=[task_view(each) for each in found])


async def show(call: Call) -> WorkOrderTask:
    """One work order of one's own unit."""
    async with call.deps.database.read() as conn:
        found, _ = await history.one(conn, call.actor, call.part("id"), call.now)
    await call.looked_up("work_order.read", "work_order", found.id, ids=[found.id])
    return task_view(found)


async def what_came_of_it(call: Call) -> OrderHistory:
    """Proposals and decisions, work orders, answers and surveys of an order one may see."""
    async with call.deps.database.read() as conn:
        id_ = await store.id_of(conn, call.actor, call.part("id"))
        answer = await _history(conn, id_, call)
    await call.looked_up("order.history_read", "order", call.part("id"), ids=[call.part("id")])
    return answer


async def _history(conn: AsyncConnection, order_id: int, call: Call) -> OrderHistory:
    works = await history.of_order(conn, call.actor, order_id, call.now)
    return OrderHistory.model_validate(
        {
            "reviews": [_plain(asdict(each)) for each in await history.reviews(conn, order_id)],
            "work_orders": [task_view(each) for each in works],
            "replies": [asdict(each) for each in await history.replies(conn, order_id)],
            "surveys": [asdict(each) for each in await history.surveys(conn, order_id)],
            "attempts": [asdict(each) for each in await history.attempts(conn, order_id)],
            "coordinations": [asdict(each) for each in await happened.coordinations(conn, order_id)],
            "responses": [asdict(each) for each in await happened.responses(conn, order_id)],
            "agreements": [asdict(each) for each in await happened.agreements(conn, order_id)],
            "notices": [asdict(each) for each in await notices.of_order(conn, order_id)],
            "chases": [asdict(each) for each in await chasing.of_order(conn, order_id)],
            "remedies": [asdict(each) for each in await happened.remedies(conn, order_id)],
            "tracking": [asdict(each) for each in await tracking.of_order(conn, order_id, call.now)],
            "measures": remedies.measures(await store.nature_of(conn, order_id)),
        }
    )


def task_view(found: WorkOrderView) -> WorkOrderTask:
    """A work order as the interface shows it."""
    return WorkOrderTask.model_validate(_plain(asdict(found)))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


ROUTES = (
    order_step("answer", schemas.AnswerOrder, inputs.Answer, closing.answer, "Answered inside the call."),
    order_step(
        "hand_to_senior",
        schemas.HandToSenior,
        inputs.HandToSenior,
        dispatching.hand_to_senior,
        "To the seniors.",
    ),
    order_step("propose", schemas.ProposeDispatch, inputs.Propose, dispatching.propose, "Propose a dispatch."),
    order_step("send_back", schemas.SendBack, inputs.SendBack, dispatching.send_back, "Back to its author."),
    order_step("approve", schemas.ApproveDispatch, inputs.Dispatch, dispatching.approve, "Send what was proposed."),
    order_step("dispatch", schemas.DispatchOrder, inputs.Dispatch, dispatching.dispatch, "Dispatch."),
    order_step(
        "invalidate",
        schemas.InvalidateOrder,
        inputs.Invalidate,
        dispatching.invalidate,
        "No valid complaint.",
    ),
    order_step("solve", schemas.SolveOrder, inputs.Solve, dispatching.solve, "Solved without a dispatch."),
    order_step("reply", schemas.ReplyToCustomer, inputs.Reply, closing.reply, "What the customer was told."),
    order_step("rate", schemas.RateOrder, inputs.Rate, closing.rate, "What the surveyor heard."),
    order_step(
        "redispatch",
        schemas.RedispatchOrder,
        inputs.Redispatch,
        closing.redispatch,
        "Not satisfied: once more.",
    ),
    order_step("file", schemas.FileOrder, inputs.FileAway, closing.file_away, "Into the archive."),
    Route("orders.history", "GET", f"{_ORDER}/history", what_came_of_it, "What came of an order.", answer=OrderHistory),
    Route(
        "work_orders.list",
        "GET",
        "/api/work-orders",
        inbox,
        "The unit's inbox.",
        query=WorkOrderQuery,
        answer=WorkOrderList,
    ),
    Route("work_orders.show", "GET", _WORK, show, "One work order.", answer=WorkOrderTask),
    work_step("accept", schemas.WorkOrderStep, inputs.OnOrder, work.accept, "Take it."),
    work_step("begin", schemas.WorkOrderStep, inputs.OnOrder, work.begin, "The work has begun."),
    work_step("finish", schemas.FinishWork, inputs.Finish, work.finish, "The unit's answer."),
    order_step("pause", schemas.PauseOrder, inputs.Pause, pausing.pause, "The order stands still."),
    order_step("resume", schemas.ResumeOrder, inputs.OnOrder, pausing.resume, "It runs on."),
    order_step("to_archivist", schemas.ToArchivist, inputs.ToArchivist, control.to_archivist, "To the archivist."),
    order_step("report", schemas.ReportSuggestion, inputs.Report, control.report, "Report in a digest."),
    work_step("to_head", schemas.ForReason, inputs.ForReason, rework.to_head, "The head decides."),
    work_step("take_back", schemas.TakeBack, inputs.TakeBack, rework.take_back, "The unit goes on."),
    work_step("return", schemas.Intervene, inputs.Intervene, rework.give_back, "Back to the centre."),
    work_step("transfer", schemas.TransferWork, inputs.Transfer, rework.transfer, "To another unit."),
    work_step("supplement", schemas.SupplementWork, inputs.Supplement, rework.supplement, "Change task or limit."),
    work_step("recall", schemas.Intervene, inputs.Intervene, rework.recall, "The centre takes it back."),
    work_step("acknowledge", schemas.WorkOrderStep, inputs.OnOrder, rework.acknowledge, "Read what was changed."),
)
