"""Whatever clerks do in whatever order, no message disappears but by an order or a reasoned discard (IN-28)."""

from __future__ import annotations

import itertools
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from tests.intake.conftest import Leave
from tests.orders.desk import Desk
from ticketing.contacts.tables import contact_order
from ticketing.errors import HotlineError
from ticketing.intake import actions, rules
from ticketing.intake.model import ENDED, NewMessage, Sorted, State, Verb
from ticketing.intake.tables import intake_item
from ticketing.roles import SYSTEM

_RUNS = itertools.count(1)
_VERBS = st.sampled_from(["take", "claim", "release", "reassign", "to_order", "discard", "sort_out"])
_STEPS = st.tuples(_VERBS, st.integers(1, 3), st.sampled_from(["6001", "2001", "3001", "1001"]), st.booleans())


def test_the_table_leads_out_only_by_order_or_reason() -> None:
    out = {(source, verb) for (source, verb), to in rules.STEPS.items() if to in ENDED}
    assert {verb for _, verb in out} == {Verb.TO_ORDER, Verb.ABSORB, Verb.DISCARD}
    for state in set(State) - ENDED:
        assert any(source is state for source, _ in rules.STEPS), state
    assert {verb for source, verb in rules.STEPS if source in ENDED} == {Verb.TO_ORDER}


async def _do(desk: Desk, message: NewMessage, verb: str, who: str, good: bool) -> None:
    async with desk.database.write() as conn:
        row = (await conn.execute(select(intake_item).where(intake_item.c.key == rules.key_of(message.file)))).first()
        if verb == "take" or row is None:
            await actions.take(conn, SYSTEM, message, desk.now)
            return
        version = row.version if good else row.version - 1
        first = (conn, desk[who], row.public_id, version)
        if verb == "sort_out":
            await actions.sort_out(conn, SYSTEM, message, desk.now)
        elif verb == "reassign":
            await actions.reassign(*first, "6001" if good else "5001", desk.now, reason="absent")
        elif verb == "discard":
            await actions.discard(*first, "silent" if good else "", None, desk.now)
        else:
            await getattr(actions, verb)(*first, desk.now)


@pytest.mark.req("IN-28")
@given(steps=st.lists(_STEPS, min_size=1, max_size=25))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_message_disappears(desk: Desk, leave: Leave, steps: list[tuple[str, int, str, bool]]) -> None:
    run, taken = next(_RUNS), set()
    for verb, n, who, good in steps:
        message = leave(n, call_id=f"20260310013000-{run:012d}", sorted_out=Sorted.TONE if n == 3 else None)
        with suppress(HotlineError):
            await _do(desk, message, verb, who, good)
        taken.add(rules.key_of(message.file))
    async with desk.database.read() as conn:
        rows = (await conn.execute(select(intake_item).where(intake_item.c.key.in_(taken)))).all()
        assert {row.key for row in rows} == taken
        for row in rows:
            orders = await conn.scalar(
                select(func.count()).select_from(contact_order).where(contact_order.c.contact_id == row.contact_id)
            )
            assert (row.state == "done") is bool(orders)
            assert (row.state == "discarded") is (row.discard_reason is not None)
            assert (row.state in ENDED) is (row.ended_at is not None)
            assert row.ended_at is not None or (row.owner_id is None) is not (row.owner_queue is None)
