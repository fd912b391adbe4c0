"""P15: Asterisk's clock is set while calls wait (F20). Its own hold times jump by as much; ours are never negative, and
who answered, who missed and how it ended do not depend on it."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from cti.calls.effects import CompleteCall
from cti.calls.model import CallRecord, Floor
from cti.calls.reducer import reduce
from tests.calls.stories import finish
from tests.calls.test_order import RECORDS, STREAM


def stepped(place: int, by: timedelta) -> dict[str, CallRecord]:
    """Final records of the stream when the clock is set before this event."""
    floor, done = Floor(), {}
    for number, event in enumerate(STREAM):
        for effect in reduce(floor, replace(event, at=event.at + by) if number >= place else event):
            if isinstance(effect, CompleteCall):
                done[effect.call_id] = effect.record
    for effect in finish(floor, 8000):
        if isinstance(effect, CompleteCall):
            done[effect.call_id] = effect.record
    assert floor.calls == {}, "every call is closed"
    return done


@pytest.mark.req("F20")
@pytest.mark.parametrize("hours", [-1, 1])
def test_p15_a_clock_that_is_set_changes_no_fact_and_makes_no_negative_time(hours: int) -> None:
    for place in range(1, len(STREAM)):
        records = stepped(place, timedelta(hours=hours))
        assert set(records) == set(RECORDS)
        for call_id, record in records.items():
            calm = RECORDS[call_id]
            assert record.outcome is not None
            assert {offer.agent for offer in record.offers} == {offer.agent for offer in calm.offers}, place
            for clock in fields(record.clocks):
                value = getattr(record.clocks, clock.name)
                assert not isinstance(value, int) or value >= 0, (place, clock.name)
            assert all((offer.ring_ms or 0) >= 0 for offer in record.offers)
