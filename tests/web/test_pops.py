"""Event to painted page, measured by the product (TL-33)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.hub import Hub, HubEvent
from cti.web.pop_latency import Latencies, measure, percentile
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from ticketing.db import Database

AT = datetime(2026, 3, 10, 1, 30, tzinfo=UTC)


def ms(amount: float) -> timedelta:
    """Milliseconds."""
    return timedelta(milliseconds=amount)


def pop(call_id: str, event_at: datetime) -> dict[str, Any]:
    """What is needed of a pop."""
    return {"call_id": call_id, "event_at": event_at.isoformat().replace("+00:00", "Z")}


@pytest.mark.req("TL-33")
async def test_every_painted_pop_is_in_the_figures(
    agent: Browser, open_browser: MakeBrowser, hub: Hub, clock: Clock, database: Database
) -> None:
    for number, took in enumerate((100, 200, 300, 4000)):
        event_id = hub.publish("1001", "pop", pop(f"c{number}", clock.now))
        painted = (clock.now + ms(took)).isoformat()
        clock.advance(seconds=5)
        path = f"/api/pops/c{number}/painted"
        for _ in range(2):
            assert (await agent.post(path, {"painted_at": painted, "event_id": event_id})).status == 204
    assert (await agent.get("/api/pop-latency")).status == 403
    supervisor = await open_browser("3001")
    figures = await (await supervisor.get("/api/pop-latency")).json()
    assert figures == {"count": 4, "p50_ms": 200.0, "p95_ms": 4000.0, "p99_ms": 4000.0}
    assert list(await Latencies(database).values()) == [100.0, 200.0, 300.0, 4000.0]


async def test_what_is_no_pop_of_this_call_is_not_counted(
    agent: Browser, open_browser: MakeBrowser, hub: Hub, clock: Clock
) -> None:
    painted = {"painted_at": clock.now.isoformat(), "event_id": hub.publish("1001", "agent", {})}
    wrong_call = {**painted, "event_id": hub.publish("1001", "pop", pop("other", clock.now))}
    anothers = {**painted, "event_id": hub.publish("1002", "pop", pop("c1", clock.now))}
    for body in (painted, wrong_call, anothers, {**painted, "event_id": "e9-1"}):
        assert (await agent.post("/api/pops/c1/painted", body)).status == 204
    supervisor = await open_browser("3001")
    assert (await (await supervisor.get("/api/pop-latency")).json())["count"] == 0


@pytest.mark.parametrize(
    ("painted", "received", "expected", "whose"),
    [(120, 130, 120, "page"), (-500, 130, 130, "server"), (60_000, 130, 130, "server"), (133, 130, 133, "page")],
)
def test_a_clock_that_cannot_be_right_does_not_count(
    painted: float, received: float, expected: float, whose: str
) -> None:
    event = HubEvent(1, "pop", b'{"call_id":"c1","event_at":"2026-03-10T01:30:00Z"}', b"")
    found = measure(event, agent="1001", call_id="c1", painted_at=AT + ms(painted), received_at=AT + ms(received))
    assert found is not None
    assert (found.ms, found.clock) == (expected, whose)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_one_of_the_values_and_enough_do_not_exceed_it(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert percentile([], share) is None
