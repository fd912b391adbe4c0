"""Use cases of another owner: a supervisor hands an order or work order on, or its owner at sign-off. Never commit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import handing_on
from ticketing.changes import Change
from ticketing.errors import Invalid, NotFound, Refused
from ticketing.orders import drafts, holders, ledger, work, workflow
from ticketing.orders.ledger import Held, Step
from ticketing.orders.step_inputs import Reassign
from ticketing.orders.work import Done, HeldWork
from ticketing.orders.workflow import Verb
from ticketing.roles import Actor, Post
from ticketing.staff import store as staff
from ticketing.staff.model import Staff

_OFFICE = frozenset({Post.DS, Post.DH})


async def reassign(conn: AsyncConnection, actor: Actor, given: Reassign, now: datetime) -> Change:
    """A supervisor hands an order to somebody, or to the queue of its state, and says why (PX-04).

    Raises NotFound for who is not on the list, Invalid for whose post cannot go on with it, Refused when he has it.
    """
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    workflow.advance(drafts.situation(held), Verb.REASSIGN, actor.posts, {"reason": given.reason})
    said = await handing_on.reason(conn, given.reason, given.note, now)
    to = await person_of(conn, given.person)
    if (to.id if to else None) == held.row["owner_id"]:
        raise Refused("has_it_already", "it is there already", field="person")
    return await give(conn, actor, held, to, now, said=said, fact="order.reassigned")


async def reassign_work(conn: AsyncConnection, actor: Actor, given: Reassign, now: datetime) -> Change:
    """A supervisor hands a work order to somebody of its unit, or back to the unit's inbox, and says why (PX-04)."""
    held = await work.hold(conn, actor, given)
    workflow.advance(work.situation(held, now), Verb.REASSIGN_WORK, actor.posts, {"reason": given.reason})
    said = await handing_on.reason(conn, given.reason, given.note, now)
    to = await person_of(conn, given.person)
    if (to.id if to else None) == held.row["owner_id"]:
        raise Refused("has_it_already", "it is there already", field="person")
    return await give_work(conn, actor, held, to, now, said=said, fact="work_order.reassigned")


async def give(
    conn: AsyncConnection, actor: Actor, held: Held, to: Staff | None, now: datetime, *, said: dict[str, Any], fact: str
) -> Change:
    """Another owner of an order: a person whose post can go on with it, or the queue of its state; both are told."""
    if to is not None and not holders.may_hold(to.posts, held.state):
        raise Invalid("cannot_take_it", "his post cannot go on with it", field="person", serial=held.serial)
    queue = holders.queue_of(held.state)
    owner = {"owner_id": to.id, "owner_queue": None} if to else {"owner_id": None, "owner_queue": queue}
    told = {**said, "was": await _was(conn, actor, held.row), "to": to.number if to else queue}
    step = Step(fact, fact.partition(".")[2], held.state, owner, note=said.get("note"), payload=told)
    return await ledger.apply(conn, actor, held, step, now)


async def give_work(
    conn: AsyncConnection,
    actor: Actor,
    held: HeldWork,
    to: Staff | None,
    now: datetime,
    *,
    said: dict[str, Any],
    fact: str,
) -> Change:
    """Another owner of a work order: somebody of its unit, or its inbox; both are told."""
    unit = str(held.row["unit"])
    if to is not None:
        posts = frozenset({Post.FS}) if held.is_field else _OFFICE
        if to.unit != unit or not to.posts & posts:
            raise Invalid("cannot_take_it", "he does not work in this unit", field="person", unit=unit)
    elif held.is_field:
        raise Invalid("missing", "a task at the place is somebody's", field="person")
    if to is None:
        return await to_inbox(conn, actor, held, now, said=said, fact=fact)
    told = {**said, "was": await _was(conn, actor, held.row), "to": to.number}
    done = Done(fact, Verb.REASSIGN_WORK, held.state, {"owner_id": to.id, "owner_queue": None}, said.get("note"))
    return await work.change(conn, actor, held, done, now, payload=told)


async def to_inbox(
    conn: AsyncConnection, actor: Actor, held: HeldWork, now: datetime, *, said: dict[str, Any], fact: str
) -> Change:
    """A work order lies in its unit's inbox again."""
    unit = str(held.row["unit"])
    told = {**said, "was": await _was(conn, actor, held.row), "to": unit}
    done = Done(fact, Verb.REASSIGN_WORK, held.state, {"owner_id": None, "owner_queue": unit}, said.get("note"))
    return await work.change(conn, actor, held, done, now, payload=told)


async def person_of(conn: AsyncConnection, number: str | None) -> Staff | None:
    """An active person by 工号; None when nobody is named. Raises NotFound."""
    if number is None:
        return None
    person = await staff.by_number(conn, number)
    if not person.active:
        raise NotFound("unknown_staff", "he is not on the list any more", number=number, field="person")
    return person


async def _was(conn: AsyncConnection, actor: Actor, row: Any) -> str | None:
    """Who had it: 工号 or queue."""
    queue: str | None = row["owner_queue"]
    return queue or await ledger.number_of(conn, row["owner_id"], actor)
