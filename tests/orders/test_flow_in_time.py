"""Posts, the clock and pauses in any order: limits stand still only for a pause, cards come once, what ended stays so.

`test_flow_properties` plays the steps a few minutes apart; here the time between two steps may be days, an order may be
paused, and the keeper of the cards looks whenever it likes.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from tests.orders.desk import Desk
from tests.orders.test_flow_properties import BESIDE, ORDER, PEOPLE, WAY, WORK, Story
from ticketing.changes import Change
from ticketing.clocks.definitions import definitions
from ticketing.clocks.tables import clock, clock_card, clock_segment
from ticketing.errors import Forbidden, Invalid, NotFound, Refused
from ticketing.orders import cards, pausing
from ticketing.orders.inputs import OnOrder, Pause
from ticketing.orders.model import ENDED, Control, State
from ticketing.orders.tables import customer_order
from ticketing.orders.workflow import Verb
from ticketing.sealing import Sealer, verify

KEY = b"k" * 32
_RUNS = itertools.count(1)
#: minutes from one step to the next: at once, past a review, past the hour, past a stage, past the whole process
_WAITS = (1, 16, 61, 180, 1500, 8000)
_MAY_PAUSE = {"2001", "9001"}
#: steps after which an order is another order's past
_FINAL = ENDED - {State.CLOSED}


class TimedStory(Story):
    """One order through days, with its pauses and cards."""

    def __init__(self, desk: Desk, change: Change) -> None:
        super().__init__(desk, change)
        self.beside = BESIDE | {"paused"}
        self.paused = False
        self.was = State.REGISTERED
        #: cards that were told of, as clock and colour
        self.given: list[tuple[int, str]] = []

    @property
    def now(self) -> datetime:
        """The moment it is."""
        return self.desk.now + timedelta(minutes=self.minutes)

    async def switch(self, number: str) -> None:
        """Pauses what runs, lets run what stands: by whom the table allows, and by nobody else."""
        resumed, state = self.paused, await self.state()
        async with self.desk.database.write() as conn:
            found = select(customer_order.c.version).where(customer_order.c.public_id == self.order)
            version = int(await conn.scalar(found) or 0)
            try:
                if resumed:
                    await pausing.resume(conn, self.desk[number], OnOrder(self.order, version), self.now)
                else:
                    until = self.now + timedelta(hours=5)
                    given = Pause(self.order, version, reason="customer", resume_expected_at=until)
                    await pausing.pause(conn, self.desk[number], given, self.now)
            except (Refused, Forbidden, Invalid, NotFound):
                assert number not in _MAY_PAUSE or state in ENDED
            else:
                assert number in _MAY_PAUSE
                assert state not in ENDED
                self.paused = not resumed

    async def look(self) -> None:
        """The keeper gives the cards that are due, and a second look gives none."""
        async with self.desk.database.write() as conn:
            await cards.fire(conn, self.now)
        async with self.desk.database.write() as conn:
            assert [fired for fired in await cards.fire(conn, self.now) if fired.order == self.order] == []

    async def check(self) -> None:
        """What holds at any time, besides what holds after any step."""
        await super().check()
        state = await self.state()
        assert self.was not in ENDED or state in {self.was, State.ARCHIVED}, "what is closed is never opened again"
        assert self.was not in _FINAL or state is self.was
        self.was = state
        async with self.desk.database.read() as conn:
            row = (await conn.execute(select(customer_order).where(customer_order.c.public_id == self.order))).one()
            clocks = (await conn.execute(select(clock).where(clock.c.order_id == row.id))).all()
            keys = [each.id for each in clocks]
            parts = (await conn.execute(select(clock_segment).where(clock_segment.c.clock_id.in_(keys)))).all()
            given = (await conn.execute(select(clock_card).where(clock_card.c.clock_id.in_(keys)))).all()
        if state in ENDED:
            self.paused = False
        assert (row.control == Control.PAUSED.value) is self.paused
        standing = {code.value for code, definition in definitions().items() if definition.pauses}
        for each in clocks:
            open_parts = [part for part in parts if part.clock_id == each.id and part.stopped_at is None]
            runs = each.stopped_at is None and not (self.paused and each.code in standing)
            assert len(open_parts) == runs, f"{each.code} counts while it runs, and at no other time"
            assert (each.outcome is None) is (each.stopped_at is None)
            if each.code in {"K9", "K10", "K8", "K12", "K13"} and runs:
                assert each.due_at is not None, f"{each.code} runs towards a limit"
        known = {(each.clock_id, each.card) for each in given}
        assert len(known) == len(given)
        assert set(self.given) <= known, "a card that was given stays given"
        self.given = sorted(known)
        of = {each.id: each for each in clocks}
        early = [(of[key].code, card) for key, card in known if card == "red" and of[key].outcome == "met"]
        assert early == [], "who is in time has no red card"

    async def chain(self) -> None:
        """Everything that was done is in the log, and the log is whole."""
        await Sealer(KEY).seal_now(self.desk.database, self.now)
        async with self.desk.database.read() as conn:
            verdict = await verify(conn, KEY)
        assert verdict.intact
        assert verdict.unsealed == 0


def posts(desk: Desk, loop: asyncio.AbstractEventLoop) -> type[RuleBasedStateMachine]:
    """The machine: its rules run in a thread, what they do in this loop."""

    def do(act: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(act, loop).result()

    class Posts(RuleBasedStateMachine):
        story: TimedStory

        @initialize()
        def registered(self) -> None:
            change = asyncio.run_coroutine_threadsafe(desk.registered(f"t{next(_RUNS)}"), loop).result()
            self.story = TimedStory(desk, change)

        @rule(minutes=st.sampled_from(_WAITS))
        def wait(self, minutes: int) -> None:
            self.story.minutes += minutes

        @rule()
        def usual(self) -> None:
            do(self.story.play(None))

        @rule(verb=st.sampled_from([*ORDER, *WORK]), number=st.sampled_from(PEOPLE))
        def step(self, verb: Verb, number: str) -> None:
            do(self.story.play((verb, number)))

        @rule(number=st.sampled_from(PEOPLE))
        def switch(self, number: str) -> None:
            do(self.story.switch(number))

        @precondition(lambda self: self.story.paused)
        @rule()
        def resume(self) -> None:
            do(self.story.switch("2001"))

        @rule()
        def look(self) -> None:
            do(self.story.look())

        @invariant()
        def holds(self) -> None:
            do(self.story.check())

        def teardown(self) -> None:
            do(self.story.chain())

    return Posts


@pytest.mark.req("IN-23", "N4", "T26", "MN-04", "MN-07", "S28")
async def test_whatever_happens_when_every_limit_card_and_owner_is_what_it_must_be(desk: Desk) -> None:
    machine = posts(desk, asyncio.get_running_loop())
    often = settings(
        max_examples=12, stateful_step_count=24, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=often)


@pytest.mark.req("T26", "MN-07", "S28")
async def test_the_usual_way_with_a_pause_at_each_place(desk: Desk) -> None:
    """Before each step of the usual way the order is paused for a day and resumed; it comes to its end all the same."""
    story = TimedStory(desk, await desk.registered("p1"))
    for _ in WAY:
        if story.was not in ENDED:
            await story.switch("2001")
            assert story.paused
            story.minutes += 1440
            await story.check()
            await story.switch("2001")
        await story.look()
        await story.play(None)
        await story.check()
    assert await story.state() is State.CLOSED
    assert {card for _, card in story.given} == {"yellow", "red"}
    await story.chain()
