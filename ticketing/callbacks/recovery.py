"""After a crash, a lost link or a restarted exchange: what becomes of callbacks a dialler had. Never commits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.callbacks import dialling, store
from ticketing.callbacks.model import IN_FLIGHT, Outcome
from ticketing.callbacks.policy import Policy
from ticketing.callbacks.store import Held, Step
from ticketing.changes import Change
from ticketing.roles import SYSTEM


async def recover(
    conn: AsyncConnection,
    holder: str,
    live_channels: Collection[str] | None,
    policy: Policy,
    now: datetime,
    *,
    ended: Mapping[str, Outcome] | None = None,
) -> list[Change]:
    """Decides about every booking whose dialler is gone, and about this holder's own attempts (F19, TL-70).

    `live_channels`: ids of the channels the exchange has now, None when it cannot be asked: nothing is then decided
    about an attempt. `ended`: channels whose end its journals tell. Claimed or reserved, nothing was dialled: back to
    its place, at once when the lease has run out. Under way: taken over if the channel lives, judged if its end is
    known, unknown if it is gone and older than the policy's `settle`, else left for the next look. Nothing is dialled
    here, and an attempt is never begun a second time.
    """
    changes = []
    for held in await store.hold_stranded(conn, holder, now):
        change = await _decide(conn, held, holder, live_channels, ended or {}, policy, now)
        if change is not None:
            changes.append(change)
    return changes


async def _decide(  # noqa: PLR0917 - everything the decision rests on
    conn: AsyncConnection,
    held: Held,
    holder: str,
    live_channels: Collection[str] | None,
    ended: Mapping[str, Outcome],
    policy: Policy,
    now: datetime,
) -> Change | None:
    if held.state not in IN_FLIGHT:
        return await dialling.give_back(conn, held, "lease_expired", now)
    attempt = await store.last_try(conn, held)
    assert attempt is not None  # the row is in flight because of it
    if attempt.channel_id in ended:
        return await dialling.miss(conn, held, attempt, ended[attempt.channel_id], policy, now)
    if live_channels is None:
        return None
    if attempt.channel_id not in live_channels:
        gone = attempt.started_at + policy.settle <= now
        return await dialling.lose(conn, held, attempt, policy, now) if gone else None
    if held.row["lease_holder"] == holder:
        await store.extend(conn, held, now + policy.lease)
        return None
    values = {"lease_holder": holder, "lease_until": now + policy.lease, "lease_epoch": held.row["lease_epoch"] + 1}
    step = Step("callback.adopted", held.state, values, {"n": attempt.n, "agent": held.row["agent"]})
    return await store.write(conn, SYSTEM, held, step, now)
