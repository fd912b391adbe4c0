"""Staff added at the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from cti import staffing
from cti.app import clock, open_database
from cti.settings import Settings
from ticketing.db import Database
from ticketing.errors import HotlineError
from ticketing.roles import Post
from ticketing.staff import sessions, store
from ticketing.staff.model import PhoneKind


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate({"home": tmp_path / "home"})


async def test_a_new_colleague_is_there_and_his_token_works_once(settings: Settings) -> None:
    token = await staffing.add_person(
        settings, number="7001", name="钱多多", posts=["JA", "TE"], team=None, phone="desk"
    )
    database = await open_database(settings)
    try:
        async with database.read() as conn:
            person = await store.by_number(conn, "7001")
        assert (person.name, person.posts) == ("钱多多", frozenset({Post.JA, Post.TE}))
        assert (person.phone_kind, person.active) == (PhoneKind.DESK, True)
        async with database.write() as conn:
            assert [each.number for each in await sessions.check_setup(conn, token, clock())] == ["7001"]
            await sessions.spend_setup(conn, token, ["7001"], clock())
            with pytest.raises(HotlineError):
                await sessions.check_setup(conn, token, clock())
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"phone": "mobile"}, "--phone is browser or desk, not mobile"),
        ({"posts": ["JA", "XX"]}, "unknown post XX: JA, TE, RX"),
        ({"posts": []}, "at least one post"),
        ({"number": "12"}, "3 to 8 digits"),
        ({"number": "1001; DROP"}, "3 to 8 digits"),
        ({"number": "1860"}, "callers dial 1860"),
        ({"name": "  "}, "a name"),
        ({"team": "nowhere"}, "nowhere"),
    ],
)
async def test_what_is_wrong_is_named_and_nobody_is_added(
    settings: Settings, given: dict[str, object], reason: str
) -> None:
    whole: dict[str, object] = {"number": "7001", "name": "钱多多", "posts": ["JA"], "team": None, "phone": "desk"}
    with pytest.raises(HotlineError) as caught:
        await staffing.add_person(settings, **(whole | given))  # type: ignore[arg-type]
    assert reason in str(caught.value)
    database: Database = await open_database(settings)
    try:
        async with database.read() as conn:
            assert await store.everyone(conn, active=False) == []
    finally:
        await database.close()


async def test_a_number_is_given_once(settings: Settings) -> None:
    await staffing.add_person(settings, number="7001", name="钱多多", posts=["JA"], team=None, phone="desk")
    with pytest.raises(HotlineError, match="7001 belongs to somebody"):
        await staffing.add_person(settings, number="7001", name="孙小小", posts=["JA"], team=None, phone="desk")
