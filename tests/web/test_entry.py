"""How right and how timely papers are entered: in time or late, sent back or not, by person and time (CL-02)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from tests.web.test_orders import complaint
from tests.web.test_workflow import TASK, WELL, step


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


async def enter(browser: Browser, clock: Clock, channel: str, ago: timedelta) -> dict[str, Any]:
    """Something in writing that came a while ago is an order now."""
    paper = {"channel": channel, "received_at": (clock.now - ago).isoformat(), **complaint(clock.now)}
    order = await (await browser.post("/api/orders", paper)).json()
    return await step(browser, order, "submit")


async def told(browser: Browser, **query: Any) -> list[dict[str, Any]]:
    """The figures, by person."""
    answer = await browser.client.get("/api/entry-figures", params=query)
    assert answer.status == 200, await answer.text()
    people: list[dict[str, Any]] = (await answer.json())["people"]
    return people


@pytest.mark.req("CL-02", "CL-01")
async def test_in_time_and_late_sent_back_and_not_by_person(open_browser: MakeBrowser, clock: Clock) -> None:
    clerk, recordings, senior, chief = [await open_browser(number) for number in ("6101", "6001", "2001", "3001")]
    assert await told(chief) == []
    began = clock.now
    good = await enter(clerk, clock, "letter", timedelta(minutes=30))
    await enter(clerk, clock, "fax", timedelta(hours=2))
    late = await enter(clerk, clock, "email", timedelta(hours=2, seconds=1))
    await enter(recordings, clock, "department", timedelta(minutes=90))
    visitor = {"channel": "walk_in", "received_at": clock.now.isoformat(), **complaint(clock.now)}
    spoken = await (await senior.post("/api/orders", visitor)).json()
    await step(senior, spoken, "submit")
    draft = {"channel": "letter", "received_at": clock.now.isoformat()}
    assert (await clerk.post("/api/orders", draft)).status == 201, "not entered yet"
    for order, errors in ((good, ["incomplete", "unclear"]), (late, [])):
        again = await step(clerk, order, "propose", opinion="x", tasks=[TASK])
        if errors:
            again = await step(senior, again, "send-back", reason_code="incomplete", opinion="x", errors=errors)
            again = await step(clerk, again, "propose", opinion="x", tasks=[TASK])
        await step(senior, again, "approve", opinion="x", checks=WELL)
    clock.advance(seconds=30)
    figures = await told(chief)
    assert [{**each, "name": ""} for each in figures] == [
        {
            "number": "6001", "name": "", "entered": 1, "in_time": 1, "late": 0, "mean_s": 5400.0, "longest_s": 5400.0,
            "reviewed": 0, "corrected": 0, "errors": {},
        },
        {
            "number": "6101", "name": "", "entered": 3, "in_time": 2, "late": 1, "mean_s": (1800 + 7200 + 7201) / 3,
            "longest_s": 7201.0, "reviewed": 2, "corrected": 1, "errors": {"incomplete": 1, "unclear": 1},
        },
    ]  # fmt: skip
    assert all(each["name"] for each in figures)
    clock.advance(minutes=20)
    after = (began + timedelta(minutes=1)).isoformat()
    assert await told(chief, **{"from": after}) == []
    assert len(await told(chief, **{"from": began.isoformat(), "to": after})) == 2
    for wrong, code in (
        ({"from": after, "to": began.isoformat()}, "end_before_start"),
        ({"from": (began - timedelta(days=93)).isoformat()}, "too_long"),
    ):
        answer = await chief.client.get("/api/entry-figures", params=wrong)
        assert (answer.status, (await answer.json())["code"]) == (422, code)
    for nobody in (clerk, senior):
        assert (await nobody.get("/api/entry-figures")).status == 403
