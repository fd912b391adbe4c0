"""A visitor's complaint, entered on the spot, goes the way of a junior's call from receipt to archive (IN-26)."""

from typing import Any

import pytest

from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from tests.web.test_orders import complaint, draft
from tests.web.test_workflow import TASK, WELL, step

__all__ = ["draft"]

#: the junior, the senior, the unit, the surveyor, the archivist
PEOPLE = ("1001", "2001", "8001", "7001", "5001")


async def to_the_archive(desk: dict[str, Browser], order: dict[str, Any], clock: Clock) -> list[tuple[str, list[str]]]:
    """Every step of the straight way; the states the junior saw and what he could do in each."""
    junior, senior, unit, surveyor, archivist = (desk[number] for number in PEOPLE)
    seen = []

    async def look() -> dict[str, Any]:
        found: dict[str, Any] = await (await junior.get(f"/api/orders/{order['id']}")).json()
        seen.append((found["state"], found["actions"]))
        return found

    order = await look()
    words = await junior.patch(f"/api/orders/{order['id']}", {"version": order["version"], **complaint(clock.now)})
    assert words.status == 200, await words.text()
    order = await step(junior, await words.json(), "submit")
    await look()
    dispatch = await step(junior, order, "dispatch", 403, opinion="x", checks=WELL, tasks=[TASK])
    assert dispatch["code"] == "forbidden", "a junior sends nothing without a second person"
    order = await step(junior, order, "propose", opinion="请处理", tasks=[TASK])
    await look()
    order = await step(senior, order, "approve", opinion="同意", checks=WELL)
    await look()
    (task,) = (await (await unit.get("/api/work-orders?mine=false")).json())["items"]
    said: dict[str, Any] = {
        "result": "已修",
        "cause": "network.capacity",
        "opinion": "x",
        "service_number": "1",
        "handled_at": clock.now.isoformat(),
    }
    for verb, words_ in (("accept", {}), ("begin", {}), ("finish", said)):
        answer = await unit.post(f"/api/work-orders/{task['id']}/{verb}", {"version": task["version"], **words_})
        assert answer.status == 200, await answer.text()
        task = await answer.json()
    order = await look()
    order = await step(junior, order, "reply", opinion="x", result="x", channel="telephone", satisfaction="later")
    order = await step(surveyor, order, "rate", outcome="satisfied", grade="satisfied")
    filed: dict[str, Any] = {"content": "网速", "customer_nature": "ordinary", "department": "city.network"}
    order = await step(archivist, order, "file", **filed)
    await look()
    return seen


@pytest.mark.req("IN-26")
async def test_a_visitor_goes_the_way_of_a_call(open_browser: MakeBrowser, clock: Clock, draft: str) -> None:
    desk = {number: await open_browser(number) for number in PEOPLE}
    junior = desk["1001"]
    said = {"channel": "walk_in", "received_at": clock.now.isoformat()}
    answer = await junior.post("/api/orders", said)
    assert answer.status == 201, await answer.text()
    visitor = await answer.json()
    assert (visitor["channel"], visitor["received_at"], visitor["owner"]) == (
        "walk_in", clock.now.isoformat().replace("+00:00", "Z"), "1001",
    )  # fmt: skip
    call = await (await junior.get(f"/api/orders/{draft}")).json()
    assert call["channel"] == "telephone"
    ways, trails = [], []
    for order in (visitor, call):
        ways.append(await to_the_archive(desk, order, clock))
        whole = await (await desk["2001"].get(f"/api/orders/{order['id']}")).json()
        trails.append([(line["action"], line["to"], line["by_number"]) for line in whole["trail"]])
    assert ways[0] == ways[1], "in each state the junior may do what he may with a call"
    assert [state for state, _ in ways[0]] == [
        "draft", "registered", "in_review", "in_process", "replying", "archived",
    ]  # fmt: skip
    without_birth = [trail[1:] for trail in trails]
    assert without_birth[0] == without_birth[1]
