"""Values nobody means in every field of every body and query: a refusal or an answer, never our mistake (S16)."""

from datetime import datetime
from typing import Any

import pytest

from cti.web.catalogue import ROUTES
from cti.web.route import Route
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser
from tests.web.test_policy import example_body, example_path
from ticketing.db import Database
from ticketing.orders import actions
from ticketing.orders.inputs import DraftFromCall
from ticketing.roles import SYSTEM

ODD: list[Any] = [
    None, 0, -1, 2**63, 1.5, True, [], {}, [[]], {"a": {"b": []}}, "", " ", "x" * 9000, "\x00", "\x1b[2J",
    "' OR 1=1 --", "<script>alert(1)</script>", "${jndi:x}", "%0d%0aEvent: x", "../../etc/passwd", "\u202eabc",
    "9" * 40, "NaN", "🙂", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+23:59",
]  # fmt: skip


@pytest.fixture
async def desk(open_browser: MakeBrowser, centre: Database, now: datetime) -> Browser:
    """A senior agent with one draft, whose id stands in the addresses."""
    async with centre.write() as conn:
        draft = await actions.draft_at_answer(
            conn, SYSTEM, DraftFromCall("c1", "2001", "13800138000", "1860", now), now
        )
    browser = await open_browser("2001")
    browser.draft = draft.subject_id
    return browser


BODIES = [route for route in ROUTES if route.body is not None and route.name != "session.create"]


@pytest.mark.parametrize("route", BODIES, ids=lambda route: route.name)
async def test_odd_values_of_every_field(desk: Browser, route: Route) -> None:
    assert route.body is not None
    path = example_path(route).replace("/orders/none-such", f"/orders/{desk.draft}")
    example = example_body(route)
    for field in route.body.model_fields:
        for value in ODD:
            answer = await desk.send(route.method, path, {**example, field: value})
            assert answer.status < 500, (field, value, await answer.text())
            if answer.status >= 400:
                told = await answer.json()
                assert set(told) == {"code", "message", "details", "request_id"}
    for whole in ODD:
        answer = await desk.send(route.method, path, [whole])
        assert 400 <= answer.status < 500


@pytest.mark.parametrize("route", [route for route in ROUTES if route.query], ids=lambda route: route.name)
async def test_odd_values_of_every_condition(desk: Browser, route: Route) -> None:
    assert route.query is not None
    if route.media_type == "text/event-stream":
        return
    for field in route.query.model_fields:
        for value in ODD:
            params = {"number": "13800138000"} if route.name == "customers.list" else {}
            answer = await desk.get(route.path, params=params | {field: str(value)})
            assert answer.status < 500, (field, value, await answer.text())


@pytest.mark.parametrize("route", [route for route in ROUTES if "{" in route.path], ids=lambda route: route.name)
async def test_odd_addresses(desk: Browser, route: Route) -> None:
    if route.hidden:
        return
    head, _, tail = example_path(route).partition("none-such")
    for odd in ("%2e%2e%2f", "%00", "a%0d%0aX: y", "'", "x" * 3000, "%ff", "none such", "%E6%8A%95"):
        answer = await desk.send(
            route.method, f"{head}{odd}{tail}", None if route.body is None else example_body(route)
        )
        assert 400 <= answer.status < 500, odd
