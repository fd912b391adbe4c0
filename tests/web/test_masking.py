"""What each post reads of a customer: in full, covered, or uncovered for a reason that is kept (AU-02)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from sqlalchemy import select, update

from cti.web.catalogue import ROUTES
from cti.web.deps import WebDeps
from cti.web.masking import personal_fields
from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import ALL_WELL, TWO, Case
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser
from ticketing.audit import audit
from ticketing.db import Database
from ticketing.masking import Personal, mask
from ticketing.orders import dispatching
from ticketing.orders.inputs import Dispatch, Propose
from ticketing.orders.tables import work_order
from ticketing.text import mask_number

CALLER, CONTACT = "13700137000", "13900139000"
#: names of fields that hold a personal fact wherever they are answered
KNOWN = {
    "caller_number", "contact_number", "service_number", "e164", "contact_name", "customer_name", "contact_address",
    "description", "verbatim", "wanted_result", "event_place",
}  # fmt: skip
#: tells of a covered reading what must not be in it
SECRETS = (CALLER, CONTACT, "李女士", "中关村大街", "88886666")


def models(answer: Any, found: set[type[BaseModel]]) -> set[type[BaseModel]]:
    """Every model inside an answer's type."""
    if isinstance(answer, type) and issubclass(answer, BaseModel) and answer not in found:
        found.add(answer)
        for field in answer.model_fields.values():
            models(field.annotation, found)
    for inner in get_args(answer):
        models(inner, found)
    return found


def test_no_answer_has_a_personal_field_that_does_not_say_so() -> None:
    seen = set()
    for route in ROUTES:
        for model in models(route.answer, set()):
            for name in KNOWN & set(model.model_fields):
                assert name in personal_fields(model), f"{model.__name__}.{name}"
                seen.add(name)
    assert seen == KNOWN, "the list names what is answered"


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        (Personal.NUMBER, "+8613800138000", "+86138****8000"),
        (Personal.NUMBER, "ADSL-010-88886666", "ADSL-010-88****66"),
        (Personal.NAME, "张伟", "张*"),
        (Personal.NAME, "欧阳娜娜", "欧***"),
        (Personal.NAME, "张", "张*"),
        (Personal.NAME, "", ""),
        (Personal.ADDRESS, "北京市海淀区中关村大街 1 号", "北京市海淀区****"),
        (Personal.ADDRESS, "知春路", "知春****"),
        (Personal.TEXT, "请打 138 0013 8000，身份证 11010119900307123X", "请打 138****8000，身份证 110****123X"),
        (Personal.TEXT, "２０２６年报了 3 次，单号 12", "２０２６年报了 3 次，单号 12"),
    ],
)
def test_how_each_kind_is_covered(kind: Personal, text: str, shown: str) -> None:
    assert mask(kind, text) == shown


@pytest.fixture
async def complaint(deps: WebDeps, now: datetime) -> tuple[Desk, str]:
    """A complaint dispatched to the network department."""
    desk = await opened(deps.database, now)
    change = await desk.registered("c9", "1001", CALLER)
    case = Case(desk, change)
    await case.act("1001", dispatching.propose, Propose, tasks=TWO[:1], opinion="请处理")
    await case.act("2001", dispatching.approve, Dispatch, opinion="同意", checks=ALL_WELL)
    return desk, change.subject_id


async def opened(database: Database, now: datetime) -> Desk:
    """The desk of a database that has its people."""
    return await Desk.open(database, now)


async def texts(browser: Browser, order: str) -> dict[str, str]:
    """What a person reads where: list and detail."""
    answers = {"list": await browser.get("/api/orders"), "detail": await browser.get(f"/api/orders/{order}")}
    return {name: json.dumps(await answer.json(), ensure_ascii=False) for name, answer in answers.items()}


@pytest.mark.req("AU-02", "S25")
@pytest.mark.parametrize(
    ("number", "lists", "details"),
    [
        ("1001", True, True),
        ("2001", True, True),
        ("3001", True, True),
        ("4001", True, True),
        ("7001", True, True),
        ("5001", False, False),
        ("9001", False, False),
        ("8001", False, True),  # its department works on it
    ],
)
async def test_each_post_reads_of_the_customer_what_it_needs(
    open_browser: MakeBrowser, complaint: tuple[Desk, str], *, number: str, lists: bool, details: bool
) -> None:
    seen = await texts(await open_browser(number), complaint[1])
    assert (CALLER in seen["list"]) is lists
    for secret in SECRETS:
        assert (secret in seen["detail"]) is details, secret
    if not details:
        assert mask_number("+86" + CALLER) in seen["detail"]
        assert "李**" in seen["detail"]


@pytest.mark.req("AU-02")
async def test_a_department_sees_the_customer_only_while_it_works_for_him(
    open_browser: MakeBrowser, complaint: tuple[Desk, str]
) -> None:
    desk, order = complaint
    department = await open_browser("8001")
    assert CONTACT in (await texts(department, order))["detail"]
    async with desk.database.write() as conn:
        await conn.execute(update(work_order).values(state="done", ended_at=desk.now, owner_id=None, owner_queue=None))
    covered = (await texts(department, order))["detail"]
    assert CONTACT not in covered
    assert json.loads(covered)["masked"] is True


@pytest.mark.req("AU-02", "AU-01")
async def test_an_order_is_uncovered_for_a_reason_that_is_kept(
    open_browser: MakeBrowser, complaint: tuple[Desk, str]
) -> None:
    """Once, for this reading: without a reason, without the right, or where nothing is covered it is refused."""
    desk, order = complaint
    keeper = await open_browser("5001")
    path = f"/api/orders/{order}/uncover"
    assert (await keeper.post(path, {"reason": " "})).status == 422
    shown = await (await keeper.post(path, {"reason": "核对重复投诉"})).json()
    assert (shown["contact_number"], shown["contact_name"], shown["masked"]) == ("+86" + CONTACT, "李女士", False)
    assert CONTACT not in (await texts(keeper, order))["detail"], "the next reading is covered again"
    assert (await (await open_browser("1001")).post(path, {"reason": "想看"})).status == 403
    department = await open_browser("8001")
    refused = await department.post(path, {"reason": "想看"})
    assert (refused.status, (await refused.json())["code"]) == (409, "nothing_covered")
    assert (await (await open_browser("8002")).post(path, {"reason": "想看"})).status == 404
    async with desk.database.read() as conn:
        rows = (await conn.execute(select(audit).where(audit.c.verb == "order.uncovered"))).all()
    assert [(row.actor_number, row.subject_id, row.payload) for row in rows] == [
        ("5001", order, {"reason": "核对重复投诉"})
    ]


@pytest.mark.req("AU-02")
async def test_calls_and_customers_are_covered_alike(open_browser: MakeBrowser, complaint: tuple[Desk, str]) -> None:
    desk, _ = complaint
    known = await desk.customer("张伟", "+86" + CALLER, vip_class="major")
    for number, full in (("1001", True), ("5001", False)):
        browser = await open_browser(number)
        file = json.dumps(await (await browser.get(f"/api/customers/{known.public_id}")).json(), ensure_ascii=False)
        assert ("张伟" in file, CALLER in file) == (full, full), number
