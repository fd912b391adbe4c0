"""How many calls the product places within an hour, of the whole centre and with one agent (S06)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.callbacks.conftest import Wish
from tests.orders.desk import Desk
from ticketing.callbacks import actions, dialling, policy, reading, rules, store
from ticketing.callbacks.model import Claim, Dial, Outcome
from ticketing.callbacks.policy import Policy, shipped
from ticketing.callbacks.rules import Begun
from ticketing.changes import Change
from ticketing.errors import Refused
from ticketing.roles import SYSTEM

NOW = datetime.fromisoformat("2026-03-10T02:00:00+00:00")
MINUTE = timedelta(minutes=1)


@given(st.lists(st.tuples(st.integers(0, 120), st.sampled_from(["1001", "1002", None])), max_size=40))
def test_only_attempts_of_the_hour_count(made: list[tuple[int, str | None]]) -> None:
    few = replace(shipped(), per_hour=20, per_agent=5)
    room, spent = rules.caps([Begun(NOW - ago * MINUTE, agent) for ago, agent in made], few, NOW)
    recent = [agent for ago, agent in made if ago < 60]
    assert room is (len(recent) < 20)
    assert spent == {agent for agent in ("1001", "1002") if recent.count(agent) >= 5}


def test_a_file_that_does_not_say_has_the_shipped_caps() -> None:
    text = (files("ticketing.callbacks") / "data/callbacks.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith(("per_hour", "per_agent"))]
    assert policy.parse("\n".join(lines)) == shipped()


class House:
    """Bookings that are dialled one after the other, and in vain."""

    def __init__(self, desk: Desk, few: Policy, wish: Wish) -> None:
        self.desk, self.few, self.wish, self.now = desk, few, wish, desk.now
        self.made = 0

    async def claim(self, agent: str | None) -> tuple[Change, Claim]:
        """The next booking, of another number each time, with this agent or none yet."""
        self.made += 1
        async with self.desk.database.write() as conn:
            wish = self.wish(number=f"1380013{self.made:04d}", call_id=f"20260310012900-{self.made:012d}")
            booked = await actions.book(conn, SYSTEM, wish, self.few, self.now)
            held = await store.hold(conn, booked.subject_id)
            claim = await dialling.claim(conn, held.id, "test", self.few, self.now)
            assert claim is not None
            if agent is not None:
                await dialling.reserve(conn, claim, agent, self.now)
        return booked, claim

    async def dial(self, agent: str) -> Dial:
        """One attempt with this agent, which nobody answers."""
        booked, claim = await self.claim(agent)
        async with self.desk.database.write() as conn:
            dial = await dialling.dial(conn, claim, self.few, self.now)
            held = await store.hold(conn, booked.subject_id)
            attempt = await store.last_try(conn, held)
            assert attempt is not None
            await dialling.miss(conn, held, attempt, Outcome.NO_ANSWER, self.few, self.now)
        self.now += MINUTE
        return dial


@pytest.mark.req("S06")
async def test_beyond_the_caps_nothing_is_dialled_and_nothing_is_forgotten(desk: Desk, wish: Wish) -> None:
    """With one agent, then of the centre; whoever had to wait is dialled when the hour of the first ones is over."""
    house = House(desk, replace(shipped(), per_hour=5, per_agent=3), wish)
    for _ in range(3):
        await house.dial("1001")
    with pytest.raises(Refused, match="calls_of_the_hour"):
        await house.dial("1001")
    await house.dial("1002")
    await house.dial("1002")
    with pytest.raises(Refused, match="calls_of_the_hour"):
        await house.dial("2001")
    async with desk.database.read() as conn:
        assert len(await store.begun(conn, 100)) == 5
    waiting = await house.claim(None)
    async with desk.database.write() as conn:
        await dialling.release(conn, waiting[1], "calls_of_the_hour", house.now)
        line = await reading.line(conn, None, house.now)
        assert [each.place.key for each in line][-1] == waiting[0].payload["serial"]
    house.now = desk.now + timedelta(hours=1)
    await house.dial("1001")
