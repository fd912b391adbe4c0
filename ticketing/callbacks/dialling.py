"""What the dialler does with a booking, step by step, and what it is told: each step its own transaction. Never commit.

In order: `claim`, `reserve` (agent-first), `dial`, COMMIT, and only then the exchange is asked; afterwards `hear` of
what the exchange tells. Every step before the commit of `dial` can be given back by `release`; after it only facts
count.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import outbox
from ticketing.callbacks import rules, store, workflow
from ticketing.callbacks.model import Claim, Dial, Fact, Mode, Outcome, State, Verb
from ticketing.callbacks.policy import Policy
from ticketing.callbacks.store import Held, Step, Try
from ticketing.callbacks.tables import callback_attempt
from ticketing.changes import Change
from ticketing.clocks import rules as clocks
from ticketing.contacts import store as contacts
from ticketing.contacts.model import ContactKind, Direction, NewContact, Role
from ticketing.customers.tables import customer
from ticketing.errors import Invalid, Refused
from ticketing.intake import actions as intake
from ticketing.orders import actions as orders
from ticketing.orders import ledger
from ticketing.orders.inputs import DraftFromCall
from ticketing.roles import SYSTEM

#: topic of the outbox for what customers are told about their bookings; the key is the booking's serial
TOPIC: Final = "callback"
_FREE = {"lease_holder": None, "lease_until": None, "agent": None}
#: what it means that the channel of a customer who is called first has ended, when nothing else is told
_LEFT = {
    State.ANSWERED: Outcome.NOT_CONFIRMED,
    State.CONFIRMED: Outcome.ABANDONED,
    State.QUEUED: Outcome.ABANDONED,
}
#: what the exchange may tell of a customer who is called first, in order
_STEPS = (Verb.ANSWER, Verb.CONFIRM, Verb.QUEUE)


async def claim(conn: AsyncConnection, callback_id: int, holder: str, policy: Policy, now: datetime) -> Claim | None:
    """Takes a booking whose turn it is; None when another dialler was faster, or it is not due any more."""
    until = now + policy.lease
    held = await store.claim(conn, callback_id, holder, now, until)
    if held is None:
        return None
    step = Step("callback.claimed", State.CLAIMED, {}, {"holder": holder})
    await store.tell(conn, SYSTEM, held, step, held.version, now)
    return Claim(held.id, held.serial, holder, held.row["lease_epoch"], until)


async def reserve(conn: AsyncConnection, claim: Claim, agent: str, now: datetime) -> Change:
    """Writes down which agent is kept for it (P36); raises Stale when the claim is void."""
    held = await store.hold_claimed(conn, claim, now)
    to = workflow.advance(_situation(held), Verb.RESERVE)
    step = Step("callback.reserved", to, {"agent": agent}, {"agent": agent})
    return await store.write(conn, SYSTEM, held, step, now)


async def keep(conn: AsyncConnection, claim: Claim, policy: Policy, now: datetime) -> Claim:
    """Renews a claim while its agent's phone rings; raises Stale when it is void. What is being dialled needs none."""
    held = await store.hold_claimed(conn, claim, now)
    until = now + policy.lease
    await store.extend(conn, held, until)
    return replace(claim, until=until)


async def release(conn: AsyncConnection, claim: Claim, reason: str, now: datetime) -> Change:
    """Gives a booking back that was not dialled; the payload names the agent to be set free."""
    held = await store.hold_claimed(conn, claim, now)
    return await give_back(conn, held, reason, now)


async def give_back(conn: AsyncConnection, held: Held, reason: str, now: datetime) -> Change:
    """Back to pending, in its old place; the payload names the agent to be set free."""
    to = workflow.advance(_situation(held), Verb.RELEASE)
    said = {"reason": reason, "agent": held.row["agent"]}
    return await store.write(conn, SYSTEM, held, Step("callback.released", to, _FREE, said), now)


