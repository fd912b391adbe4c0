"""Orders searched by words: Chinese of any length, other scripts, what was added later; no draft of another's."""

from __future__ import annotations

from datetime import datetime

import pytest
from alembic import command
from sqlalchemy import select

from cti import migrations
from cti.migrations import revisions
from tests.orders.desk import VIP, Desk
from ticketing.changes import Change
from ticketing.customers import imports
from ticketing.db import Database
from ticketing.orders import actions, store
from ticketing.orders import words as search
from ticketing.orders.inputs import Merge
from ticketing.orders.tables import order_term
from ticketing.orders.views import OrderFilter
from ticketing.roles import SYSTEM

#: the revision before the index
BEFORE = "0002"


async def found(desk: Desk, words: str, agent: str = "1001") -> list[str]:
    """Descriptions of the orders a search by words gives, shortest first."""
    async with desk.database.read() as conn:
        page = await store.search(conn, desk[agent], OrderFilter(words=words), desk.now)
    return sorted((item.summary for item in page.items), key=len)


@pytest.mark.req("TL-72")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("宽带", ["宽带断了"]),  # two characters
        ("张伟", ["宽带断了"]),  # the customer's name, not the contact's
        ("李女士", ["宽带断了", "电视没有信号，多次报修"]),  # three: both pairs
        ("断", ["宽带断了"]),
        ("了", ["宽带断了"]),  # one character, at the end of its run
        ("报修 电视", ["电视没有信号，多次报修"]),  # all the words, in any order
        ("宽带 电视", []),
        ("带宽", []),  # the same characters the other way round
        ("知春路１８号", ["宽带断了"]),  # full-width digits are digits
        ("iptv", ["电视没有信号，多次报修"]),
        ("IPT", ["电视没有信号，多次报修"]),  # the beginning of a word that is being typed
        ("PTV", []),
        ("José", ["电视没有信号，多次报修"]),
        ("！？", []),
        ("%", []),
        ("' OR 1=1 --", []),
    ],
)
async def test_words_find_the_orders_that_say_them(
    desk: Desk, words: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the words are rare, or so common that their lists are read side by side, and however many say them."""
    await desk.customer("张伟")
    await desk.registered(description="宽带断了", verbatim="三天没人管", contact_address="知春路 18 号院")
    other = {"description": "电视没有信号，多次报修", "verbatim": "IPTV 黑屏", "event_place": "José 的店"}
    await desk.registered("c2", "1002", "13700137000", **other)
    for common, few in ((search.COMMON, search.FEW), (1, search.FEW), (1, 0), (search.COMMON, 0)):
        monkeypatch.setattr(search, "COMMON", common)
        monkeypatch.setattr(search, "FEW", few)
        assert await found(desk, words) == expected, (common, few)


@pytest.mark.req("TL-72")
async def test_the_index_follows_what_is_written(desk: Desk) -> None:
    """A word taken out is found no more; a word said later is found; nothing of another's draft is."""
    draft = await desk.edit(await desk.call(), description="宽带断网", contact_name="王芳")
    assert await found(desk, "断网") == ["宽带断网"]
    assert await found(desk, "断网", "1002") == []
    draft = await desk.edit(draft, description="宽带太慢")
    assert await found(desk, "断网") == []
    assert await found(desk, "太慢") == ["宽带太慢"]
    draft = await desk.edit(draft, contact_name=None)
    assert await found(desk, "王芳") == []
    order = await desk.registered("c2", description="信号不好")
    await said_later(desk, order, "路由器也坏了")
    assert await found(desk, "路由器") == ["", "信号不好"], "the merged draft, and the order that took its words"


@pytest.mark.req("TL-72")
async def test_words_and_other_conditions_hold_together(desk: Desk) -> None:
    await desk.registered(description="宽带断了")
    await desk.registered("c2", "1002", "13700137000", description="宽带慢")
    async with desk.database.read() as conn:
        wanted = OrderFilter(words="宽带", number="13700137000")
        page = await store.search(conn, desk["1001"], wanted, desk.now)
    assert [item.summary for item in page.items] == ["宽带慢"]


@pytest.mark.req("TL-72")
async def test_an_upgrade_indexes_what_is_there(empty_url: str, now: datetime) -> None:
    """Orders from before the index are found as if they had been written after it."""
    await migrations.upgrade(empty_url)
    database = await Database.open(empty_url)
    try:
        desk = await Desk.open(database, now)
        await desk.customer("张伟")
        await said_later(desk, await desk.registered(description="宽带断了"), "路由器也坏了")
        written = await terms(database)
        assert {"宽带", "张伟", "由器", "李女"} <= {term for _, term in written}
        async with migrations.connect(empty_url) as conn:
            back = revisions.with_connection(revisions.config(), lambda made: command.downgrade(made, BEFORE))
            await conn.run_sync(back)
        assert await migrations.upgrade(empty_url) == (BEFORE, migrations.head())
        assert await terms(database) == written
    finally:
        await database.close()


async def terms(database: Database) -> set[tuple[int, str]]:
    """The whole index."""
    async with database.read() as conn:
        return {(row.order_id, row.term) for row in await conn.execute(select(order_term))}


async def said_later(desk: Desk, order: Change, words: str) -> None:
    """The customer calls again about his order; the second draft is merged into it."""
    draft = await desk.edit(await desk.call("c9"), verbatim=words)
    async with desk.database.write() as conn:
        into = (await desk.read(order)).serial
        await actions.merge(conn, desk["1001"], Merge(draft.subject_id, draft.version, into), desk.now)


@pytest.mark.req("TL-72", "TL-34")
async def test_a_customer_who_has_another_name_is_found_by_it(desk: Desk) -> None:
    """The directory's next file names him differently: his orders are found by the new name, no longer by the old."""
    header = "external_id,name,numbers\n"

    async def taken(name: str) -> None:
        lines = imports.lines_of_bytes(f"{header}K1,{name},{VIP}\n".encode())
        report = await imports.take(
            desk.database, SYSTEM, lines, desk.now, area_code="010", renamed=search.write_of_customer
        )
        assert report.bad_count == 0

    await taken("欧阳锋")
    await desk.registered(description="宽带断了", contact_name="本人")
    assert await found(desk, "欧阳锋") == ["宽带断了"]
    await taken("黄药师")
    assert await found(desk, "黄药师") == ["宽带断了"]
    assert await found(desk, "欧阳锋") == []
