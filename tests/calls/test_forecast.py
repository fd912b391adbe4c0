"""The expected wait: how it is reckoned, that it replays, and how good it is on a simulated day (TL-14)."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from cti.calls import events as ev
from cti.calls.forecast import KEPT, calibration, expected_wait_s, handling_ms, note_talk, staffed
from cti.calls.model import CallRecord, Floor, FloorSettings, Outcome, Ratio
from cti.calls.reducer import reduce, take_changed
from cti.calls.restore import restore
from cti.calls.stats import figures
from tests.calls.stories import Caller, at, feed, finish, member, told

A, B, C, D, E = (f"PJSIP/100{n}" for n in range(1, 6))


@pytest.mark.req("TL-14")
@pytest.mark.parametrize(
    ("place", "handling", "agents", "seconds"),
    [
        (1, [120_000] * 3, 1, 120),
        (4, [120_000] * 3, 2, 240),
        (1, [60_000, 120_000, 180_000], 4, 30),
        (None, [120_000] * 3, 1, None),
        (0, [120_000] * 3, 1, None),
        (1, [120_000] * 3, 0, None),
        (1, [120_000] * 2, 1, None),
        (1, [], 1, None),
    ],
)
def test_a_forecast_is_place_times_handling_by_agents(
    place: int | None, handling: list[int], agents: int, seconds: int | None
) -> None:
    assert expected_wait_s(place, handling, agents) == seconds


@pytest.mark.req("TL-14")
def test_who_serves_a_queue_now() -> None:
    """The talking, the one in wrap-up and the idle one; not the paused, the unreachable, or a helper."""
    floor, caller, other = Floor(), Caller(1), Caller(2)
    members = [member(-9, A), member(-9, B), member(-9, C), member(-9, D, paused=True, reason="break")]
    members += [member(-9, E, status=5), member(-9, "PJSIP/2001", penalty=10), member(-9, "PJSIP/3001", "senior")]
    feed(floor, [*members, *caller.asks(0), caller.offered(3, A), *caller.talks(4, 50, A)])
    feed(floor, [*other.asks(10), other.offered(13, B), other.left(14), other.answered(14, B), member(14, B, status=2)])
    feed(floor, [member(50, A, paused=True, reason="wrap_up")])
    assert staffed(floor, "complaint") == 3
    assert staffed(floor, "nobody") == 0


@pytest.mark.req("TL-14")
def test_the_last_talks_of_each_queue_are_remembered_with_their_wrap_up() -> None:
    floor, caller = Floor(settings=FloorSettings(wrap_up_s=20)), Caller(1)
    feed(floor, [member(-9, A), *caller.asks(0), caller.offered(3, A), *caller.talks(4, 64, A)])
    assert handling_ms(floor, "complaint") == []
    finish(floor, 70)
    assert handling_ms(floor, "complaint") == [80_000]
    for _ in range(KEPT):
        note_talk(floor, "complaint", 1_000)
    assert handling_ms(floor, "complaint") == [21_000] * KEPT


def forecast(caller: Caller, seconds: float, wait_s: int, place: int = 1) -> ev.CallEvent:
    return ev.ForecastTold(at=at(seconds), call_id=caller.id, uniqueid=caller.channel, wait_s=wait_s, place=place)


@pytest.mark.req("TL-14", "TL-70")
def test_the_first_forecast_is_kept_and_survives_a_restart() -> None:
    floor, caller = Floor(), Caller()
    feed(floor, [*caller.asks(0), forecast(caller, 1.5, 240, 3), forecast(caller, 30, 60)])
    (record,) = take_changed(floor)
    assert (record.forecast_s, record.forecast_at, record.forecast_place) == (240, at(1.5), 3)
    again = Floor()
    restore(again, [record])
    (back,) = take_changed(again)
    assert (back.forecast_s, back.forecast_at, back.forecast_place) == (240, at(1.5), 3)
    assert told([*Caller(2).asks(0), Caller(2).hung_up(9)]).forecast_s is None


def waited(truth_s: float, forecast_s: int | None) -> CallRecord:
    record = CallRecord(call_id=f"{truth_s}", entered_at=at(0), asked_at=at(0), outcome=Outcome.ANSWERED)
    return replace(record, forecast_s=forecast_s, forecast_at=at(1), answered_at=at(1 + truth_s), ended_at=at(999))


@pytest.mark.req("TL-14")
def test_the_calibration_of_a_few_calls() -> None:
    gone = replace(waited(0, 100), answered_at=None, outcome=Outcome.ABANDONED)
    day = [waited(100, 100), waited(300, 390), waited(300, 391), waited(20, 80), waited(50, None), gone]
    found = calibration(day)
    assert (found.told, found.judged) == (5, 4)
    assert found.bias_ms == pytest.approx((0 + 90_000 + 91_000 + 60_000) / 4)
    assert found.mean_absolute_ms == found.bias_ms
    assert found.within == Ratio(part=3, whole=4)
    assert figures(day).calibration == found
    assert calibration([]).bias_ms is None


@dataclass
class Day:
    """A queue of `agents` on a day, second by second of its own events; nothing but chance from a given seed."""

    agents: int
    seed: int
    calls: list[CallRecord] = field(default_factory=list)

    def lived(self, hours: float, mean_talk_s: float, between_s: float) -> list[CallRecord]:
        """Callers come at random; each is told a time by what is known at that moment, then waits his turn."""
        chance, clock = Random(self.seed), 0.0
        free_at = [0.0] * self.agents
        heapq.heapify(free_at)
        done: list[tuple[float, int]] = []
        handled: deque[int] = deque(maxlen=KEPT)
        starts: list[float] = []
        while clock < hours * 3600:
            clock += chance.expovariate(1 / between_s)
            handled.extend(took_ms for end, took_ms in sorted(done) if end <= clock)
            done = [one for one in done if one[0] > clock]
            ahead = sum(each > clock for each in starts)
            busy = sum(end > clock for end in free_at) >= self.agents
            told_s = expected_wait_s(ahead + 1, list(handled), self.agents) if busy else None
            start = max(clock, heapq.heappop(free_at))
            took = max(20.0, chance.gammavariate(4, mean_talk_s / 4))
            heapq.heappush(free_at, start + took)
            starts = [*(each for each in starts if each > clock), start]
            done.append((start + took, round(took * 1000)))
            self.calls.append(
                CallRecord(
                    call_id=str(len(self.calls)), entered_at=at(clock), asked_at=at(clock), joined_at=at(clock),
                    answered_at=at(start), ended_at=at(start + took), outcome=Outcome.ANSWERED,
                    forecast_s=told_s, forecast_at=None if told_s is None else at(clock),
                )
            )  # fmt: skip
        return self.calls


@pytest.mark.req("TL-14")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_simulated_day_is_forecast_well(seed: int) -> None:
    """Six agents, talks of three minutes and calls that come a little too fast: the line grows and shrinks all day."""
    day = Day(agents=6, seed=seed).lived(hours=10, mean_talk_s=180, between_s=31)
    found = calibration(day)
    mean_wait_ms = sum(c.forecast_s or 0 for c in day) * 1000 / max(1, found.judged)
    assert found.judged > 200
    assert found.bias_ms is not None
    assert found.mean_absolute_ms is not None
    assert found.within.value is not None
    assert abs(found.bias_ms) < 0.25 * mean_wait_ms
    assert found.mean_absolute_ms < 0.5 * mean_wait_ms
    assert found.within.value > 0.85


@pytest.mark.req("TL-14")
def test_a_forecast_that_knows_nothing_is_found_out() -> None:
    """The calibration tells a bad forecast from a good one: everybody told ten minutes."""
    day = [replace(c, forecast_s=600, forecast_at=c.joined_at) for c in Day(agents=6, seed=1).lived(4, 180, 31)]
    within = calibration(day).within.value
    assert within is not None
    assert within < 0.3


def test_a_fact_of_an_unknown_call_is_no_forecast() -> None:
    floor = Floor()
    reduce(floor, forecast(Caller(), 1, 60))
    assert floor.calls == {}
