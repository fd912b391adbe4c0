"""Threads of messages between the centre and the departments (MN-10)."""

from dataclasses import asdict

from cti.web.route import Call, Route
from cti.web.schemas.threads import (
    MessagePage,
    MessageQuery,
    MessageRead,
    MessageView,
    SayMessage,
    ThreadList,
    ThreadView,
)
from ticketing.days import day_of
from ticketing.threads import actions, store
from ticketing.threads.actions import Say

__all__ = ["ROUTES"]

_ALL = "/api/threads"
_ONE = f"{_ALL}/{{unit:[A-Za-z0-9_.-]{{1,64}}}}"


async def listed(call: Call) -> ThreadList:
    """Each thread one reaches, with what is unread."""
    async with call.deps.database.read() as conn:
        found = await store.threads(conn, call.actor, day_of(call.now))
    items = [ThreadView.model_validate(asdict(each)) for each in found]
    return ThreadList(items=items, unread=sum(each.unread for each in items))


async def show(call: Call) -> MessagePage:
    """What was said, the newest first."""
    wanted, unit = call.filters(MessageQuery), call.part("unit")
    async with call.deps.database.read() as conn:
        found = await store.page(conn, call.actor, unit, wanted.cursor, wanted.limit)
    await call.looked_up("thread.read", "thread", unit, ids=[each.id for each in found.items])
    return MessagePage(items=[_view(each) for each in found.items], next_cursor=found.next_cursor)


async def say(call: Call) -> MessageView:
    """Say something."""
    given, unit = call.input(SayMessage), call.part("unit")
    async with call.write() as conn:
        said = Say(unit, given.text, given.serial, given.number)
        change = await actions.say(conn, call.actor, said, call.now)
        _, made = await store.one(conn, call.actor, unit, change.subject_id)
    return _view(made)


async def read(call: Call) -> ThreadList:
    """Read up to a message; what is unread now."""
    given, unit = call.input(MessageRead), call.part("unit")
    async with call.write() as conn:
        await actions.read(conn, call.actor, unit, given.message, call.now)
    return await listed(call)


def _view(said: store.Said) -> MessageView:
    return MessageView.model_validate(asdict(said))


ROUTES = (
    Route("threads.list", "GET", _ALL, listed, "Threads of the departments.", answer=ThreadList),
    Route("threads.show", "GET", _ONE, show, "What was said.", query=MessageQuery, answer=MessagePage),
    Route(
        "threads.say",
        "POST",
        _ONE,
        say,
        "Say something.",
        body=SayMessage,
        answer=MessageView,
        status=201,
        idempotent=True,
    ),
    Route("threads.read", "POST", f"{_ONE}/read", read, "Read up to here.", body=MessageRead, answer=ThreadList),
)
