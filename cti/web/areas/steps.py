"""Steps beside the straight way, one route a verb, and what one has to follow through."""

from dataclasses import asdict

from cti.web.areas.workflow import order_step, work_step
from cti.web.route import Call, Route
from cti.web.schemas import steps as schemas
from cti.web.schemas.steps import OpenPoint, OpenPointDone, OpenPointList
from cti.web.schemas.workflow import CancelOrder, ForceEnd, ForReason, Intervene, SupplementWork
from ticketing.orders import (
    chasing,
    control,
    fieldwork,
    hearing,
    inputs,
    leading,
    proposing,
    remedies,
    rework,
    step_inputs,
    tracking,
)

__all__ = ["ROUTES"]

_POINT = "/api/open-points/{id:[A-Za-z0-9_-]{1,64}}"


async def open_points(call: Call) -> OpenPointList:
    """What one has to follow through, the longest overdue first (RT-07, RT-13, RP-07, RP-08)."""
    async with call.deps.database.read() as conn:
        found = await tracking.open_points(conn, call.actor, call.now)
    await call.looked_up("open_point.listed", "order", "open points", ids=[each.order_id for each in found])
    return OpenPointList(items=[OpenPoint.model_validate(asdict(each)) for each in found])


async def done(call: Call) -> OpenPointList:
    """One is done; answers what is left."""
    said = call.input(OpenPointDone)
    async with call.write() as conn:
        await tracking.done(conn, call.actor, call.part("id"), call.now, note=said.note, upward=said.upward)
        found = await tracking.open_points(conn, call.actor, call.now)
    return OpenPointList(items=[OpenPoint.model_validate(asdict(each)) for each in found])


ROUTES = (
    order_step("to_manager", schemas.ToManager, step_inputs.ToManager, control.to_manager, "To the manager hotline."),
    order_step("to_leader", schemas.ToLeader, step_inputs.ToLeader, leading.to_leader, "A question to a leader."),
    order_step("raise", schemas.RaiseToTop, step_inputs.Raise, leading.raise_, "To the top of the company."),
    order_step(
        "coordinate",
        schemas.CoordinateOrder,
        step_inputs.Coordinate,
        leading.coordinate,
        "The leader's decision.",
    ),
    order_step("cancel", CancelOrder, inputs.Stop, control.cancel, "Cancel."),
    order_step("ask_force_end", ForceEnd, inputs.Stop, proposing.ask_force_end, "Ask for an end by force."),
    order_step(
        "force_end", schemas.DecideWithOpinion, step_inputs.Opinion, proposing.force_end, "Confirm an end by force."
    ),
    order_step("keep", schemas.DecideWithOpinion, step_inputs.Opinion, proposing.keep, "No end by force."),
    order_step(
        "customer_adds",
        schemas.CustomerAdds,
        step_inputs.CustomerAdds,
        hearing.customer_adds,
        "What the customer adds.",
    ),
    order_step("tell", schemas.TellCustomer, step_inputs.Tell, hearing.tell, "What the customer was told."),
    order_step("remedy", schemas.GrantRemedy, step_inputs.Remedy, remedies.remedy, "A remedy."),
    order_step(
        "decide_remedy",
        schemas.DecideRemedy,
        step_inputs.DecideRemedy,
        remedies.decide_remedy,
        "A remedy above the limit.",
    ),
    order_step("chase", schemas.ChaseOrder, step_inputs.Chase, chasing.chase, "Urge whoever holds the work."),
    work_step(
        "propose_supplement",
        SupplementWork,
        inputs.Supplement,
        proposing.propose_supplement,
        "Propose another task or limit.",
    ),
    work_step("propose_recall", Intervene, inputs.Intervene, proposing.propose_recall, "Propose to take it back."),
    work_step(
        "approve_change",
        schemas.DecideWithOpinion,
        step_inputs.Opinion,
        proposing.approve_change,
        "Do what was proposed.",
    ),
    work_step(
        "refuse_change",
        schemas.RefuseChange,
        step_inputs.RefuseChange,
        proposing.refuse_change,
        "The proposed change is not made.",
    ),
    work_step(
        "assign_field",
        schemas.AssignField,
        step_inputs.AssignField,
        fieldwork.assign_field,
        "Send somebody to the place.",
    ),
    work_step("field_report", schemas.FieldReport, step_inputs.FieldReport, fieldwork.field_report, "From the place."),
    work_step("note", schemas.NoteWork, step_inputs.Note, fieldwork.note, "Add a message."),
    work_step("send_on", schemas.SendOnWork, step_inputs.SendOn, rework.send_on, "A returned one goes on."),
    work_step("drop", ForReason, inputs.ForReason, rework.drop, "A returned one is done by nobody."),
    Route("open_points.list", "GET", "/api/open-points", open_points, "What to follow through.", answer=OpenPointList),
    Route(
        "open_points.done",
        "POST",
        f"{_POINT}/done",
        done,
        "One is done.",
        body=OpenPointDone,
        answer=OpenPointList,
        idempotent=True,
    ),
)
