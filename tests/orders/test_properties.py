"""Whatever agents do in whatever order: the table decides, nothing is half done, nothing is without an owner."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.orders.desk import Desk, complaint
from ticketing.changes import Change
from ticketing.clocks.tables import clock
from ticketing.contacts.tables import contact_order
from ticketing.errors import Forbidden, HotlineError, Invalid, NotFound, Refused
from ticketing.orders import actions
from ticketing.orders.inputs import EndWithoutOrder, Merge, Submit
from ticketing.orders.tables import customer_order, order_trail

_RUNS = itertools.count(1)
_CALLS = st.integers(0, 2)
_STEPS = st.one_of(
    st.tuples(st.just("call"), _CALLS, st.sampled_from(["1001", "1002"])),
    st.tuples(st.just("edit"), _CALLS, st.sampled_from(["whole", "whole", "half", "wrong"])),
    st.tuples(st.just("submit"), _CALLS, st.sampled_from(["owner", "owner", "2001", "5001"])),
    st.tuples(st.just("end"), _CALLS, st.sampled_from(["inquiry", "silent", "boredom", ""])),
    st.tuples(st.just("merge"), _CALLS, _CALLS.map(str)),
)


@dataclass
class Expected:
    """What an order must be, kept beside the database."""

    change: Change
    serial: str
    state: str = "draft"
    owner: str = "1001"
    whole: bool = False
    contacts: int = 1
    calls: set[int] = field(default_factory=set)


class Story:
    """Plays steps and keeps what must be true."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.run, self.clock = desk, next(_RUNS), itertools.count()
        self.orders: dict[int, Expected] = {}

    async def play(self, step: tuple[str, int, str]) -> None:
        verb, number, word = step
        known = self.orders.get(number)
        if verb == "call":
            await self._call(number, word)
        elif known is not None:
            before = known.change.version
            try:
                await getattr(self, f"_{verb}")(known, word)
            except (Refused, Forbidden, Invalid, NotFound) as refusal:
                self._refusal_was_right(step, known, before, refusal)

    async def _call(self, number: int, agent: str) -> None:
        at = next(self.clock)
        change = await self.desk.call(f"r{self.run}-{number}", agent, "13700137000", after_s=at)
        known = self.orders.get(number)
        if known is None:
            serial = change.payload["serial"]
            self.orders[number] = Expected(change, serial, owner=agent, calls={number})
        elif known.state == "draft":
            assert change.subject_id == known.change.subject_id
            assert (change.kind == "order.handed_over") is (known.owner != agent)
            known.change, known.owner = change, agent
        else:
            assert change.kind == "order.known"

    async def _edit(self, known: Expected, word: str) -> None:
        fields: Mapping[str, Any] = {
            "whole": complaint(self.desk.now),
            "half": {"unit": None},
            "wrong": {"business": "no.such"},
        }[word]
        known.change = await self.desk.edit(known.change, known.owner, **fields)
        assert word != "wrong"
        known.whole = word == "whole"

    async def _submit(self, known: Expected, word: str) -> None:
        agent = known.owner if word == "owner" else word
        async with self.desk.database.write() as conn:
            told = Submit(known.change.subject_id, known.change.version)
            change = await actions.submit(conn, self.desk[agent], told, self.desk.now)
        assert (known.state, known.whole, known.owner) == ("draft", True, agent)
        known.change, known.state = change, "registered"

    async def _end(self, known: Expected, reason: str) -> None:
        async with self.desk.database.write() as conn:
            told = EndWithoutOrder(known.change.subject_id, known.change.version, reason)
            change = await actions.end_without_order(conn, self.desk[known.owner], told, self.desk.now)
        assert (known.state, reason in {"inquiry", "silent"}) == ("draft", True)
        known.change, known.state = change, "no_order"

    async def _merge(self, known: Expected, other: str) -> None:
        target = self.orders.get(int(other))
        serial = target.serial if target else "1"
        async with self.desk.database.write() as conn:
            told = Merge(known.change.subject_id, known.change.version, serial)
            gone, grown = await actions.merge(conn, self.desk[known.owner], told, self.desk.now)
        assert target is not None
        assert (known.state, target.state) == ("draft", "registered")
        known.change, known.state, target.change = gone, "merged", grown
        target.contacts += 1
        target.calls |= known.calls
        known.calls = set()

    def _refusal_was_right(
        self, step: tuple[str, int, str], known: Expected, before: int, refusal: HotlineError
    ) -> None:
        """Nothing that the table allows was refused, and what was refused says why and changed nothing."""
        verb, _, word = step
        assert refusal.code
        assert refusal.message
        assert known.change.version == before
        other = self.orders.get(int(word)) if verb == "merge" else None
        allowed = (
            known.state == "draft"
            and {
                "edit": word != "wrong",
                "submit": known.whole and word in {"owner", known.owner},
                "end": word in {"inquiry", "silent"},
                "merge": other is not None and other.state == "registered",
            }[verb]
        )
        assert not allowed, refusal

    async def check(self) -> None:
        """What holds after any step."""
        async with self.desk.database.read() as conn:
            for known in self.orders.values():
                row = (
                    await conn.execute(
                        select(customer_order).where(customer_order.c.public_id == known.change.subject_id)
                    )
                ).one()
                assert (row.state, row.version) == (known.state, known.change.version)
                assert row.contact_no == known.contacts
                over = known.state in {"no_order", "merged"}
                assert over is (row.ended_at is not None)
                assert over or (row.owner_id is None) is not (row.owner_queue is None)
                versions = await conn.scalars(select(order_trail.c.version).where(order_trail.c.order_id == row.id))
                assert sorted(versions) == list(range(1, row.version + 1))
                joined = await conn.scalars(
                    select(contact_order.c.contact_id).where(contact_order.c.order_id == row.id)
                )
                assert len(list(joined)) == len(known.calls)
                clocks = (await conn.execute(select(clock).where(clock.c.order_id == row.id))).all()
                assert not over or {each.outcome for each in clocks} == {"void"}
                running = {each.code for each in clocks if each.stopped_at is None}
                assert running == {
                    "draft": {"K6"}, "registered": {"K5", "K6", "K10", "K10L", "K11"}
                }.get(known.state, set())  # fmt: skip


@pytest.mark.req("IN-23", "G16")
async def test_any_story_keeps_the_promises_of_the_table(desk: Desk) -> None:
    ends: set[str] = set()

    @settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @example(steps=[], begun=False)
    @example(steps=[("merge", 1, "0"), ("call", 2, "1001"), ("end", 2, "silent")], begun=True)
    @given(steps=st.lists(_STEPS, min_size=4, max_size=14), begun=st.booleans())
    async def play(steps: list[tuple[str, int, str]], begun: bool) -> None:
        story = Story(desk)
        first = [("call", 0, "1001"), ("edit", 0, "whole"), ("call", 1, "1002"), ("submit", 0, "owner")]
        for step in [*(first if begun else first[:3]), *steps]:
            await story.play(step)
        await story.check()
        ends.update(known.state for known in story.orders.values())

    await _play_all(play)
    assert ends == {"draft", "registered", "no_order", "merged"}


async def _play_all(play: Any) -> None:
    """Hypothesis is synchronous: its examples run in a thread, their steps in this loop."""
    loop = asyncio.get_running_loop()
    inner = play.hypothesis.inner_test

    def run(*args: Any, **given_: Any) -> None:
        asyncio.run_coroutine_threadsafe(inner(*args, **given_), loop).result()

    play.hypothesis.inner_test = run
    await asyncio.to_thread(play)
