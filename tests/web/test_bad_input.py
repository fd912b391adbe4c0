"""What people and programs get wrong, as one table: each has a code, a sentence in the caller's language, the field,
and what would have been taken; and nothing is changed by it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse

from cti.web.messages import catalogue
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from tests.web.test_orders import complaint
from tests.web.test_workflow import TASK, WELL, registered, step
from ticketing.db import Database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


@dataclass
class Place:
    """People at their desks, a draft, and a work order one unit has in hand."""

    people: dict[str, Browser]
    clock: Clock
    draft: dict[str, Any]
    order: dict[str, Any]
    work: dict[str, Any]

    async def send(
        self, who: str, method: str, path: str, body: object, language: str, **headers: str
    ) -> ClientResponse:
        """One request in the caller's language; bytes go as they are."""
        browser = self.people[who]
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        own = {"Origin": browser.origin, "X-CSRF-Token": browser.csrf, "Accept-Language": language}
        own |= {
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return await browser.client.request(method, path, data=raw, headers=own)

    async def edit(self, language: str, **fields: object) -> ClientResponse:
        """The draft's owner writes."""
        path = f"/api/orders/{self.draft['id']}"
        return await self.send("1001", "PATCH", path, {"version": self.draft["version"], **fields}, language)

    async def work_step(self, who: str, verb: str, language: str, **said: object) -> ClientResponse:
        """A department acts on the work order."""
        body = {"version": self.work["version"], **said}
        return await self.send(who, "POST", f"/api/work-orders/{self.work['id']}/{verb}", body, language)

    async def state(self) -> list[Any]:
        """What must not change."""
        draft = await (await self.people["1001"].get(f"/api/orders/{self.draft['id']}")).json()
        order = await (await self.people["2001"].get(f"/api/orders/{self.order['id']}")).json()
        history = await (await self.people["2001"].get(f"/api/orders/{self.order['id']}/history")).json()
        return [draft, order, history]


@pytest.fixture
async def place(open_browser: MakeBrowser, clock: Clock, centre: Database) -> Place:
    """1001 has a draft, 2001 dispatched another order to the network unit, which works on it."""
    people = {number: await open_browser(number) for number in ("1001", "2001", "8001", "8002", "8101", "8102")}
    order = await registered(people["1001"], clock)
    order = await step(people["1001"], order, "hand-to-senior", reason="超出范围")
    order = await step(people["2001"], order, "dispatch", opinion="派单", checks=WELL, tasks=[TASK])
    (work,) = (await (await people["8001"].get("/api/work-orders")).json())["items"]
    for verb in ("accept", "begin"):
        answer = await people["8001"].post(f"/api/work-orders/{work['id']}/{verb}", {"version": work["version"]})
        work = await answer.json()
    letter = {"channel": "letter", "received_at": clock.now.isoformat(), **complaint(clock.now)}
    draft = await (await people["1001"].post("/api/orders", letter)).json()
    order = await (await people["2001"].get(f"/api/orders/{order['id']}")).json()
    return Place(people, clock, draft, order, work)


Wrong = Callable[[Place, str], Awaitable[ClientResponse]]


def field(name: str, value: object) -> Wrong:
    """One field of the draft with this value."""
    return lambda place, language: place.edit(language, **{name: value})


def moment(name: str, after: timedelta) -> Wrong:
    """One time of the draft, this much after now."""
    return lambda place, language: place.edit(language, **{name: (place.clock.now + after).isoformat()})


def raw(body: bytes) -> Wrong:
    """The draft's owner sends these bytes."""
    return lambda place, language: place.send("1001", "PATCH", f"/api/orders/{place.draft['id']}", body, language)


async def circle(place: Place, language: str) -> ClientResponse:
    """To another unit, and from there back to the first."""
    there = {"from_workplace": "网络班", "reason": "属计费", "to_workplace": "账务岗", "limit_s": 7200}
    body = {"version": place.work["version"], **there, "to_unit": "city.billing"}
    gone = await place.people["8101"].post(f"/api/work-orders/{place.work['id']}/transfer", body)
    assert gone.status == 200, await gone.text()
    billing = place.people["8002"]
    (work,) = (await (await billing.get("/api/work-orders")).json())["items"]
    for verb in ("accept", "begin"):
        work = await (await billing.post(f"/api/work-orders/{work['id']}/{verb}", {"version": work["version"]})).json()
    place.work = work
    return await place.work_step("8102", "transfer", language, **there, to_unit="city.network")


async def answered_twice(place: Place, language: str) -> ClientResponse:
    """Two answers to one work order."""
    done = {
        "result": "已处理", "cause": "network.capacity", "opinion": "观察", "service_number": "ADSL-1",
        "handled_at": place.clock.now.isoformat(),
    }  # fmt: skip
    first = await place.work_step("8001", "finish", "zh", **done)
    assert first.status == 200, await first.text()
    place.work = await first.json()
    return await place.work_step("8001", "finish", language, **done | {"result": "另一个答复"})


async def negative(place: Place, language: str) -> ClientResponse:
    """Money below zero."""
    body = {"version": place.order["version"], "remedy": "compensation", "amount": "-0.01", "reason": "断网"}
    return await place.send("2001", "POST", f"/api/orders/{place.order['id']}/remedy", body, language)


async def replayed(place: Place, language: str) -> ClientResponse:
    """The same key with another body."""
    letter = {"channel": "letter", "received_at": place.clock.now.isoformat(), "kind": "inquiry"}
    first = await place.send("1001", "POST", "/api/orders", letter, "zh", Idempotency_Key="k-1")
    assert first.status == 201
    again = await place.send("1001", "POST", "/api/orders", letter, "zh", Idempotency_Key="k-1")
    assert (again.status, (await again.json())["id"]) == (201, (await first.json())["id"])
    other = letter | {"kind": "suggestion"}
    return await place.send("1001", "POST", "/api/orders", other, language, Idempotency_Key="k-1")


DAY = timedelta(days=1)

TABLE: list[tuple[str, Wrong, int, str, str]] = [
    ("text that is over the interface's limit", field("description", "长" * 8001), 422, "too_long", "description"),
    ("text that is over its own limit", field("description", "长" * 4001), 422, "too_long", "description"),
    ("a line that is too long", field("contact_name", "张" * 201), 422, "too_long", "contact_name"),
    ("a bell", field("contact_name", "李\x07"), 422, "control_character", "contact_name"),
    ("a nought", field("verbatim", "a\x00b"), 422, "control_character", "verbatim"),
    ("right to left", field("event_place", "家\u202e中"), 422, "control_character", "event_place"),
    ("half a character", raw(b'{"version": 1, "contact_name": "\\ud800"}'), 400, "bad_json", "body"),
    ("GB 18030 as a body", raw('{"version": 1, "contact_name": "李"}'.encode("gb18030")), 400, "bad_json", "body"),
    ("UTF-16 as a body", raw('{"version": 1}'.encode("utf-16")), 400, "bad_json", "body"),
    ("what has not happened yet", moment("event_at", DAY), 422, "in_the_future", "event_at"),
    ("before there was a telephone", moment("event_at", -40 * 366 * DAY), 422, "out_of_range", "event_at"),
    ("a day there is not", field("event_at", "2026-02-30T10:00:00Z"), 422, "not_a_time", "event_at"),
    ("no zone", field("event_at", "2026-03-01T10:00:00"), 422, "not_a_time", "event_at"),
    ("a limit that has passed", moment("wanted_limit_at", -DAY), 422, "in_the_past", "wanted_limit_at"),
    ("an unknown leaf", field("business", "data.carrier_pigeon"), 422, "unknown_code", "business"),
    ("a branch", field("business", "data"), 422, "not_a_leaf", "business"),
    ("a kind nobody has", field("kind", "appeal"), 422, "invalid", "kind"),
    ("a number nobody can call", field("contact_number", "12"), 422, "not_a_number", "contact_number"),
    ("a transfer in a circle", circle, 422, "in_a_circle", "to_unit"),
    ("a remedy below zero", negative, 422, "negative", "amount"),
    ("two answers to one work order", answered_twice, 409, "not_from_here", ""),
    ("a key with another body", replayed, 422, "idempotency_key_reused", "Idempotency-Key"),
]


@pytest.mark.req("S16", "PR-09", "PR-17")
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("wrong", "status", "code", "name"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
async def test_what_is_wrong_is_told_with_field_and_what_is_allowed(  # noqa: PLR0917 - a row of the table
    place: Place, language: str, wrong: Wrong, status: int, code: str, name: str
) -> None:
    acts = wrong in (circle, answered_twice)
    before = None if acts else await place.state()
    answer = await wrong(place, language)
    told = await answer.json()
    assert (answer.status, told["code"]) == (status, code), told
    assert told["message"] == catalogue()[code][language]
    details = told["details"]
    if name:
        assert details["field"] == name
    else:
        assert (details["state"], details["action"]) == ("done", "finish")
    assert any(details.get(each) not in (None, "") for each in ("allowed", "limit", "latest", "earliest")), details
    if before is not None:
        assert await place.state() == before
    elif wrong is answered_twice:
        history = (await place.state())[2]
        assert [work["result"] for work in history["work_orders"]] == ["已处理"]
    else:
        history = (await place.state())[2]
        assert sorted((work["unit"], work["state"]) for work in history["work_orders"]) == [
            ("city.billing", "working"),
            ("city.network", "transferred"),
        ]
