"""Where two papers disagree: the order comes before its work orders, and three people ask whether he is satisfied."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import func, select

from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import ALL_WELL, REPLIED, TWO, Case
from ticketing.db import Database
from ticketing.orders import closing, dispatching, history, store, surveying
from ticketing.orders.inputs import CalledBack, Dispatch, HandToSenior, Rate, Reply
from ticketing.orders.tables import work_order
from ticketing.roles import SYSTEM


@pytest.fixture
async def desk(database: Database, now: datetime) -> Desk:
    return await Desk.open(database, now)


@pytest.mark.req("G11", "SV-05", "SV-10")
async def test_the_order_comes_first_and_of_three_grades_the_surveyors_counts(desk: Desk) -> None:
    case = Case(desk, await desk.registered())
    async with desk.database.read() as conn:
        assert await conn.scalar(select(func.count()).select_from(work_order)) == 0, "the call made an order, no work"
    await case.act("1001", dispatching.hand_to_senior, HandToSenior, reason="x")
    await case.act("2001", dispatching.dispatch, Dispatch, opinion="x", checks=ALL_WELL, tasks=TWO)
    assert len((await case.read()).work_orders) == len(TWO)
    await case.finished("city.network", "8001")
    asked = {"grade": "very_satisfied", "opinion": "师傅很好"}
    await case.on_work("city.network", "8001", surveying.called_back, CalledBack, **asked)
    await case.finished("city.billing", "8002")
    await case.act("2001", closing.reply, Reply, **{**REPLIED, "satisfaction": "satisfied"})
    await case.act("7001", closing.rate, Rate, outcome="satisfied", grade="neutral")
    async with desk.database.read() as conn:
        key = await store.id_of(conn, SYSTEM, case.id)
        centre = [reply.satisfaction for reply in await history.replies(conn, key)]
        heard = [(each.source, each.unit, each.grade, each.official) for each in await history.surveys(conn, key)]
    assert centre == ["satisfied"]
    assert heard == [
        ("department", "city.network", "very_satisfied", False),
        ("surveyor", None, "neutral", True),
    ]
