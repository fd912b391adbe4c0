"""Grades: taken once with call, agent and order; a bad one is one follow-up with owner and due time (TL-08, SV-05)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.orders.desk import Desk
from ticketing.changes import Change
from ticketing.db import Database
from ticketing.errors import Forbidden, Invalid, Refused, Stale
from ticketing.roles import SYSTEM, Actor, Post
from ticketing.surveys import actions, store
from ticketing.surveys.model import FollowUp, FollowUpFilter, NewGrade, State
from ticketing.surveys.rules import parse, shipped
from ticketing.surveys.tables import follow_up, survey_result


@pytest.fixture
async def desk(database: Database, now: datetime) -> Desk:
    return await Desk.open(database, now)


def surveyor(desk: Desk) -> Actor:
    return next(actor for actor in desk.actors.values() if Post.SV in actor.posts)


async def graded(desk: Desk, grade: str, call_id: str = "c1", agent: str = "1001") -> tuple[Change, ...]:
    async with desk.database.write() as conn:
        given = NewGrade(call_id=call_id, grade=grade, agent=agent, at=desk.now)
        return await actions.take_grade(conn, SYSTEM, given, shipped(), desk.now + timedelta(seconds=2))


async def waiting(desk: Desk, at: datetime | None = None, **wanted: Any) -> tuple[FollowUp, ...]:
    async with desk.database.read() as conn:
        page = await store.search(conn, surveyor(desk), FollowUpFilter(**wanted), at or desk.now)
    return page.items


@pytest.mark.req("TL-08", "SV-05")
async def test_a_bad_grade_is_stored_once_and_followed_up_once(desk: Desk) -> None:
    draft = await desk.call("c1", agent="1001")
    told = await graded(desk, "5")
    assert [change.kind for change in told] == ["grade.taken", "follow_up.opened"]
    assert await graded(desk, "5") == ()
    assert await graded(desk, "1") == ()
    async with desk.database.read() as conn:
        (row,) = (await conn.execute(select(survey_result))).all()
    assert (row.call_id, row.grade, row.agent, row.channel) == ("c1", "5", "1001", "ivr")
    (found,) = await waiting(desk)
    assert (found.state, found.owner, found.grade, found.agent) == ("new", "survey", "5", "1001")
    assert (found.order_id, found.due_at) == (draft.subject_id, desk.now + timedelta(hours=24))
    assert not found.overdue
    (late,) = await waiting(desk, desk.now + timedelta(hours=24), overdue=True)
    assert late.overdue
    assert await waiting(desk, overdue=True) == ()


@pytest.mark.req("TL-08")
async def test_two_who_tell_the_same_grade_at_once_open_one_follow_up(desk: Desk) -> None:
    told = await asyncio.gather(*(graded(desk, "4") for _ in range(6)))
    assert sorted(len(changes) for changes in told) == [0, 0, 0, 0, 0, 2]
    assert len(await waiting(desk)) == 1


@pytest.mark.req("TL-08")
@pytest.mark.parametrize("grade", ["1", "2", "3", "9"])
async def test_a_good_or_unknown_grade_is_kept_and_followed_by_nobody(desk: Desk, grade: str) -> None:
    assert [change.kind for change in await graded(desk, grade, "c-none")] == ["grade.taken"]
    assert await waiting(desk) == ()
    async with desk.database.read() as conn:
        (row,) = (await conn.execute(select(survey_result))).all()
    assert (row.grade, row.order_id) == (grade, None)


@pytest.mark.req("SV-05")
async def test_a_surveyor_takes_it_gives_it_back_and_ends_it_with_the_opinion(desk: Desk) -> None:
    _, opened = await graded(desk, "4")
    mine, now = surveyor(desk), desk.now
    async with desk.database.write() as conn:
        await actions.claim(conn, mine, opened.subject_id, 1, now)
        with pytest.raises(Stale):
            await actions.claim(conn, mine, opened.subject_id, 1, now)
        with pytest.raises(Refused, match="not_from_here"):
            await actions.claim(conn, mine, opened.subject_id, 2, now)
    assert [found.owner for found in await waiting(desk, mine=True)] == [mine.number]
    async with desk.database.write() as conn:
        await actions.release(conn, mine, opened.subject_id, 2, shipped(), now)
        await actions.claim(conn, mine, opened.subject_id, 3, now)
        finish = (opened.subject_id, 4)
        with pytest.raises(Invalid, match="required"):
            await actions.finish(conn, mine, *finish, " ", None, shipped(), now)
        with pytest.raises(Invalid, match="unknown_code"):
            await actions.finish(conn, mine, *finish, "好", "9", shipped(), now)
        other = Actor(mine.staff_id + 1, "x", "x", mine.posts)
        with pytest.raises(Refused, match="not_your_follow_up"):
            await actions.finish(conn, other, *finish, "好", None, shipped(), now)
        done = await actions.finish(conn, mine, *finish, "已道歉，接受", "2", shipped(), now)
    assert done.payload["state"] == State.DONE
    assert await waiting(desk) == ()
    (found,) = await waiting(desk, state=("done",))
    assert (found.opinion, found.final_grade, found.owner, found.done_at) == ("已道歉，接受", "2", None, now)


@pytest.mark.req("SV-05")
async def test_only_surveyors_work_on_them(desk: Desk) -> None:
    _, opened = await graded(desk, "5")
    async with desk.database.write() as conn:
        for number in ("1001", "2001", "3001"):
            with pytest.raises(Forbidden):
                await actions.claim(conn, desk[number], opened.subject_id, 1, desk.now)
    async with desk.database.read() as conn:
        assert (await conn.execute(select(follow_up.c.version))).scalar_one() == 1


def test_the_shipped_scale() -> None:
    scale = shipped()
    assert [key for key, grade in scale.grades.items() if grade.bad] == ["4", "5"]
    assert (scale.grades["1"].score, scale.grades["5"].score) == (5, 1)


@pytest.mark.req("SV-05")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "follow_up"),
        ('[follow_up]\nqueue = "q"\ndue_hours = 1\n[grade]\n', "at least one"),
        ('[follow_up]\nqueue = "q"\ndue_hours = 0\n[grade.1]\nzh = "a"\nen = "b"\nscore = 1\n', "due time"),
        ('[follow_up]\nqueue = "q"\ndue_hours = 1\n[grade.10]\nzh = "a"\nen = "b"\nscore = 1\n', "not one key"),
        ('[follow_up]\nqueue = "q"\ndue_hours = 1\n[grade.1]\nzh = "a"\nen = "b"\nscore = 1\nworst = 1\n', "worst"),
    ],
)
def test_a_scale_with_a_fault_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        parse(text)
