"""Every route with an order or a work order in its address × every post × own, another's, none: from the description.

Another department's order, and another agent's draft, are not there: 404, whatever is asked of them (S15, PR-01).
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from cti.web.catalogue import ROUTES
from cti.web.openapi import describe
from cti.web.security import CSRF_HEADER
from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import ALL_WELL, TWO, Case
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser
from tests.web.test_masking import CALLER, complaint
from ticketing.orders import dispatching
from ticketing.orders.inputs import Dispatch, Propose
from ticketing.orders.tables import customer_order, order_trail, work_order

__all__ = ["complaint"]

DOCUMENT = describe(ROUTES, "0")
#: who holds which post here, one of each that the sample has
PEOPLE = {
    "JA": "1002", "TE": "6101", "SA": "2001", "SU": "3001", "MH": "4001", "DM": "5001", "RX": "6001", "SV": "7001",
    "DS": "8002", "DH": "8101", "AD": "9001",
}  # fmt: skip
ORDER, WORK = "/api/orders/{id}", "/api/work-orders/{id}"
#: more is in the address than the order
PARTS = {"file": "none-such", "fid": "none-such", "file_id": "none-such"}


def operations(prefix: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path, operation) of everything under this address."""
    return [
        (method.upper(), path, operation)
        for path, methods in DOCUMENT["paths"].items()
        if path.startswith(prefix)
        for method, operation in methods.items()
    ]


def body_of(operation: dict[str, Any]) -> Any:
    """The example of its body, if it has one."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return content["example"] if content else None


async def status(browser: Browser, method: str, path: str, operation: dict[str, Any]) -> int:
    """What this person gets."""
    for name, value in PARTS.items():
        path = path.replace(f"{{{name}}}", value)
    if method == "GET":
        return (await browser.get(path)).status
    if "application/octet-stream" in operation.get("requestBody", {}).get("content", {}):
        said = {"Origin": browser.origin, CSRF_HEADER: browser.csrf}
        path += "?name=a.txt&version=1"
        return (await browser.client.request(method, path, data=b"words", headers=said)).status
    return (await browser.send(method, path, body_of(operation))).status


async def unchanged(desk: Desk) -> list[Any]:
    """Versions of all orders and work orders, and how long their trails are."""
    async with desk.database.read() as conn:
        orders = (await conn.execute(select(customer_order.c.public_id, customer_order.c.version))).all()
        works = (await conn.execute(select(work_order.c.public_id, work_order.c.version))).all()
        steps = len((await conn.execute(select(order_trail.c.id))).all())
    return [*orders, *works, steps]


@pytest.mark.req("S15", "AD-01", "PR-01", "AU-02")
@pytest.mark.parametrize("post", PEOPLE)
async def test_what_is_not_yours_is_not_there(
    open_browser: MakeBrowser, complaint: tuple[Desk, str], post: str
) -> None:
    """8002's department has no part in the order, 1001's draft is nobody else's: every route says 404, or 403 before it
    looks; nothing changes, nothing breaks, and an id that names nothing is answered alike."""
    desk, order = complaint
    draft = (await desk.call("c11", "1001", "13600136000")).subject_id
    async with desk.database.read() as conn:
        work = str(await conn.scalar(select(work_order.c.public_id)))
    browser = await open_browser(PEOPLE[post])
    before = await unchanged(desk)
    supervises = post in {"SU", "AD"}
    hidden = {ORDER: [] if supervises else [draft], WORK: []}
    if post == "DS":
        hidden = {ORDER: [draft, order], WORK: [work]}
    seen = 0
    for prefix, ids in hidden.items():
        for method, path, operation in operations(prefix):
            nothing = await status(browser, method, path.replace("{id}", "none-such"), operation)
            assert nothing in {403, 404}, (method, path)
            for id_ in ids:
                found = await status(browser, method, path.replace("{id}", id_), operation)
                assert found == nothing, (method, path, "an order that is there is answered as one that is not")
                seen += 1
    assert await unchanged(desk) == before
    assert seen > 30 or supervises


@pytest.mark.req("S15", "AD-01")
@pytest.mark.parametrize("post", PEOPLE)
async def test_no_step_breaks_and_none_is_taken_that_the_post_may_not(
    open_browser: MakeBrowser, complaint: tuple[Desk, str], post: str
) -> None:
    """On an order one may see: what the post may not do is 403, what does not fit now 409 or 422, and never 5xx."""
    desk, order = complaint
    browser = await open_browser(PEOPLE[post])
    version_before = await unchanged(desk)
    for method, path, operation in operations(ORDER):
        needed = operation.get("x-posts")
        found = await status(browser, method, path.replace("{id}", order), operation)
        assert found < 500, (method, path)
        if needed is not None and post not in needed:
            assert found == 403, (method, path, found)
        elif method != "GET" and "/uncover" not in path:
            assert found in {404, 409, 415, 422}, (method, path, found, "examples carry another version")
    assert await unchanged(desk) == version_before


@pytest.mark.req("S15", "PR-01", "DP-11")
async def test_a_department_reaches_its_own_work_and_no_other(
    open_browser: MakeBrowser, complaint: tuple[Desk, str]
) -> None:
    """Own, another's, only proposed: the first is read and taken, the others are not there."""
    desk, _ = complaint
    proposed = Case(desk, await desk.registered("c12", "1001", CALLER))
    await proposed.act("1001", dispatching.propose, Propose, tasks=TWO[1:], opinion="请处理")
    billing = await open_browser("8002")
    assert (await (await billing.get("/api/work-orders")).json())["items"] == []
    assert (await billing.get(f"/api/orders/{proposed.id}")).status == 404
    await proposed.act("2001", dispatching.approve, Dispatch, opinion="同意", checks=ALL_WELL)
    (own,) = (await (await billing.get("/api/work-orders")).json())["items"]
    assert (await billing.get(f"/api/orders/{proposed.id}")).status == 200
    network = await open_browser("8001")
    for path in (f"/api/work-orders/{own['id']}", f"/api/orders/{proposed.id}"):
        assert (await network.get(path)).status == 404
    step = f"/api/work-orders/{own['id']}/accept"
    assert (await network.post(step, {"version": own["version"]})).status == 404
    assert (await billing.post(step, {"version": own["version"]})).status == 200
