"""Papers: the register, one paper, its scans, the order it becomes, where its original lies (IN-25, CL-01, KB-11)."""

from dataclasses import asdict
from urllib.parse import quote

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.web.areas import orders
from cti.web.media import send
from cti.web.route import Call, Handler, Route
from cti.web.schemas.common import Input, Output
from cti.web.schemas.papers import (
    AddPaperFile,
    DiscardPaper,
    HandOver,
    MoveOriginal,
    OrderFiles,
    PaperFileView,
    PaperOrdered,
    PaperPage,
    PaperQuery,
    PaperStep,
    PaperView,
    ReassignPaper,
    RegisterPaper,
)
from ticketing.attachments.store import Attachment
from ticketing.orders import store as order_store
from ticketing.orders.model import Channel
from ticketing.papers import actions, store
from ticketing.papers.model import Move, NewPaper, Paper, PaperFile, PaperFilter
from ticketing.papers.rules import LARGEST

__all__ = ["ROUTES"]

_ONE = "/api/papers/{id:[A-Za-z0-9_-]{1,64}}"
_FILE = "{file:[A-Za-z0-9_-]{1,64}}"
_ORDER = "/api/orders/{id:[A-Za-z0-9_-]{1,64}}"


async def search(call: Call) -> PaperPage:
    """Papers by remaining time, the shortest first."""
    asked = call.filters(PaperQuery)
    wanted = PaperFilter(
        state=tuple(asked.state.split(",")) if asked.state else (),
        original=tuple(asked.original.split(",")) if asked.original else (),
        channel=asked.channel,
        serial=asked.serial,
        text=asked.q,
        mine=asked.mine,
        overdue=asked.overdue,
    )
    async with call.deps.database.read() as conn:
        page = await store.search(conn, call.actor, wanted, call.now, cursor=asked.cursor, limit=asked.limit)
    views = [paper_view(each) for each in page.items]
    ids = [view.id for view in views]
    await call.looked_up("paper.searched", "paper", "list", conditions=asked.model_dump(exclude_defaults=True), ids=ids)
    return PaperPage(items=views, next_cursor=page.next_cursor)


async def show(call: Call) -> PaperView:
    """One paper with its scans and the way of its original."""
    async with call.deps.database.read() as conn:
        view = await read(call, conn, call.part("id"))
    await call.looked_up("paper.read", "paper", view.id, ids=[view.id])
    return view


async def register(call: Call) -> PaperView:
    """Write one into the register; whoever does it has it."""
    given = call.input(RegisterPaper)
    new = NewPaper(
        channel=Channel(given.channel),
        received_at=given.received_at,
        sender=given.sender,
        number=given.number,
        unit=given.unit,
        subject=given.subject,
        mail_number=given.mail_number,
        customer=given.customer_id,
        original=given.original,
    )
    async with call.write() as conn:
        change = await actions.register(conn, call.actor, new, call.now)
        view = await read(call, conn, change.subject_id)
    call.changed(change)
    return view


async def add_file(call: Call) -> PaperFileView:
    """Keep a scan, PDF or text with a paper; what it is, its content says."""
    name = call.filters(AddPaperFile).name
    async with call.write() as conn:
        change, file_id = await actions.add_file(
            conn, call.actor, call.deps.files, call.part("id"), name, call.upload, call.now
        )
        found, _ = await store.file_of_paper(conn, call.part("id"), file_id)
    call.changed(change)
    return file_view(found)


async def download(call: Call) -> web.StreamResponse:
    """A scan of a paper; logged before a byte is given."""
    async with call.deps.database.read() as conn:
        found, key = await store.file_of_paper(conn, call.part("id"), call.part("file"))
    return await give(call, found, key, "paper")


async def order_files(call: Call) -> OrderFiles:
    """Scans of the papers an order one may see came from."""
    async with call.deps.database.read() as conn:
        id_ = await order_store.id_of(conn, call.actor, call.part("id"))
        found = await store.files_of_order(conn, id_)
    await call.looked_up("order.files_listed", "order", call.part("id"), ids=[each.id for each in found])
    return OrderFiles(items=[file_view(each) for each in found])


async def order_file(call: Call) -> web.StreamResponse:
    """A scan of an order's paper; logged before a byte is given."""
    async with call.deps.database.read() as conn:
        id_ = await order_store.id_of(conn, call.actor, call.part("id"))
        found, key = await store.file_of_order(conn, id_, call.part("file"))
    return await give(call, found, key, "order")


async def give(call: Call, found: PaperFile | Attachment, key: str, whose: str) -> web.StreamResponse:
    """The file as an attachment that no browser runs, after the look is on record (AU-01)."""
    said = {"file": found.id, "sha256": found.sha256}
    await call.looked_up(f"{whose}.file_read", whose, call.part("id"), conditions=said, ids=[found.id])
    file = await call.deps.files.open(key)
    return await send(
        call.request,
        file,
        size=found.size,
        content_type=found.media_type,
        etag=f'"{found.sha256}"',
        disposition=f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
    )


async def claim(call: Call) -> PaperView:
    """Take it, to enter it."""
    given = call.input(PaperStep)
    async with call.write() as conn:
        change = await actions.claim(conn, call.actor, call.part("id"), given.version, call.now)
        view = await read(call, conn, call.part("id"))
    call.changed(change)
    return view


