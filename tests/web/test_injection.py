"""Texts that would widen a search if they were SQL, in every condition of every list (S17)."""

from __future__ import annotations

import json
from datetime import datetime
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import pytest

from cti.web.catalogue import ROUTES
from cti.web.route import Route
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser
from ticketing.db import Database
from ticketing.sample import load_sample

LISTS = [
    route for route in ROUTES if route.query is not None and route.method == "GET" and "{" not in route.path
    and route.media_type == "application/json"
]  # fmt: skip
WIDER = [
    "' OR '1'='1", "x') OR ('1'='1", "1 OR 1=1", "x' UNION SELECT hash FROM credential --", "%", "_", "x\\%", "*",
    "x' || (SELECT number FROM staff LIMIT 1) || '", "newest; DROP TABLE customer_order", "id DESC",
]  # fmt: skip
#: a text that stands nowhere
NOWHERE = "zqxjkvzqxjkv"


@pytest.fixture
async def senior(open_browser: MakeBrowser, centre: Database, now: datetime) -> Browser:
    """A supervisor among the sample's customers and orders."""
    async with centre.write() as conn:
        await load_sample(conn, now)
    return await open_browser("3001")


def size(told: Any) -> int:
    """How much an answer holds."""
    return max((len(value) for value in told.values() if isinstance(value, list)), default=0) if told else 0


@pytest.mark.req("S17")
@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.name)
async def test_no_condition_is_a_piece_of_sql(senior: Browser, route: Route) -> None:
    """Refused, or found no more than by a text that stands nowhere."""
    assert route.query is not None
    for field in route.query.model_fields:
        nothing = await senior.get(route.path, params={field: NOWHERE})
        found = size(await nothing.json()) if nothing.status == 200 else 0
        for text in WIDER:
            answer = await senior.get(route.path, params={field: text})
            assert answer.status in {200, 400, 403, 422}, (field, text, answer.status)
            if answer.status == 200:
                told = json.loads(await answer.text())
                assert size(told) <= found, (field, text)


@pytest.mark.req("S17")
def test_what_a_list_is_sorted_by_is_one_of_a_few_words() -> None:
    sorted_by = 0
    for route in ROUTES:
        for name, field in (route.query.model_fields if route.query else {}).items():
            if name in {"sort", "order", "order_by", "by", "direction", "group", "group_by"}:
                kind: Any = field.annotation
                enumerated = get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, Enum))
                assert enumerated or any(get_origin(each) is Literal for each in get_args(kind)), (route.name, name)
                sorted_by += 1
    assert sorted_by >= 1