async def dial(conn: AsyncConnection, claim: Claim, policy: Policy, now: datetime) -> Dial:
    """Begins an attempt: after the commit, and only then, the exchange is asked once for exactly this channel (F19).

    Raises Stale when the claim is void, Refused in quiet hours and when the hour's calls are made, of the centre or
    with this agent (S06): the dialler then releases.
    """
    held = await store.hold_claimed(conn, claim, now)
    to = workflow.advance(_situation(held), Verb.DIAL)
    if not policy.calling.is_open(now):
        raise Refused("quiet_hours", "customers are not called now")
    room, spent = rules.caps(await store.begun(conn, policy.per_hour), policy, now)
    if not room or held.row["agent"] in spent:
        raise Refused("calls_of_the_hour", "as many calls as may be within an hour were made", agent=held.row["agent"])
    row, n = held.row, held.row["attempts"] + 1
    channel_id, call_id = f"cb-{held.serial}-{n}", f"{now:%Y%m%d%H%M%S}-{held.serial}{n:03d}"
    attempt = {
        "callback_id": held.id,
        "n": n,
        "channel_id": channel_id,
        "call_id": call_id,
        "agent": row["agent"],
        "holder": claim.holder,
        "epoch": claim.epoch,
        "state": State.DIALLING.value,
        "started_at": now,
    }
    await store.add_try(conn, attempt)
    values = {"attempts": n, "used": row["used"] + 1}
    said = {"n": n, "channel_id": channel_id, "call_id": call_id}
    await store.write(conn, SYSTEM, held, Step("callback.dialling", to, values, said), now)
    return Dial(
        callback_id=held.id,
        serial=held.serial,
        n=n,
        number=row["number"],
        channel_id=channel_id,
        call_id=call_id,
        mode=held.mode.value,
        queue=row["queue"],
        language=row["language"],
        priority=row["priority"],
        joined_at=row["place_at"],
        agent=row["agent"],
    )


async def hear(conn: AsyncConnection, fact: Fact, policy: Policy, now: datetime) -> list[Change]:
    """Takes over what the exchange tells of an attempt; told twice, late or of a channel not ours it changes nothing.

    CONNECT makes the contact of the outbound call, its draft, and joins to it the call the booking was made in and
    the messages merged with it.
    """
    if fact.what not in {Verb.CONNECT, Verb.MISS, *_STEPS}:
        raise Invalid("unknown_code", "not a fact of an attempt", field="what")
    found = await store.hold_channel(conn, fact.channel_id)
    if found is None:
        return []
    held, attempt = found
    judged = attempt.state in {State.CONNECTED, State.FAILED} or attempt.n != held.row["attempts"]
    if judged or (held.state, fact.what, held.mode) not in workflow.TRANSITIONS:
        return []
    if fact.what is Verb.CONNECT:  # also after a doubt, when the booking was already on its way to another attempt
        return await _connect(conn, held, attempt, fact, now)
    if fact.what is Verb.MISS:
        outcome = fact.outcome or _LEFT.get(held.state, Outcome.NO_ANSWER)
        return [await miss(conn, held, attempt, outcome, policy, now)]
    to = workflow.advance(_situation(held), fact.what)
    await store.write_try(conn, attempt, {"state": to.value})
    return [await store.write(conn, SYSTEM, held, Step(f"callback.{to.value}", to, {}, {"n": attempt.n}), now)]


async def decline(conn: AsyncConnection, channel_id: str, now: datetime) -> list[Change]:
    """The customer who was called says by key that he no longer wants it; empty when it is too late for that."""
    found = await store.hold_channel(conn, channel_id)
    if found is None:
        return []
    held, attempt = found
    if attempt.n != held.row["attempts"] or (held.state, Verb.DECLINE, held.mode) not in workflow.TRANSITIONS:
        return []
    to = workflow.advance(_situation(held), Verb.DECLINE)
    ended = {"state": State.FAILED.value, "outcome": Outcome.REJECTED.value, "ended_at": now}
    await store.write_try(conn, attempt, ended)
    values = {**_FREE, "ended_at": now, "end_reason": "customer", "outcome": "void"}
    said = {"n": attempt.n, "reason": "customer"}
    return [await store.write(conn, SYSTEM, held, Step("callback.cancelled", to, values, said), now)]


async def channel_of(conn: AsyncConnection, call_id: str) -> str | None:
    """Channel of the attempt with this call id."""
    found = await conn.scalar(select(callback_attempt.c.channel_id).where(callback_attempt.c.call_id == call_id))
    return None if found is None else str(found)