async def release(call: Call) -> PaperView:
    """Give it back to the queue."""
    given = call.input(PaperStep)
    async with call.write() as conn:
        change = await actions.release(conn, call.actor, call.part("id"), given.version, call.now)
        view = await read(call, conn, call.part("id"))
    call.changed(change)
    return view


async def reassign(call: Call) -> PaperView:
    """Hand it to another clerk."""
    given = call.input(ReassignPaper)
    async with call.write() as conn:
        change = await actions.reassign(
            conn,
            call.actor,
            call.part("id"),
            given.version,
            given.number,
            call.now,
            reason=given.reason,
            note=given.note,
        )
        view = await read(call, conn, call.part("id"))
    call.changed(change)
    return view


async def to_order(call: Call) -> PaperOrdered:
    """Make a draft of it; once more for a second complaint in the same paper."""
    given = call.input(PaperStep)
    async with orders.named(call) as conn:
        made = await actions.to_order(conn, call.actor, call.part("id"), given.version, call.now)
        paper = await read(call, conn, call.part("id"))
        answer = PaperOrdered(paper=paper, order=await orders.read(call, conn, made.order.subject_id))
    call.changed(*made.changes)
    return answer


async def discard(call: Call) -> PaperView:
    """Put it away with a coded reason."""
    given = call.input(DiscardPaper)
    async with call.write() as conn:
        change = await actions.discard(
            conn, call.actor, call.part("id"), given.version, given.reason, given.note, call.now
        )
        view = await read(call, conn, call.part("id"))
    call.changed(change)
    return view


async def hand_over(call: Call) -> PaperView:
    """Give the original to the archivist."""
    given = call.input(HandOver)
    return await _move(call, given.version, actions.Custody(Move.HAND_OVER, given.to, note=given.note))


async def keep_original(call: Call) -> PaperView:
    """File the original, refuse it, lend it, take it back."""
    given = call.input(MoveOriginal)
    return await _move(call, given.version, actions.Custody(Move(given.move), given.to, given.place, given.note))


async def _move(call: Call, version: int, step: actions.Custody) -> PaperView:
    async with call.write() as conn:
        change = await actions.move_original(conn, call.actor, call.part("id"), version, step, call.now)
        view = await read(call, conn, call.part("id"))
    call.changed(change)
    return view


async def read(call: Call, conn: AsyncConnection, public_id: str) -> PaperView:
    """One paper as the page shows it."""
    return paper_view(await store.get(conn, public_id, call.now))


def paper_view(found: Paper) -> PaperView:
    """A paper as the interface shows it."""
    said = asdict(found)
    return PaperView.model_validate(said | {name: list(said[name]) for name in ("files", "custody", "orders")})


def file_view(found: PaperFile) -> PaperFileView:
    """A file as the interface shows it."""
    return PaperFileView.model_validate(asdict(found))


def _step(  # noqa: PLR0917 - a route in one line
    name: str, path: str, handler: Handler, says: str, body: type[Input], answer: type[Output] = PaperView
) -> Route:
    return Route(f"papers.{name}", "POST", f"{_ONE}/{path}", handler, says, body=body, answer=answer, idempotent=True)


ROUTES = (
    Route("papers.list", "GET", "/api/papers", search, "The register of papers.", query=PaperQuery, answer=PaperPage),
    Route("papers.show", "GET", _ONE, show, "One paper.", answer=PaperView),
    Route(
        "papers.create",
        "POST",
        "/api/papers",
        register,
        "Write a paper into the register.",
        body=RegisterPaper,
        answer=PaperView,
        status=201,
        idempotent=True,
    ),
    Route(
        "papers.add_file",
        "POST",
        f"{_ONE}/files",
        add_file,
        "Keep a scan, PDF or text with a paper.",
        query=AddPaperFile,
        answer=PaperFileView,
        status=201,
        idempotent=True,
        upload_cap=LARGEST,
    ),
    Route(
        "papers.file",
        "GET",
        f"{_ONE}/files/{_FILE}",
        download,
        "A scan of a paper; takes Range.",
        media_type="application/octet-stream",
    ),
    _step("claim", "claim", claim, "Take a paper.", PaperStep),
    _step("release", "release", release, "Give it back.", PaperStep),
    _step("reassign", "reassign", reassign, "Hand it on.", ReassignPaper),
    _step("to_order", "to-order", to_order, "Make an order of it.", PaperStep, PaperOrdered),
    _step("discard", "discard", discard, "Put it away.", DiscardPaper),
    _step("hand_over", "hand-over", hand_over, "Give the original to the archivist.", HandOver),
    _step("keep_original", "original", keep_original, "Where the original goes.", MoveOriginal),
    Route("orders.files", "GET", f"{_ORDER}/files", order_files, "Scans of an order's papers.", answer=OrderFiles),
    Route(
        "orders.file_of_paper",
        "GET",
        f"{_ORDER}/files/{_FILE}",
        order_file,
        "A scan of an order's paper; takes Range.",
        media_type="application/octet-stream",
    ),
)
