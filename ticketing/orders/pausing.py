"""Use cases of the control beside the state: an order is paused and runs on (T26). Never commit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import taxonomy
from ticketing.changes import Change
from ticketing.clocks import store as clocks
from ticketing.days import day_of
from ticketing.errors import Invalid, Refused
from ticketing.orders import drafts, fields, ledger, workflow
from ticketing.orders.inputs import OnOrder, Pause
from ticketing.orders.ledger import Step
from ticketing.orders.model import Control
from ticketing.orders.tables import work_order
from ticketing.orders.workflow import Verb
from ticketing.roles import Actor


async def pause(conn: AsyncConnection, actor: Actor, given: Pause, now: datetime) -> Change:
    """T26: no step is taken until it is resumed; the internal clocks stand still, never the dispatch hour, the promise
    or the legal limit (MN-04).

    Raises Invalid for an expected resumption that is not still to come.
    """
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    note = fields.text("note", given.note, 500, lines=True) if given.note else None
    said = {"reason": given.reason, "resume_expected_at": given.resume_expected_at}
    decision = workflow.advance(drafts.situation(held), Verb.PAUSE, actor.posts, said)
    if given.resume_expected_at.tzinfo is None or given.resume_expected_at <= now:
        raise Invalid("in_the_past", "say when it should go on", field="resume_expected_at", earliest=now.isoformat())
    await taxonomy.leaf(conn, "order_pause_reason", given.reason, day_of(now), field="reason")
    await drafts.turn(conn, held, decision, now)
    await _write_limits(conn, await clocks.pause(conn, held.id, now))
    values: dict[str, Any] = {
        "control": Control.PAUSED.value,
        "pause_reason": given.reason,
        "resume_expected_at": given.resume_expected_at,
    }
    payload = {"reason": given.reason, "resume_expected_at": given.resume_expected_at.isoformat()}
    step = Step("order.paused", Verb.PAUSE, held.state, values, note=note, payload=payload)
    return await ledger.apply(conn, actor, held, step, now)


async def resume(conn: AsyncConnection, actor: Actor, given: OnOrder, now: datetime) -> Change:
    """T26: it goes on where it stood; every limit that stood still is later by the time paused (MN-03).

    Raises Refused for an order that runs.
    """
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    decision = workflow.advance(drafts.situation(held), Verb.RESUME, actor.posts, {})
    if held.control is not Control.PAUSED:
        raise Refused("not_paused", "the order runs", control=held.control.value)
    await drafts.turn(conn, held, decision, now)
    await _write_limits(conn, await clocks.resume(conn, held.id, now))
    values = {"control": Control.RUN.value, "pause_reason": None, "resume_expected_at": None}
    return await ledger.apply(conn, actor, held, Step("order.resumed", Verb.RESUME, held.state, values), now)


async def _write_limits(conn: AsyncConnection, limits: Mapping[int, datetime | None]) -> None:
    """Work orders show the limit of their clock: none while it stands still."""
    for id_, due_at in limits.items():
        await conn.execute(update(work_order).where(work_order.c.id == id_).values(due_at=due_at))
