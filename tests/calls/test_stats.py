"""Figures over records, each by its formula (TL-12, TL-10)."""

from __future__ import annotations

import pytest

from cti.calls.model import Breach, CallRecord, Clocks, Offer, OfferResult, Outcome, Stay
from cti.calls.stats import FORMULAS, Ratio, figures, queued_ms, service_levels
from tests.calls.stories import at


def answered(ask_ms: int, join_ms: int, *, agent: str = "1001", breach: Breach | None = None) -> CallRecord:
    return CallRecord(
        call_id=f"a{ask_ms}",
        entered_at=at(0),
        asked_at=at(0),
        joined_at=at(1),
        answered_at=at(1 + join_ms / 1000),
        answered_by=agent,
        ended_at=at(100),
        outcome=Outcome.ANSWERED,
        clocks=Clocks(ask_to_answer_ms=ask_ms, join_to_answer_ms=join_ms, breach=breach),
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
    late = answered(30_000, 29_000, breach=Breach.IDLE_AGENT_SLOW)
    missed = CallRecord(**{name: getattr(late, name) for name in late.__dataclass_fields__} | {"offers": (MISS, MISS)})
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


@pytest.mark.req("TL-12")
def test_each_service_level_names_its_formula() -> None:
    assert set(service_levels([], 15_000)) == set(FORMULAS)


def test_an_empty_day_has_no_shares() -> None:
    found = figures([])
    assert found.fifteen_second_rate.value is None
    assert found.asa_ms is None
    assert found.longest_wait_ms == 0
    assert found.adds_up


def test_a_share_is_part_of_whole() -> None:
    assert Ratio(part=1, whole=4).value == 0.25


@pytest.mark.parametrize(
    ("record", "waited"), [(answered(9_000, 8_000), 8_000), (gone(4_000), 4_000), (SERVED, None), (OPEN, None)]
)
def test_the_wait_in_the_queue(record: CallRecord, waited: int | None) -> None:
    assert queued_ms(record) == waited


def test_the_target_is_an_argument() -> None:
    assert figures([answered(9_000, 8_000)], target_ms=8_999).fifteen_second_rate == Ratio(part=0, whole=1)
    assert figures([answered(9_000, 8_000)], target_ms=9_000).fifteen_second_rate == Ratio(part=1, whole=1)
