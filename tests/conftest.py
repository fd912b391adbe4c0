"""Fixtures for all tests: a clean environment, a fixed clock, and a database of each kind."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from tests.absent import ALL, LONG, SEARCH, missing
from tests.postgresql import Cluster, NoServer
from tests.schema import load_all_tables
from ticketing.db import Database

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile("search" if os.environ.get(SEARCH) == "1" else "steady")

pytest_plugins = ["tests.requirements_plugin", "tests.shuffle_plugin"]

for _name in [name for name in os.environ if name.startswith("HOTLINE_") and name not in {ALL, LONG, SEARCH}]:
    del os.environ[_name]


@pytest.fixture
def now() -> datetime:
    """A Tuesday morning in Beijing: 2026-03-10 09:30 local time."""
    return datetime(2026, 3, 10, 1, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A throw-away PostgreSQL server of this test run."""
    try:
        with Cluster.start() as running:
            yield running
    except NoServer as reason:
        missing(str(reason))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Name of the database the test runs on."""
    return str(request.param)


@pytest.fixture
def empty_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a database without tables."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'hotline.db'}"
        return
    running: Cluster = request.getfixturevalue("cluster")
    with running.fresh(template=None) as url:
        yield url


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a database with every table."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'hotline.db'}"
        return
    running: Cluster = request.getfixturevalue("cluster")
    with running.fresh(template=running.template()) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database with every table, empty; closed after the test."""
    opened = await Database.open(database_url)
    try:
        if opened.dialect == "sqlite":
            load_all_tables()
            await opened.create_all()
        yield opened
    finally:
        await opened.close()
