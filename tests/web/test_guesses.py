"""Guesses of passwords, all at once, through the page's own interface (S14).

`make test` sends 200; `make proof-guesses` 5,000.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from aiohttp import ClientSession, DummyCookieJar, TCPConnector
from pytest_aiohttp.plugin import AiohttpServer

from cti.web.deps import WebDeps
from cti.web.server import build_app
from tests.absent import LONG
from tests.web.fakes import PASSWORD, Clock
from ticketing.staff.passwords import Passwords
from ticketing.staff.rules import ACCOUNT, ADDRESS
from ticketing.staff.sign_in import Door

#: guesses
HOW_MANY: Final = 5_000 if os.environ.get(LONG) == "1" else 200
#: connections at once
AT_ONCE: Final = 100


class Counted(Passwords):
    """How many passwords were looked at."""

    def __init__(self) -> None:
        super().__init__(memory_mib=1, waiting=1000)
        self.looked_at = 0

    async def matches(self, stored: str | None, password: str) -> bool:
        """One more."""
        self.looked_at += 1
        return await super().matches(stored, password)


@pytest.fixture
async def counted() -> AsyncIterator[Counted]:
    """Passwords of this test."""
    made = Counted()
    yield made
    made.close()


@pytest.fixture
async def origin(aiohttp_server: AiohttpServer, deps: WebDeps, counted: Counted) -> str:
    """Address of the application."""
    server = await aiohttp_server(build_app(replace(deps, door=Door(deps.database, counted))))
    return f"http://{server.host}:{server.port}"


async def answer(http: ClientSession, origin: str, number: str, password: str) -> tuple[int, str]:
    """Status and code of one sign-in by somebody without a cookie."""
    given = {"number": number, "password": password}
    async with http.post(f"{origin}/api/session", json=given, headers={"Origin": origin}) as response:
        told = await response.json()
        return response.status, str(told.get("code", ""))


def guesser(address: str) -> ClientSession:
    """A program at this address of the loopback that keeps no cookies."""
    connector = TCPConnector(limit=AT_ONCE, local_addr=(address, 0))
    return ClientSession(connector=connector, cookie_jar=DummyCookieJar())


@pytest.mark.req("S14")
async def test_of_guesses_at_one_account_no_more_are_looked_at_than_are_free(
    origin: str, counted: Counted, *, clock: Clock, record_property: Callable[[str, object], None]
) -> None:
    """The right one among them is answered like the others once the account waits; everybody else comes in, from the
    same address too, and the owner when the wait is over."""
    others = [str(number) for number in (1002, 2001, 3001, 4001)]
    async with guesser("127.0.0.1") as http:
        guesses = [f"guess {place}" for place in range(HOW_MANY)]
        coming = [answer(http, origin, "1001", guess) for guess in guesses]
        # people at work while it goes on
        for place, number in enumerate(others, 1):
            coming.insert(place * len(coming) // 5, answer(http, origin, number, PASSWORD))
        said = await asyncio.gather(*coming)
        late = await answer(http, origin, "1001", PASSWORD)
        assert said.count((200, "")) == len(others)
        assert said.count((401, "wrong_sign_in")) == ACCOUNT.free
        assert said.count((429, "sign_in_wait")) == HOW_MANY - ACCOUNT.free
        assert late == (429, "sign_in_wait")
        assert counted.looked_at == ACCOUNT.free + len(others)
        clock.advance(seconds=ACCOUNT.first.total_seconds())
        assert (await answer(http, origin, "1001", PASSWORD))[0] == 200
    record_property("examples", HOW_MANY)


@pytest.mark.req("S14")
async def test_of_guesses_at_all_accounts_from_one_address_no_more_are_looked_at_than_are_free(
    origin: str, counted: Counted, *, clock: Clock, record_property: Callable[[str, object], None]
) -> None:
    """Existing numbers and made-up ones alike; from another address everybody comes in meanwhile."""
    async with guesser("127.0.0.1") as http, guesser("127.0.0.2") as office:
        numbers = [str(1000 + place % 500) for place in range(HOW_MANY)]
        coming = [answer(http, origin, number, "guess") for number in numbers]
        coming.insert(HOW_MANY // 2, answer(office, origin, "9001", PASSWORD))
        said = await asyncio.gather(*coming)
        assert said.count((200, "")) == 1
        assert said.count((401, "wrong_sign_in")) == ADDRESS.free
        assert said.count((429, "sign_in_wait")) == HOW_MANY - ADDRESS.free
        assert counted.looked_at == ADDRESS.free + 1
        assert (await answer(office, origin, "8001", PASSWORD))[0] == 200
        clock.advance(seconds=(ADDRESS.first + timedelta(seconds=1)).total_seconds())
        assert (await answer(http, origin, "8002", PASSWORD))[0] == 200
    record_property("examples", HOW_MANY)
