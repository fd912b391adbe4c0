"""What became of the sample orders after registration, written straight into the tables with its clocks and trail."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.clocks import store as clocks
from ticketing.clocks.model import Clock
from ticketing.clocks.store import NewClock
from ticketing.orders import ledger, process
from ticketing.orders.ledger import Held, Step
from ticketing.orders.model import LIVE_WORK, Control, State, WorkOrderState
from ticketing.orders.tables import commitment, work_order
from ticketing.roles import SYSTEM, Actor
from ticketing.staff import store as staff

_FINISHED = {"state": WorkOrderState.DONE.value, "owner_id": None, "owner_queue": None}


async def play(conn: AsyncConnection, public_id: str, step: Mapping[str, Any], at: datetime) -> None:
    """One step of a sample order's life: dispatch, done, close or to_archivist."""
    actor = (await staff.by_number(conn, step["by"])).actor if "by" in step else SYSTEM
    held = await ledger.hold(conn, SYSTEM, public_id)
    await _STEPS[step["do"]](conn, actor, held, step, at)


async def _dispatch(conn: AsyncConnection, actor: Actor, held: Held, step: Mapping[str, Any], at: datetime) -> None:
    due_at = at + timedelta(hours=step["limit_h"])
    made = await conn.execute(
        insert(work_order)
        .values(
            public_id=secrets.token_urlsafe(16),
            order_id=held.id,
            number=1,
            version=1,
            cycle=1,
            kind="work",
            state=WorkOrderState.WORKING.value,
            control=Control.RUN.value,
            unit=step["unit"],
            node_id=await process.node_of(conn, held.row["template_version_id"], step["unit"]),
            owner_queue=step["unit"],
            task=step["task"],
            dispatch_opinion=step["task"],
            urgent=held.row["urgent"] or held.row["vip_class"] is not None,
            limit_s=int(step["limit_h"] * 3600),
            due_at=due_at,
            dispatched_by=actor.staff_id,
            created_at=at,
            sent_at=at,
            delivered_at=at,
            accepted_at=at + timedelta(minutes=20),
            working_at=at + timedelta(minutes=30),
            changed_at=at + timedelta(minutes=30),
            form={},
        )
        .returning(work_order.c.id)
    )
    await clocks.stop(conn, held.id, at, "dispatch", codes=(Clock.HANDOFF, Clock.DISPATCH, Clock.URGENT))
    stage = NewClock(Clock.STAGE, at, "dispatch", given=due_at, work_order_id=made.scalar_one())
    await clocks.start(conn, held.id, [stage])
    values = {"owner_id": actor.staff_id, "owner_queue": None}
    payload = {"unit": step["unit"], "due_at": due_at.isoformat()}
    told = Step("order.dispatched", "dispatch", State.IN_PROCESS, values, note=step["task"], payload=payload)
    await ledger.apply(conn, actor, held, told, at)


async def _done(conn: AsyncConnection, actor: Actor, held: Held, step: Mapping[str, Any], at: datetime) -> None:
    live = work_order.c.state.in_([state.value for state in LIVE_WORK])
    said = {"result": step["result"], "cause": step["cause"], "handled_at": at, "ended_at": at, "changed_at": at}
    await conn.execute(update(work_order).where(work_order.c.order_id == held.id, live).values(**_FINISHED, **said))
    await clocks.stop(conn, held.id, at, "done", codes=(Clock.STAGE,))
    await clocks.start(conn, held.id, [NewClock(Clock.REPLY, at, "settle")])
    told = Step("order.answered_by_units", "settle", State.REPLYING, {}, note=step["result"])
    await ledger.apply(conn, actor, held, told, at)


async def _close(conn: AsyncConnection, actor: Actor, held: Held, step: Mapping[str, Any], at: datetime) -> None:
    await clocks.stop(conn, held.id, at, "reply")
    await conn.execute(update(commitment).where(commitment.c.order_id == held.id).values(kept_at=at))
    told = Step("order.closed", "reply", State.CLOSED, {"ended_at": at}, note=step["note"])
    await ledger.apply(conn, actor, held, told, at)


async def _to_archivist(conn: AsyncConnection, actor: Actor, held: Held, step: Mapping[str, Any], at: datetime) -> None:
    await clocks.stop(conn, held.id, at, "to_archivist", codes=(Clock.HANDOFF,))
    values = {"owner_id": None, "owner_queue": "archivist"}
    await ledger.apply(conn, actor, held, Step("order.at_archivist", "to_archivist", State.AT_ARCHIVIST, values), at)


_STEPS = {"dispatch": _dispatch, "done": _done, "close": _close, "to_archivist": _to_archivist}
