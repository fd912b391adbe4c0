"""What a department takes at once, asks for and attaches, and the limits a supervisor gives (PX-04, PX-05)."""

from dataclasses import asdict

from aiohttp import web

from cti.web.areas.orders import named
from cti.web.areas.papers import give
from cti.web.areas.workflow import order_step, task_view, work_step
from cti.web.messages import message
from cti.web.route import Call, Route
from cti.web.schemas import department as schemas
from cti.web.schemas.department import (
    AcceptAll,
    AttachFile,
    AttachmentList,
    AttachmentView,
    ExtensionList,
    ExtensionView,
    TakenList,
    TakenView,
)
from cti.web.schemas.steps import DecideWithOpinion
from cti.web.schemas.workflow import WorkOrderTask
from ticketing.attachments import actions as attachments
from ticketing.attachments import store as files
from ticketing.orders import extending, history, inputs, reassigning, step_inputs, store, work
from ticketing.papers.rules import LARGEST

__all__ = ["ROUTES"]

_ORDER = "/api/orders/{id:[A-Za-z0-9_-]{1,64}}"
_WORK = "/api/work-orders/{id:[A-Za-z0-9_-]{1,64}}"


async def accept_all(call: Call) -> TakenList:
    """Take several work orders; each is taken or refused by itself."""
    given = [inputs.OnOrder(each.id, each.version) for each in call.input(AcceptAll).items]
    answer = []
    async with named(call) as conn:
        taken = await work.accept_all(conn, call.actor, given, call.now)
        for each in taken:
            if each.refusal is not None:
                refusal = each.refusal
                why = message(refusal.code, type(refusal).default_code, call.language, refusal.message)
                answer.append(TakenView(id=each.id, work_order=None, code=refusal.code, message=why))
                continue
            found, _ = await history.one(conn, call.actor, each.id, call.now)
            answer.append(TakenView(id=each.id, work_order=task_view(found), code=None, message=None))
    call.changed(*(each.change for each in taken if each.change is not None))
    return TakenList(items=answer)


async def attach(call: Call) -> WorkOrderTask:
    """Keep a photograph, scan, PDF or text with a work order; what it is, its content says."""
    said = call.filters(AttachFile)
    given = attachments.Attach(call.part("id"), said.version, name=said.name, data=call.upload, files=call.deps.files)
    async with named(call) as conn:
        change = await attachments.attach(conn, call.actor, given, call.now)
        found, _ = await history.one(conn, call.actor, call.part("id"), call.now)
    call.changed(change)
    return task_view(found)


async def attached(call: Call) -> AttachmentList:
    """Files of the work orders of an order one may see."""
    async with call.deps.database.read() as conn:
        id_ = await store.id_of(conn, call.actor, call.part("id"))
        found = await files.of_order(conn, id_)
    await call.looked_up("order.attachments_listed", "order", call.part("id"), ids=[each.id for each in found])
    return AttachmentList(items=[AttachmentView.model_validate(asdict(each)) for each in found])


async def download(call: Call) -> web.StreamResponse:
    """A file of a work order; logged before a byte is given."""
    async with call.deps.database.read() as conn:
        id_ = await store.id_of(conn, call.actor, call.part("id"))
        found, key = await files.one(conn, id_, call.part("file"))
    return await give(call, found, key, "order")


async def extensions(call: Call) -> ExtensionList:
    """Wishes for a later limit that wait for the supervisor."""
    async with call.deps.database.read() as conn:
        found = await extending.waiting(conn, call.actor)
    await call.looked_up("extension.listed", "work_order", "list", ids=[each.work_order for each in found])
    return ExtensionList(items=[ExtensionView.model_validate(asdict(each)) for each in found])


ROUTES = (
    Route(
        "work_orders.accept_all",
        "POST",
        "/api/work-orders/accept",
        accept_all,
        "Take several at once.",
        body=AcceptAll,
        answer=TakenList,
        idempotent=True,
    ),
    work_step("ask_extension", schemas.AskExtension, step_inputs.AskExtension, extending.ask, "Ask for a later limit."),
    work_step(
        "grant_extension", schemas.GrantExtension, step_inputs.GrantExtension, extending.grant, "Give a later limit."
    ),
    work_step("refuse_extension", DecideWithOpinion, step_inputs.Opinion, extending.refuse, "The limit stays."),
    order_step("reassign", schemas.Reassign, step_inputs.Reassign, reassigning.reassign, "To somebody else."),
    work_step("reassign_work", schemas.Reassign, step_inputs.Reassign, reassigning.reassign_work, "To somebody else."),
    Route(
        "work_orders.attach",
        "POST",
        f"{_WORK}/files",
        attach,
        "Keep a photograph, scan, PDF or text with a work order.",
        query=AttachFile,
        answer=WorkOrderTask,
        status=201,
        idempotent=True,
        upload_cap=LARGEST,
    ),
    Route(
        "orders.attachments",
        "GET",
        f"{_ORDER}/attachments",
        attached,
        "Files of an order's work orders.",
        answer=AttachmentList,
    ),
    Route(
        "orders.attachment",
        "GET",
        f"{_ORDER}/attachments/{{file:[A-Za-z0-9_-]{{1,64}}}}",
        download,
        "A file of a work order; takes Range.",
        media_type="application/octet-stream",
    ),
    Route("extensions.list", "GET", "/api/extensions", extensions, "Later limits asked for.", answer=ExtensionList),
)
