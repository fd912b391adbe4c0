"""People of a story that lasts for days: one wall clock for everybody, and pages that are signed in to again.

A session nobody used for half an hour is over, so whoever comes back after a jump of the clock meets the sign-in and
goes through it, as he would.
"""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.async_api import Browser, Locator, expect

from tests.system.browser import Desk
from tests.system.house import PASSWORD, House
from tests.system.wall_clock import WallClock

ZONE = "Asia/Shanghai"


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
