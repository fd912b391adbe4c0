"""People of a story that lasts for days: one wall clock for everybody, and pages that are signed in to again.

A session nobody used for half an hour is over, so whoever comes back after a jump of the clock meets the sign-in and
goes through it, as he would. The clock is set neither while a call is up nor between signing in to the queues and the
call: for Asterisk the phone's registration ran out by it, and nobody is rung until the phone registers again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from playwright.async_api import Browser, Locator, expect

from cti.calls.model import CallRecord
from tests.system.browser import Desk, chromium
from tests.system.callers import Caller, Lines
from tests.system.desk_story import SHOTS
from tests.system.house import PASSWORD, House
from tests.system.stage import Books
from tests.system.wall_clock import WallClock
from ticketing.db import Database

ZONE: Final = "Asia/Shanghai"
#: clocks of an order by their code: when each is due
Limits = dict[str, tuple[int, str]]


class Days:
    """A clock that is set to a day of the story and an hour: day 0 is tomorrow, in the customer's zone."""

    def __init__(self, wall: WallClock) -> None:
        self._wall = wall
        self._zone = ZoneInfo(ZONE)
        self._first = wall.now().astimezone(self._zone).date() + timedelta(days=1)

    def on(self, day: int, hour_minute: str) -> datetime:
        """A moment of the story."""
        return datetime.combine(self._first + timedelta(days=day), time.fromisoformat(hour_minute), self._zone)

    def set(self, day: int, hour_minute: str) -> None:
        """Everybody's clock shows this now, and runs on."""
        self._wall.set((self.on(day, hour_minute) - datetime.now(self._zone)).total_seconds())

    def shown(self, day: int, hour_minute: str) -> str:
        """The moment as the page writes it: month, day, hour, minute, and the year when it is another."""
        at = self.on(day, hour_minute)
        year = "" if at.year == self._wall.now().astimezone(self._zone).year else "%Y-"
        return at.strftime(f"{year}%m-%d %H:%M")


class Colleague:
    """One member of staff at a browser of his own."""

    def __init__(self, desk: Desk, number: str) -> None:
        self.desk, self.number = desk, number

    @classmethod
    async def arrives(cls, browser: Browser, house: House, number: str, shots: Path) -> Colleague:
        """A fresh browser in the customer's time zone."""
        return cls(await Desk.open(browser, house.origin, shots, zone=ZONE), number)

    def at(self, name: str) -> Locator:
        """The element with this test id."""
        return self.desk.at(name)

    async def visits(self, path: str, at: str) -> None:
        """Opens a page at an hour of the story, through the sign-in when his session is over."""
        page = self.desk.page
        await self.desk.go(path)
        await page.get_by_test_id("login-number").or_(page.get_by_test_id("who")).first.wait_for()
        if await page.get_by_test_id("login-number").count():
            await self.desk.fill("login-number", self.number)
            await self.desk.fill("login-password", PASSWORD)
            await self.at("login-submit").click()
            await self.at("who").wait_for()
        await expect(self.at("clock")).to_have_text(re.compile(f"^{at[:4]}"))

    async def opens(self, serial: str, state: str, at: str) -> None:
        """Finds the order by its number and opens it; it is where it should be."""
        await self.visits("/orders", at)
        await self.desk.fill("filter-serial", serial)
        await self.at("filter-search").click()
        await expect(self.at("orders")).to_have_attribute("data-count", "1")
        await self.desk.page.locator(f"[data-testid='order-row'][data-serial='{serial}']").click()
        await expect(self.at("order-read")).to_have_attribute("data-state", state)

    async def inbox(self, serial: str, at: str) -> Locator:
        """His department's work order of this order."""
        await self.visits("/work", at)
        task = self.desk.page.locator(f"[data-testid='work-order'][data-serial='{serial}']")
        await task.wait_for()
        return task

    async def choose(self, name: str, *path: str) -> None:
        """Clicks through a tree of the dialogue."""
        field = self.desk.page.locator(f"[data-testid='step-{name}']")
        await self._tree(field.locator(".el-cascader"), f".tree-step-{name}", path)

    async def unit(self, place: int, *path: str) -> None:
        """Clicks through the units of one task of the dialogue."""
        field = self.desk.page.get_by_test_id(f"step-task-{place}")
        await self._tree(field.locator(".el-cascader"), f".tree-step-unit-{place}", path)

    async def asks(self, *tasks: tuple[str, str, str, str]) -> None:
        """These tasks and no others, whatever the template put into the form: branch, unit, words, limit in seconds."""
        page = self.desk.page
        await self.at("step-add-task").click()
        for _ in range(await page.locator("[data-testid^='step-task-']").count() - 1):
            await self.at("step-task-0").get_by_role("button", name="去掉").click()
        for place, (branch, unit, words, limit) in enumerate(tasks):
            if place:
                await self.at("step-add-task").click()
            await self.unit(place, branch, unit)
            await self.desk.fill(f"step-words-{place}", words)
            await self.at(f"step-limit-{place}").select_option(limit)

    async def _tree(self, field: Locator, popper: str, path: tuple[str, ...]) -> None:
        chosen = field.locator("input").first
        if (await chosen.input_value()).endswith(path[-1]):
            return  # the form came with it
        await field.click()
        menu = self.desk.page.locator(popper)
        for words in path[:-1]:
            await menu.get_by_text(words, exact=True).first.hover()
        await menu.get_by_text(path[-1], exact=True).last.click()
        await expect(chosen).to_have_value(re.compile(rf"{re.escape(path[-1])}$"))
        await expect(menu).to_be_hidden()

    async def confirms(self, state: str | None = None) -> None:
        """The step, with nothing left to fill in, is confirmed, and the order is where it leads."""
        await expect(self.desk.page.locator("[data-testid='step-form'] [data-missing='true']")).to_have_count(0)
        await self.at("step-confirm").click()
        await expect(self.at("step-form")).to_have_count(0)
        if state is not None:
            await expect(self.at("order-read")).to_have_attribute("data-state", state)

    async def sits_down(self, at: str) -> None:
        """Signs in to the queues with the browser's phone."""
        await self.visits("/", at)
        await self.at("phone-kind-browser").click()
        await self.at("sign-in").click()
        await expect(self.at("agent-state")).to_have_attribute("data-state", "ready")
        await expect(self.at("phone-registered")).to_be_visible()

    async def gets_up(self) -> None:
        """Signs out of the queues, and the phone with him."""
        await self.at("nav-desk").click()
        await self.at("sign-out").click()
        await expect(self.at("agent-state")).to_have_attribute("data-state", "logged_out")

    async def tells(self, code: str, *words: str | re.Pattern[str]) -> Locator:
        """Unfolds why a limit is when it is; returns the explanation."""
        told = self.at(f"clock-told-{code}")
        if not await told.count():
            await self.at(f"clock-why-{code}").click()
        for each in words:
            await expect(told).to_contain_text(each)
        return told

    async def card_given(self, code: str, words: str) -> None:
        """Unfolds it again until it tells of the card: the keeper of the cards looks once a second."""
        why, told = self.at(f"clock-why-{code}"), self.at(f"clock-told-{code}")
        async with asyncio.timeout(30):
            while True:
                if not await told.count():
                    await why.click()
                await told.wait_for()
                if words in await told.inner_text():
                    return
                await why.click()
                await expect(told).to_have_count(0)


