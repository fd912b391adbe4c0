"""The one fair order against an exchange that gives every agent who is ready to a caller at once (TL-23).

The exchange is an adversary: it is always faster than the dialler, which looks when it likes. Only one thing is asked
of it: within a queue it takes its callers in their order. What is shown is the bound that the README states.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticketing.callbacks import rules
from ticketing.callbacks.rules import Place

START = datetime(2026, 3, 10, 1, 30, tzinfo=UTC)


@dataclass
class Agent:
    """`idle`: the exchange has him. `talking`: with a caller or a customer. `away`: in wrap-up, paused by us."""

    queues: frozenset[str]
    state: str = "idle"
    #: paused while he talks, so that we are asked at its end
    held: bool = False
    #: step at which it was last decided that he may have callers
    asked: int = 0


@dataclass
class Overtaken:
    """A caller was given an agent who could have served a booking that stood before him."""

    agent: str
    booking: Place
    #: the agent was asked for after the booking had come
    in_spite: bool
    #: a caller of another queue of his stood before both, and the exchange passed him over
    other_queue: bool


@dataclass
class World:
    """A centre with one exchange and one dialler."""

    agents: dict[str, Agent]
    wrap_up: bool
    waiting: list[Place] = field(default_factory=list)
    came: dict[str, int] = field(default_factory=dict)
    #: agents who were not paused when a booking came
    loose: dict[str, int] = field(default_factory=dict)
    overtaken: list[Overtaken] = field(default_factory=list)
    step: int = 0

    def play(self, move: str, who: int, value: int) -> None:
        """One move, and at once the exchange's own."""
        self.step += 1
        name = sorted(self.agents)[who % len(self.agents)]
        agent = self.agents[name]
        match move:
            case "caller" | "booking":
                queue = sorted({each for one in self.agents.values() for each in one.queues})[who % 2 - 1]
                # a booking may have joined long before it comes into the line: its window opens, its spacing ends
                since = self.step - (value * 5 if move == "booking" else 0)
                at, key = START + timedelta(seconds=since), f"{move}{self.step}"
                self.waiting.append(Place(key, at, value % 2, move == "booking", queue=queue))
                self.came[key] = self.step
                self.loose[key] = sum(one.state != "away" for one in self.agents.values())
            case "ends" if agent.state == "talking":
                agent.state = "away" if self.wrap_up or agent.held else "idle"
                if not self.wrap_up and agent.held:
                    self.decide(name)
            case "ready" if agent.state == "away":
                self.decide(name)
            case "look":
                self.decide(None)
        self.exchange(value)

    def decide(self, me: str | None) -> None:
        """What the dialler does, with the product's rules."""
        while True:
            free = {name: one.queues for name, one in self.agents.items() if one.state == "idle" or name == me}
            turns = rules.assign(self.waiting, free)
            begun = [(name, place) for name, place in turns.items() if place.callback]
            if not begun:
                break
            self.waiting.remove(begun[0][1])
            self.agents[begun[0][0]].state, self.agents[begun[0][0]].held = "talking", False
            me = None if begun[0][0] == me else me
        rest = [place for place in self.waiting if place not in turns.values()]
        for name, one in self.agents.items():
            if name == me:
                one.state, one.held, one.asked = "idle", False, self.step
            elif one.state == "talking" and not self.wrap_up:
                first = rules.first_for(one.queues, rest)
                one.held, one.asked = first is not None and first.callback, self.step
            elif one.state == "idle":
                one.asked = self.step

    def exchange(self, value: int) -> None:
        """Every idle agent gets a caller of one of his queues; of which queue, nobody can say."""
        for name, one in self.agents.items():
            callers = [place for place in rules.in_order(self.waiting) if not place.callback]
            firsts = {place.queue: place for place in reversed(callers) if place.queue in one.queues}
            if one.state != "idle" or not firsts:
                continue
            caller = firsts[sorted(firsts)[value % len(firsts)]]
            line = rules.in_order(self.waiting)
            passed_over = any(place in firsts.values() for place in line[: line.index(caller)])
            for place in line[: line.index(caller)]:
                if place.callback and place.queue in one.queues:
                    in_spite = one.asked >= self.came[place.key]
                    self.overtaken.append(Overtaken(name, place, in_spite, passed_over))
            self.waiting.remove(caller)
            one.state = "talking"


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["caller", "caller", "booking", "ends", "ends", "ready", "ready", "look"]),
        st.integers(0, 5),
        st.integers(0, 3),
    ),
    max_size=60,
)


def played(moves: list[tuple[str, int, int]], queues: list[str], *, wrap_up: bool, late: bool = False) -> World:
    world = World({f"a{n}": Agent(frozenset(each)) for n, each in enumerate(queues)}, wrap_up)
    for move, who, value in moves:
        if not (late and move == "look"):
            world.play(move, who, value)
    return world


@pytest.mark.req("TL-23")
@given(MOVES, st.integers(1, 4), st.booleans())
@settings(max_examples=300, deadline=None)
def test_who_was_asked_for_is_never_given_to_a_later_caller(
    moves: list[tuple[str, int, int]], count: int, wrap_up: bool
) -> None:
    """One queue: a booking is overtaken only with agents about whom nobody has asked since it came into the line."""
    world = played(moves, ["q"] * count, wrap_up=wrap_up)
    assert not any(each.in_spite for each in world.overtaken)


@pytest.mark.req("TL-23")
@given(MOVES, st.integers(1, 4))
@settings(max_examples=300, deadline=None)
def test_a_dialler_that_never_looks_loses_each_agent_at_most_once(
    moves: list[tuple[str, int, int]], count: int
) -> None:
    """With a wrap-up: a booking is overtaken at most as often as agents were not paused when it came."""
    world = played(moves, ["q"] * count, wrap_up=True, late=True)
    for key in {each.booking.key for each in world.overtaken}:
        with_whom = [each.agent for each in world.overtaken if each.booking.key == key]
        assert len(with_whom) == len(set(with_whom)) <= world.loose[key]


@pytest.mark.req("TL-23")
@given(MOVES, st.lists(st.sampled_from(["p", "q", "pq"]), min_size=1, max_size=4), st.booleans())
@settings(max_examples=300, deadline=None)
def test_between_queues_only_the_exchange_itself_overtakes(
    moves: list[tuple[str, int, int]], queues: list[str], wrap_up: bool
) -> None:
    """Several queues: in spite of the asking only when the exchange passed over an earlier caller of its own."""
    world = played(moves, queues, wrap_up=wrap_up)
    assert not any(each.in_spite and not each.other_queue for each in world.overtaken)


def test_the_adversary_does_overtake_where_it_can() -> None:
    """The bound is reached: an agent who is ready when the booking comes is gone before the dialler looks."""
    world = played([("booking", 0, 0), ("caller", 0, 0)], ["q"], wrap_up=True)
    assert [(each.in_spite, each.agent) for each in world.overtaken] == [(False, "a0")]
    held = [("caller", 0, 0), ("booking", 0, 0), ("caller", 0, 0), ("ends", 0, 0), ("ready", 0, 0)]
    world = played(held, ["q"], wrap_up=True)
    assert (world.overtaken, [place.key for place in world.waiting]) == ([], ["caller3"])
    without = [("caller", 0, 0), ("booking", 0, 0), ("caller", 0, 0), ("look", 0, 0), ("ends", 0, 0)]
    world = played(without, ["q"], wrap_up=False)
    assert (world.overtaken, [place.key for place in world.waiting]) == ([], ["caller3"])
