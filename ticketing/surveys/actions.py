"""Use cases of grades: taken once, a bad one is followed up by a surveyor (TL-08, SV-05). Never commit."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit
from ticketing.changes import Change
from ticketing.errors import Invalid, Refused
from ticketing.roles import Action, Actor, require
from ticketing.surveys import rules, store
from ticketing.surveys.model import NewGrade, State, Verb
from ticketing.surveys.rules import Scale
from ticketing.surveys.store import Held
from ticketing.text import clean


async def take_grade(
    conn: AsyncConnection, actor: Actor, given: NewGrade, scale: Scale, now: datetime
) -> tuple[Change, ...]:
    """Stores the grade of a call with its agent and its order; a bad one opens one follow-up.

    Idempotent by call: told again nothing changes and nothing is said. A grade that the scale does not have is kept
    and followed by nobody: what the caller pressed is a fact.
    """
    order_id = await store.order_of_call(conn, given.call_id)
    result_id = await store.add_result(conn, given, order_id)
    if result_id is None:
        return ()
    payload = {"grade": given.grade, "agent": given.agent}
    await audit.record(conn, actor, "grade.taken", "call", given.call_id, payload, now)
    taken = Change("grade.taken", given.call_id, 0, now, payload)
    grade = scale.grades.get(given.grade)
    if grade is None or not grade.bad:
        return (taken,)
    rules.step(None, Verb.OPEN)
    due_at = given.at + scale.due
    values = {"owner_queue": scale.queue, "due_at": due_at}
    public_id = await store.open_one(conn, actor, result_id, values, now)
    said = {"state": State.NEW.value, "version": 1, "call_id": given.call_id, "grade": given.grade}
    await audit.record(conn, actor, "follow_up.opened", "follow_up", public_id, said, now)
    return (taken, Change("follow_up.opened", public_id, 1, now, said))


async def claim(conn: AsyncConnection, actor: Actor, public_id: str, version: int, now: datetime) -> Change:
    """Takes a follow-up. Raises Refused when another surveyor has it."""
    require(actor, Action.SURVEY)
    held = await store.hold(conn, public_id, version)
    to = rules.step(held.state, Verb.CLAIM)
    values = {"owner_id": actor.staff_id, "owner_queue": None, "claimed_at": now}
    return await store.write(conn, actor, "follow_up.claimed", held, to, values, now)


async def release(  # noqa: PLR0917 - as the page says it
    conn: AsyncConnection, actor: Actor, public_id: str, version: int, scale: Scale, now: datetime
) -> Change:
    """Gives it back to the queue."""
    require(actor, Action.SURVEY)
    held = await store.hold(conn, public_id, version)
    to = rules.step(held.state, Verb.RELEASE)
    _mine(actor, held)
    values = {"owner_id": None, "owner_queue": scale.queue, "claimed_at": None}
    return await store.write(conn, actor, "follow_up.released", held, to, values, now)


async def finish(  # noqa: PLR0917 - as the page says it
    conn: AsyncConnection,
    actor: Actor,
    public_id: str,
    version: int,
    opinion: str,
    final_grade: str | None,
    scale: Scale,
    now: datetime,
) -> Change:
    """Ends it with the customer's opinion and, if he gave one, the grade he gives now (SV-05)."""
    require(actor, Action.SURVEY)
    held = await store.hold(conn, public_id, version)
    to = rules.step(held.state, Verb.FINISH)
    _mine(actor, held)
    said = clean(opinion, limit=2000)
    if not said:
        raise Invalid("required", "write down what the customer said", field="opinion")
    if final_grade is not None:
        rules.known(scale, final_grade, "final_grade")
    values = {"done_at": now, "opinion": said, "final_grade": final_grade}
    return await store.write(conn, actor, "follow_up.done", held, to, values, now)


def _mine(actor: Actor, held: Held) -> None:
    if held.row["owner_id"] != actor.staff_id:
        raise Refused("not_your_follow_up", "another surveyor has this follow-up", by=held.row["changed_by"])