class Story:
    """Everybody in it, and the order they work on."""

    def __init__(self, house: House, lines: Lines, browser: Browser, days: Days, books: Books) -> None:
        self.house, self.lines, self.browser, self.days, self.books = house, lines, browser, days, books
        self.serial = ""
        self.people: dict[str, Colleague] = {}

    async def who(self, number: str) -> Colleague:
        """The person at a browser of his own."""
        if number not in self.people:
            self.people[number] = await Colleague.arrives(self.browser, self.house, number, SHOTS)
        return self.people[number]

    async def order(self, number: str, state: str, day: int, hour: str) -> Colleague:
        """At this hour he has the order open."""
        self.days.set(day, hour)
        who = await self.who(number)
        await who.opens(self.serial, state, hour)
        return who

    async def task(self, number: str, state: str, day: int, hour: str) -> tuple[Colleague, Locator]:
        """At this hour he looks at his department's work order."""
        self.days.set(day, hour)
        who = await self.who(number)
        task = await who.inbox(self.serial, hour)
        await expect(task).to_have_attribute("data-state", state)
        return who, task

    async def limits(self, who: Colleague, expected: Limits) -> None:
        """The clocks that run on the page, and when each is due: these and no others."""
        running = who.at("order-clocks").locator("li:has([data-card])")
        await expect(running).to_have_count(len(expected))
        for code, (day, hour) in expected.items():
            line = running.filter(has=who.desk.page.get_by_test_id(f"clock-why-{code}"))
            await expect(line.locator("[data-card]")).to_have_attribute("title", self.days.shown(day, hour))

    async def complains(self, number: str) -> tuple[Caller, CallRecord]:
        """The customer dials 1860 and chooses complaints; the books say that he was understood.

        He presses his key when the menus begin: that is when his recording does. A key in the moment between two
        sentences is lost; then he presses it again, as anybody would whom the menu asks once more.
        """

        def understood(call: CallRecord) -> bool:
            return call.open and any((step.node, step.key) == ("main", "1") for step in call.path)

        caller = await self.lines.caller(number)
        await caller.dial("1860")
        await self.books.call(number=number, fits=lambda call: call.open and call.recording == "started")
        for _ in range(5):
            await caller.press("1")
            with suppress(AssertionError):
                return caller, await self.books.call(number=number, fits=understood, within_s=4)
        raise AssertionError(f"he pressed 1 in vain: {caller.leg.account()}")

    async def hung_up(self, caller: Caller, call: CallRecord) -> None:
        """The call is over for him, and closed in the books."""
        await caller.ended()
        await self.books.call(call_id=call.call_id)


@asynccontextmanager
async def telling(house: House, days: Days) -> AsyncIterator[Story]:
    """A story in this house, from the moment it opens until everybody has left."""
    async with house, Lines(house) as lines, chromium() as browser:
        database = await Database.open(house.settings.database)
        try:
            yield Story(house, lines, browser, days, Books(database))
        finally:
            await database.close()
