"""Use cases of the hand-over: nobody signs off with what only he has, or he gives all of it away. Never commit."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.callbacks import store as callbacks
from ticketing.callbacks import workflow as callback_workflow
from ticketing.callbacks.model import QUEUE as CALLBACK_QUEUE
from ticketing.callbacks.model import Verb as CallbackVerb
from ticketing.changes import Change
from ticketing.errors import Invalid, Refused
from ticketing.handover import store
from ticketing.handover.model import HandOver, Hanging, Kind
from ticketing.intake import rules as item_rules
from ticketing.intake import store as items
from ticketing.intake.model import QUEUE as ITEM_QUEUE
from ticketing.intake.model import State as ItemState
from ticketing.intake.model import Verb as ItemVerb
from ticketing.orders import ledger, reassigning
from ticketing.papers import rules as paper_rules
from ticketing.papers import store as papers
from ticketing.papers.model import QUEUE as PAPER_QUEUE
from ticketing.papers.model import Original
from ticketing.papers.model import State as PaperState
from ticketing.papers.model import Verb as PaperVerb
from ticketing.roles import SYSTEM, Action, Actor, may
from ticketing.staff.model import Staff
from ticketing.surveys import store as surveys
from ticketing.surveys.model import State as SurveyState

#: the reason written on everything that is handed over at sign-off: leaf of taxonomy reassign_reason
SHIFT: Final = "shift"
SURVEY_QUEUE: Final = "survey"


async def free_to_go(conn: AsyncConnection, actor: Actor) -> None:
    """Before a sign-off; raises Refused `work_hangs_on_you` with the list of what is his alone (TL-44)."""
    found = await store.hanging(conn, actor.staff_id)
    if found:
        told = [_told(each) for each in found]
        raise Refused("work_hangs_on_you", "hand over first what only you have", hanging=told)


async def hand_over(conn: AsyncConnection, actor: Actor, given: HandOver, now: datetime) -> tuple[Change, ...]:
    """Everything that is his alone goes to a colleague, or each thing to the queue of its kind, in this transaction.

    Raises NotFound for a colleague who is not on the list, Invalid for himself, and for one whose post cannot go on
    with one of them, which is named.
    """
    to = await reassigning.person_of(conn, given.person)
    if to is not None and to.id == actor.staff_id:
        raise Invalid("not_yourself", "somebody else takes it over", field="person")
    found = await store.hanging(conn, actor.staff_id)
    return tuple([await hand(conn, actor, each, to, now) for each in found])


def _told(each: Hanging) -> dict[str, Any]:
    said = asdict(each)
    return said | {"kind": each.kind.value, "due_at": each.due_at.isoformat() if each.due_at else None}


async def hand(
    conn: AsyncConnection, actor: Actor, one: Hanging, to: Staff | None, now: datetime, *, reason: str = SHIFT
) -> Change:
    """One thing changes hands; each kind by its own store, so that version, trail and audit are as always."""
    match one.kind:
        case Kind.DRAFT | Kind.ORDER:
            held = await ledger.hold(conn, SYSTEM, one.id)
            said = {"reason": reason}
            return await reassigning.give(conn, actor, held, to, now, said=said, fact="order.handed_over")
        case Kind.CALLBACK:
            return await _callback(conn, actor, one, to, now, reason=reason)
        case Kind.ITEM:
            return await _item(conn, actor, one, to, now, reason=reason)
        case Kind.PAPER:
            return await _paper(conn, actor, one, to, now, reason=reason)
        case Kind.FOLLOW_UP:
            return await _follow_up(conn, actor, one, to, now)


def _owner(to: Staff | None, queue: str) -> dict[str, Any]:
    return {"owner_id": to.id, "owner_queue": None} if to else {"owner_id": None, "owner_queue": queue}


def _able(to: Staff | None, action: Action, one: Hanging) -> None:
    if to is not None and not may(to.posts, action):
        raise Invalid("cannot_take_it", "his post cannot go on with it", field="person", serial=one.serial)


async def _callback(
    conn: AsyncConnection, actor: Actor, one: Hanging, to: Staff | None, now: datetime, *, reason: str
) -> Change:
    _able(to, Action.VIEW_CALLBACKS, one)
    held = await callbacks.hold(conn, one.id)
    state = callback_workflow.advance(callback_workflow.Situation(held.state, held.mode), CallbackVerb.REASSIGN)
    said = {"owner": to.number if to else CALLBACK_QUEUE, "was": actor.number, "reason": reason}
    step = callbacks.Step("callback.handed_over", state, _owner(to, CALLBACK_QUEUE), said)
    return await callbacks.write(conn, actor, held, step, now)


async def _item(
    conn: AsyncConnection, actor: Actor, one: Hanging, to: Staff | None, now: datetime, *, reason: str
) -> Change:
    _able(to, Action.WORK_ITEMS, one)
    held = await items.hold(conn, one.id)
    state = held.state
    if to is not None or state is ItemState.CLAIMED:
        state = item_rules.step(state, ItemVerb.REASSIGN if to else ItemVerb.RELEASE)
    values = _owner(to, ITEM_QUEUE) | {"claimed_at": now if to else None}
    said = {"was": actor.number, "reason": reason}
    return await items.write(conn, actor, "item.handed_over", held, state, values, now, said=said)


async def _paper(
    conn: AsyncConnection, actor: Actor, one: Hanging, to: Staff | None, now: datetime, *, reason: str
) -> Change:
    _able(to, Action.WORK_PAPERS, one)
    held = await papers.hold(conn, one.id)
    state = held.state
    if to is not None or state is PaperState.CLAIMED:
        state = paper_rules.step(state, PaperVerb.REASSIGN if to else PaperVerb.RELEASE)
    values = _owner(to, PAPER_QUEUE) | {"state": state.value, "claimed_at": now if to else None}
    if to is not None and held.original is Original.CLERK:
        values["holder"] = to.number
    said = {"was": actor.number, "reason": reason}
    return await papers.write(conn, actor, "paper.handed_over", held, values, now, said=said)


async def _follow_up(conn: AsyncConnection, actor: Actor, one: Hanging, to: Staff | None, now: datetime) -> Change:
    _able(to, Action.SURVEY, one)
    held = await surveys.hold(conn, one.id)
    state = SurveyState.CLAIMED if to else SurveyState.NEW
    values = _owner(to, SURVEY_QUEUE) | {"claimed_at": now if to else None}
    return await surveys.write(conn, actor, "follow_up.handed_over", held, state, values, now)
