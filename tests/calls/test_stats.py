"""Figures over records, each by its formula (TL-12, TL-10)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cti.calls.formulas import FORMULAS, SERVICE_LEVELS
from cti.calls.model import Breach, CallRecord, Clocks, Offer, OfferResult, Outcome, Ratio, Stay, Step
from cti.calls.stats import Abandon, Spread, abandon, figures, queued_ms, service_levels, spread
from tests.calls.stories import at


def answered(
    ask_ms: int, join_ms: int, *, agent: str = "1001", breach: Breach | None = None, blamed: tuple[str, ...] = ()
) -> CallRecord:
    return CallRecord(
        call_id=f"a{ask_ms}",
        entered_at=at(0),
        asked_at=at(0),
        joined_at=at(1),
        answered_at=at(1 + join_ms / 1000),
        answered_by=agent,
        ended_at=at(100),
        outcome=Outcome.ANSWERED,
        clocks=Clocks(ask_to_answer_ms=ask_ms, join_to_answer_ms=join_ms, breach=breach, breach_agents=blamed),
    )


def gone(wait_ms: int, outcome: Outcome = Outcome.ABANDONED) -> CallRecord:
    left_at = at(1 + wait_ms / 1000)
    return CallRecord(
        call_id=f"g{wait_ms}",
        entered_at=at(0),
        asked_at=at(0),
        joined_at=at(1),
        stays=(Stay(queue="complaint", joined_at=at(1), left_at=left_at),),
        ended_at=at(200),
        outcome=outcome,
    )


MISS = Offer(agent="1002", interface="PJSIP/1002", queue="q", at=at(2), ended_at=at(10), result=OfferResult.MISSED)
SERVED = CallRecord(call_id="s", entered_at=at(0), ended_at=at(9), outcome=Outcome.SERVED_BY_IVR)
CLOSED = CallRecord(call_id="r", entered_at=at(0), asked_at=at(1), ended_at=at(9), outcome=Outcome.REFUSED)
OPEN = CallRecord(call_id="o", entered_at=at(0), asked_at=at(1), joined_at=at(2))


@pytest.mark.req("TL-10", "TL-12")
def test_figures_of_a_small_day() -> None:
    late = answered(30_000, 29_000, breach=Breach.IDLE_AGENT_SLOW, blamed=("1002",))
    missed = replace(late, offers=(MISS, MISS))
    day = [
        answered(15_000, 14_000),
        answered(15_001, 15_000),
        missed,
        gone(4_000, Outcome.SHORT_ABANDONED),
        gone(60_000, Outcome.LEFT_RECORDING),
        SERVED,
        CLOSED,
        OPEN,
    ]
    found = figures(day)
    assert found.total == 7
    assert found.adds_up
    assert found.asked == 6
    assert found.fifteen_second_rate == Ratio(part=1, whole=6)
    assert found.service_levels == {
        "answered_of_joined": Ratio(part=2, whole=5),
        "answered_of_answered": Ratio(part=2, whole=3),
        "answered_or_gone_of_joined": Ratio(part=3, whole=5),
        "answered_of_joined_less_gone": Ratio(part=2, whole=4),
    }
    assert found.asa_ms == pytest.approx((14_000 + 15_000 + 29_000) / 3)
    assert found.longest_wait_ms == 60_000
    assert found.breaches == {Breach.IDLE_AGENT_SLOW: 1, Breach.NOT_OFFERED: 0, Breach.NOBODY_IDLE: 0}
    assert found.misses == {"1002": 2}
    assert found.outcomes[Outcome.ANSWERED] == 3
    assert found.outcomes[Outcome.BOOKED_CALLBACK] == 0
    assert set(found.outcomes) == set(Outcome)
    assert (found.joined, found.answered) == (5, 3)
    assert found.clocks["join_to_answer"] == Spread(
        count=3, mean_ms=found.asa_ms, p50_ms=15_000, p95_ms=29_000, longest_ms=29_000
    )
    assert found.breach_agents == {
        Breach.IDLE_AGENT_SLOW: {"1002": 1}, Breach.NOT_OFFERED: {}, Breach.NOBODY_IDLE: {},
    }  # fmt: skip
    assert found.abandons == {
        Abandon.IN_MENU: 1, Abandon.SHORT: 1, Abandon.WAITING: 0, Abandon.RINGING: 0, Abandon.IN_DIALOGUE: 0,
    }  # fmt: skip


@pytest.mark.req("TL-12")
def test_each_service_level_names_its_formula() -> None:
    assert set(service_levels([], 15_000)) == set(SERVICE_LEVELS)
    assert {
        *figures([]).clocks,
        *SERVICE_LEVELS,
        "fifteen_second_rate",
        "ended_at_announcement",
        "forecast_within",
        "graded",
    } == set(FORMULAS)
    texts = [(formula.text_zh, formula.text_en) for formula in FORMULAS.values()]
    assert len(set(texts)) == len(texts)


def test_an_empty_day_has_no_shares() -> None:
    found = figures([])
    assert found.fifteen_second_rate.value is None
    assert found.asa_ms is None
    assert found.longest_wait_ms == 0
    assert found.adds_up


def test_a_share_is_part_of_whole() -> None:
    assert Ratio(part=1, whole=4).value == 0.25


@pytest.mark.req("K2")
@pytest.mark.parametrize(
    ("record", "waited"), [(answered(9_000, 8_000), 8_000), (gone(4_000), 4_000), (SERVED, None), (OPEN, None)]
)
def test_the_wait_in_the_queue(record: CallRecord, waited: int | None) -> None:
    assert queued_ms(record) == waited


def test_the_target_is_an_argument() -> None:
    assert figures([answered(9_000, 8_000)], target_ms=8_999).fifteen_second_rate == Ratio(part=0, whole=1)
    assert figures([answered(9_000, 8_000)], target_ms=9_000).fifteen_second_rate == Ratio(part=1, whole=1)


def steps(*pressed: tuple[str, str]) -> tuple[Step, ...]:
    return tuple(Step(node=node, key=key, at=at(n)) for n, (node, key) in enumerate(pressed))


def ring(gone_s: float) -> Offer:
    """A phone that rang until that second."""
    return Offer(
        agent="1001", interface="PJSIP/1001", queue="complaint", at=at(3), ended_at=at(gone_s),
        result=OfferResult.WITHDRAWN,
    )  # fmt: skip


NEWS, HEARD = ("announcement", "announcement-outage"), ("announcement", "heard")
WAITED = gone(60_000)
PLACES: list[tuple[CallRecord, Abandon | None]] = [
    (SERVED, Abandon.IN_MENU),
    (replace(SERVED, path=steps(("main", "silence"))), Abandon.IN_MENU),
    (replace(SERVED, path=steps(("main", "3"), ("progress", "2"))), None),
    (replace(SERVED, path=steps(NEWS)), None),
    (replace(SERVED, path=steps(NEWS, HEARD)), None),
    (replace(SERVED, path=steps(NEWS, HEARD, ("main", "silence"))), Abandon.IN_MENU),
    (gone(3_000, Outcome.SHORT_ABANDONED), Abandon.SHORT),
    (WAITED, Abandon.WAITING),
    (replace(WAITED, offers=(ring(11),)), Abandon.WAITING),
    (replace(WAITED, offers=(ring(61.05),)), Abandon.RINGING),
    (replace(WAITED, end_step="overflow", offers=(ring(11),)), Abandon.IN_DIALOGUE),
    (gone(60_000, Outcome.LEFT_RECORDING), None),
    (answered(1, 1), None),
    (CLOSED, None),
]


@pytest.mark.req("TL-12")
@pytest.mark.parametrize(("record", "place"), PLACES)
def test_where_a_caller_gave_up(record: CallRecord, place: Abandon | None) -> None:
    assert abandon(record) is place


@pytest.mark.req("TL-12")
def test_the_classes_of_giving_up_are_what_gave_up() -> None:
    """Who gave up after asking is in one of the classes, and nobody else is."""
    day = [record for record, _ in PLACES]
    found = figures(day)
    after_asking = [count for place, count in found.abandons.items() if place is not Abandon.IN_MENU]
    assert sum(after_asking) == found.outcomes[Outcome.ABANDONED] + found.outcomes[Outcome.SHORT_ABANDONED]


@pytest.mark.req("TL-26")
def test_the_share_that_ended_at_the_announcement() -> None:
    day = [record for record, _ in PLACES]
    assert figures(day).announcement == Ratio(part=2, whole=3)


def test_a_clock_is_spread_by_nearest_rank() -> None:
    values = [None, *range(1, 101)]
    assert spread(values) == Spread(count=100, mean_ms=50.5, p50_ms=50, p95_ms=95, longest_ms=100)
    assert spread([None]) == Spread(count=0, mean_ms=None, p50_ms=None, p95_ms=None, longest_ms=None)