async def miss(  # noqa: PLR0917 - the pieces of one outcome
    conn: AsyncConnection, held: Held, attempt: Try, outcome: Outcome, policy: Policy, now: datetime
) -> Change:
    """The customer was not reached: again after a while, or, when nothing is left, onto the owner's list."""
    again = rules.retry_at(policy, held.row["used"], held.row["window_end"], now)
    to = workflow.advance(_situation(held, may_retry=again is not None), Verb.MISS)
    ended = {"state": State.FAILED.value, "outcome": outcome.value, "ended_at": now}
    await store.write_try(conn, attempt, ended)
    told = {"event": "callback.missed", "callback": held.public_id, "serial": held.serial, "state": to.value}
    told |= {"number": held.row["number"], "language": held.row["language"]}
    await outbox.put(conn, TOPIC, held.serial, told, now)
    return await _ended(conn, held, attempt, Step("callback.missed", to, {}, {"outcome": outcome.value}), again, now)


async def lose(conn: AsyncConnection, held: Held, attempt: Try, policy: Policy, now: datetime) -> Change:
    """Nobody can say what became of the attempt: a person is asked, or policy tries again (F19)."""
    again = rules.retry_at(policy, held.row["used"], held.row["window_end"], now)
    situation = _situation(held, may_retry=again is not None, policy=policy)
    to = workflow.advance(situation, Verb.LOSE)
    lost = {"state": State.UNKNOWN.value, "outcome": Outcome.UNKNOWN.value, "ended_at": now}
    await store.write_try(conn, attempt, lost)
    return await _ended(conn, held, attempt, Step("callback.lost", to, {}, {}), again, now)


async def _ended(  # noqa: PLR0917 - as above
    conn: AsyncConnection, held: Held, attempt: Try, step: Step, again: datetime | None, now: datetime
) -> Change:
    values: dict[str, Any] = dict(_FREE)
    if step.to is State.PENDING and again is not None:
        values["next_at"] = again
    said = {**(step.payload or {}), "n": attempt.n, "agent": held.row["agent"]}
    return await store.write(conn, SYSTEM, held, Step(step.fact, step.to, values, said), now)


async def _connect(conn: AsyncConnection, held: Held, attempt: Try, fact: Fact, now: datetime) -> list[Change]:
    row, agent = held.row, fact.agent or held.row["agent"]
    to = workflow.advance(_situation(held), Verb.CONNECT)
    outbound = NewContact(
        kind=ContactKind.CALL,
        at=attempt.started_at,
        direction=Direction.OUT,
        external_id=attempt.call_id,
        customer_id=row["customer_id"],
        number=row["number"],
        queue=row["queue"],
    )
    await contacts.record(conn, outbound)
    given = DraftFromCall(
        call_id=attempt.call_id,
        agent_number=agent or "",
        caller_number=row["number"],
        dnis=row["dnis"],
        answered_at=fact.at,
        customer=await conn.scalar(select(customer.c.public_id).where(customer.c.id == row["customer_id"])),
        queue=row["queue"],
    )
    drafted = await orders.draft_at_answer(conn, SYSTEM, given, now)
    order = await ledger.hold_call(conn, attempt.call_id)
    assert order is not None  # it was made in the line before
    if row["contact_id"] is not None:
        await contacts.join(conn, row["contact_id"], order.id, Role.FIRST, now)
    done = {"state": State.CONNECTED.value, "outcome": Outcome.CONNECTED.value, "agent": agent, "ended_at": now}
    await store.write_try(conn, attempt, done)
    judged = clocks.outcome(row["due_at"], fact.at)
    values = {
        **_FREE,
        "ended_at": now,
        "end_reason": "connected",
        "outcome": judged.value,
        "order_id": order.id,
    }
    said = {"n": attempt.n, "agent": agent, "order": order.public_id}
    change = await store.write(conn, SYSTEM, held, Step("callback.connected", to, values, said), now)
    merged = await intake.absorb(conn, SYSTEM, held.id, order.id, now)
    return [drafted, change, *merged]


def _situation(held: Held, *, may_retry: bool = False, policy: Policy | None = None) -> workflow.Situation:
    if policy is None:
        return workflow.Situation(held.state, Mode(held.mode), may_retry)
    return workflow.Situation(held.state, Mode(held.mode), may_retry, policy.on_unknown)
