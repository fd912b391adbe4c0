"""Requests generated from the description, by schemathesis: no answer of 5xx, and no answer the description does not
name or whose content it describes otherwise (S16, S23).

`make test` tries a few of each route, always the same; `make proof-api` tries many, new ones at each run.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any, Final

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from schemathesis import checks

from cti.web.catalogue import ROUTES
from cti.web.openapi import describe
from cti.web.security import CSRF_HEADER
from tests.absent import LONG, SEARCH
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser
from tests.web.seats import SEATS
from tests.web.test_matrix import OPERATIONS, Operation, World, strangers, world

__all__ = ["strangers", "world"]

#: requests of each route and seat
EXAMPLES: Final = 200 if os.environ.get(LONG) == "1" else 3
#: the stream never ends, the socket is no request of HTTP, and these end the session that asks
NOT_ASKED: Final = {"events", "phone.socket", "session.delete", "session.create"}
#: who asks, the first that may: whoever holds the things of this part of the interface, then people of every post
ASKERS: Final = {"1001": "JA", "6001": "RX", "6101": "TE", "7001": "SV", "8001": "DS"} | {
    number: post for post, number in SEATS.items()
}
DOCUMENT: Final = describe(ROUTES, "0")
CHECKS: Final = (
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
)


def askers(each: Operation, world: World) -> list[str]:
    """Numbers of at most two who may: first the holders of what the address can name."""
    holders = [world.owners[kind] for operation, kind in world.places() if operation.name == each.name]
    able = [number for number in dict.fromkeys([*holders, *ASKERS]) if each.may(ASKERS[number])]
    return able[:2] if os.environ.get(LONG) == "1" else able[:1]


_ASKED: Final = [one for one in OPERATIONS if one.name not in NOT_ASKED]
#: twenty operations at a time have one world; every operation its own when there is time
_SIZE: Final = 1 if os.environ.get(LONG) == "1" else 20
PARTS: Final = {_ASKED[at].name: _ASKED[at : at + _SIZE] for at in range(0, len(_ASKED), _SIZE)}


@pytest.mark.req("S16", "S23")
@pytest.mark.parametrize("first", PARTS)
async def test_every_answer_is_one_the_description_names(
    open_browser: MakeBrowser, world: World, first: str, record_property: Callable[[str, object], None]
) -> None:
    """Bodies and queries of every kind, at things that exist and at none, from somebody who may."""
    faults: list[Exception] = []
    for each in PARTS[first]:
        named = [world.ids[kind] for operation, kind in world.places() if operation.name == each.name]
        for number in askers(each, world):
            browser = await open_browser(number)
            try:
                record_property("examples", await asyncio.to_thread(_try, each, browser, named))
            except Exception as fault:
                faults.append(fault)
    if faults:
        raise ExceptionGroup(first, faults)


def _try(each: Operation, browser: Browser, named: list[dict[str, str]]) -> int:
    """The requests of one person, from a thread: the service answers in the loop of the test. How many were made."""
    operation = schemathesis.openapi.from_dict(DOCUMENT)[each.path][each.method]
    cookie = browser.client.session.cookie_jar.filter_cookies(browser.client.make_url("/"))["hotline"].value
    tried = 0

    with requests.Session() as session:
        session.headers.update({"Origin": browser.origin, CSRF_HEADER: browser.csrf, "Cookie": f"hotline={cookie}"})

        @hypothesis.settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=os.environ.get(SEARCH) != "1",
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(), ids=st.sampled_from([*named, {}]))
        def run(case: Any, ids: dict[str, str]) -> None:
            nonlocal tried
            tried += 1
            case.path_parameters.update(ids)
            answer = case.call(base_url=browser.origin, session=session)
            case.validate_response(answer, checks=list(CHECKS))

        run()
    return tried
