"""The whole web application on a real database with the sample operator, a fake telephone side and a moved clock."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pytest_aiohttp.plugin import AiohttpClient

from cti.hub import Hub
from cti.web.deps import WebDeps
from cti.web.server import build_app
from recordings.library import Library
from tests.web.fakes import PASSWORD, Browser, Clock, FakeTelephony
from ticketing import taxonomy
from ticketing.audit import QueryLog
from ticketing.db import Database
from ticketing.orders import form_templates
from ticketing.papers.files import FileStore
from ticketing.roles import SYSTEM
from ticketing.staff import actions, sample, store
from ticketing.staff.passwords import Passwords
from ticketing.staff.sign_in import Door

MakeBrowser = Callable[..., Awaitable[Browser]]


@pytest.fixture
def database_kind() -> str:
    """SQLite; a module that must hold on both overrides this."""
    return "sqlite"


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def telephony(now: datetime) -> FakeTelephony:
    return FakeTelephony(expires_at=now + timedelta(hours=1))


@pytest.fixture(scope="session")
def passwords() -> Iterator[Passwords]:
    """Hashing cheap enough for tests."""
    pool = Passwords(memory_mib=1, waiting=1000)
    yield pool
    pool.close()


@pytest.fixture
async def centre(database: Database, passwords: Passwords, now: datetime) -> Database:
    """The sample operator's staff and vocabularies; everybody has the same password."""
    made = await passwords.hash(PASSWORD)
    async with database.write() as conn:
        await sample.load(conn, sample.SAMPLE.read_text(encoding="utf-8"), now)
        nodes = taxonomy.parse(taxonomy.SAMPLE.read_text(encoding="utf-8"))
        await taxonomy.load(conn, nodes, now, today=now.date())
        await form_templates.load(conn, form_templates.SHIPPED.read_text(encoding="utf-8"), now)
        for person in await store.everyone(conn):
            await actions.set_password_hash(conn, SYSTEM, person.number, made, now)
    return database


@pytest.fixture
def hub() -> Hub:
    return Hub("e1", lag=20)


@pytest.fixture
async def deps(
    centre: Database,
    passwords: Passwords,
    hub: Hub,
    *,
    telephony: FakeTelephony,
    clock: Clock,
    tmp_path: Path,
) -> WebDeps:
    """What the composition root gives."""
    queries = QueryLog(centre)
    for name in ("spool", "media", "desk"):
        (tmp_path / name).mkdir()
    return WebDeps(
        database=centre,
        clock=clock,
        hub=hub,
        telephony=telephony,
        door=Door(centre, passwords),
        queries=queries,
        library=Library(centre, tmp_path / "spool", tmp_path / "media", b"k" * 32, queries),
        files=FileStore(tmp_path / "papers"),
        desk=tmp_path / "desk",
    )


@pytest.fixture
async def visitor(aiohttp_client: AiohttpClient, deps: WebDeps) -> Browser:
    """A browser in which nobody is signed in."""
    return Browser(await aiohttp_client(build_app(deps)))


@pytest.fixture
async def open_browser(aiohttp_client: AiohttpClient, visitor: Browser) -> MakeBrowser:
    """Browsers at the same service, each signed in under a number."""

    async def make(number: str = "") -> Browser:
        browser = Browser(await aiohttp_client(visitor.client.server))
        if number:
            answer = await browser.sign_in(number)
            assert answer.status == 200, await answer.text()
        return browser

    return make


@pytest.fixture
async def agent(open_browser: MakeBrowser) -> Browser:
    """1001, a junior agent."""
    return await open_browser("1001")
