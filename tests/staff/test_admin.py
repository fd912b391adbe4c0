"""Staff, posts, teams and their queues as administered rows."""

from __future__ import annotations

from datetime import datetime

import pytest

from ticketing.db import Database
from ticketing.errors import Forbidden, Invalid, NotFound, Refused, Stale
from ticketing.roles import SYSTEM, Post
from ticketing.staff import actions, sample, store
from ticketing.staff.actions import AddStaff, ChangePosts
from ticketing.staff.model import PhoneKind


async def test_the_sample_loads_once_and_leaves_changes_alone(centre: Database, now: datetime) -> None:
    text = sample.SAMPLE.read_text(encoding="utf-8")
    async with centre.write() as conn:
        await actions.change_posts(conn, SYSTEM, ChangePosts("1001", frozenset({Post.SA}), 1), now)
        assert await sample.load(conn, text, now) == 0
        people = {person.number: person for person in await store.everyone(conn)}
    centre_staff = ["1001", "1002", "2001", "3001", "4001", "5001", "6001", "6101", "7001", "9001"]
    assert list(people) == sorted(
        [*centre_staff, "8001", "8002", "8003", "8004", "8101", "8102", "8201", "9101", "9102"]
    )
    assert (people["8001"].unit, people["8101"].posts) == ("city.network", frozenset({Post.DH}))
    assert people["1001"].posts == {Post.SA}
    assert people["1002"].phone_kind is PhoneKind.DESK
    assert people["1001"].vip_overflow


async def test_queues_of_posts_are_there_without_the_sample_and_the_centres_own_stay(
    database: Database, now: datetime
) -> None:
    text = sample.SAMPLE.read_text(encoding="utf-8")
    async with database.write() as conn:
        await sample.load_queues(conn, text, now)
        await actions.add_staff(conn, SYSTEM, AddStaff("1100", "甲", frozenset({Post.JA})), now)
        person = await store.by_number(conn, "1100")
        assert await store.queues_of(conn, person) == ["complaint", "suggestion"]
        await actions.set_queues_of_post(conn, SYSTEM, Post.JA, ["complaint"], now)
        await sample.load_queues(conn, text, now)
        assert await store.queues_of(conn, person) == ["complaint"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (AddStaff("12a", "甲", frozenset({Post.JA})), "number"),
        (AddStaff("１００１", "甲", frozenset({Post.JA})), "number"),
        (AddStaff("1100", " \x00", frozenset({Post.JA})), "name"),
        (AddStaff("1100", "甲", frozenset()), "posts"),
        (AddStaff("1100", "甲", frozenset({Post.JA}), team="none"), "team"),
        (AddStaff("1100", "甲", frozenset({Post.JA}), language="fr"), "language"),
    ],
)
async def test_wrong_fields_are_named(centre: Database, now: datetime, given: AddStaff, field: str) -> None:
    async with centre.write() as conn:
        with pytest.raises(Invalid) as caught:
            await actions.add_staff(conn, SYSTEM, given, now)
    assert caught.value.field == field


async def test_a_taken_number_a_stale_version_and_a_wrong_post_are_refused(centre: Database, now: datetime) -> None:
    async with centre.write() as conn:
        lin = (await store.by_number(conn, "1001")).actor
        with pytest.raises(Refused, match="number_taken"):
            await actions.add_staff(conn, SYSTEM, AddStaff("1001", "甲", frozenset({Post.JA})), now)
        with pytest.raises(Stale):
            await actions.change_posts(conn, SYSTEM, ChangePosts("1001", frozenset({Post.SA}), 7), now)
        with pytest.raises(Forbidden):
            await actions.add_staff(conn, lin, AddStaff("1100", "甲", frozenset({Post.JA})), now)
        with pytest.raises(NotFound):
            await store.by_number(conn, "0000")
        await actions.set_language(conn, lin, "en", now)
        assert (await store.by_number(conn, "1001")).actor.language == "en"


async def test_team_queues_add_to_those_of_the_posts(centre: Database, now: datetime) -> None:
    async with centre.write() as conn:
        await actions.set_queues_of_team(conn, SYSTEM, "team1", ["night"], now)
        assert await store.queues_of(conn, await store.by_number(conn, "1001")) == ["complaint", "night", "suggestion"]
        await actions.set_queues_of_post(conn, SYSTEM, Post.JA, [], now)
        assert await store.queues_of(conn, await store.by_number(conn, "1001")) == ["night"]


@pytest.mark.parametrize("text", ["[[staff", "[[staff]]\nnumber='1'\nname='a'\nposts=['XX']", "[[staff]]\nage=3"])
async def test_a_broken_staff_file_is_named(database: Database, now: datetime, text: str) -> None:
    async with database.write() as conn:
        with pytest.raises(Invalid) as caught:
            await sample.load(conn, text, now)
    assert caught.value.code == "bad_staff_file"


@pytest.mark.req("PX-05")
async def test_news_are_for_whom_a_holder_means_and_for_the_posts_named_and_nobody_else_is_read(
    centre: Database, now: datetime
) -> None:
    async with centre.write() as conn:
        await actions.deactivate(conn, SYSTEM, "8101", 1, now)

        async def numbers(holders: set[str], *posts: Post) -> list[str]:
            return [person.number for person in await store.concerned(conn, holders, posts)]

        assert await numbers({"1002"}) == ["1002"]
        assert await numbers({"city.network"}) == ["8001", "8201"], "who left is told nothing"
        assert await numbers({"city.billing", "1002"}, Post.SA) == ["1002", "2001", "8002", "8102"]
        assert await numbers(set(), Post.SU) == ["3001"]
        assert await numbers({"senior"}) == [], "a queue is meant by its posts"
        assert await numbers(set()) == []
        (one,) = await store.concerned(conn, {"1002"}, ())
        assert one == await store.by_number(conn, "1002")
