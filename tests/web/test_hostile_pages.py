"""400 hostile names and texts in every page, in a real browser: shown to the letter, none of them done (S10)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Dialog, Request
from pytest_aiohttp.plugin import AiohttpServer
from sqlalchemy import insert

from cti.web.deps import WebDeps
from cti.web.schemas.pop import Pop
from cti.web.server import build_app
from tests.absent import LONG
from tests.system.browser import Desk, chromium, program
from tests.web.conftest import MakeBrowser
from tests.web.fakes import PASSWORD, FakeTelephony
from tests.web.hostile_rows import TEXTS, everything, spoil
from tests.web.test_matrix import World, strangers, world
from tests.web.test_page_policy import DIST
from ticketing.announcements.tables import announcement
from ticketing.sample import load_sample

__all__ = ["strangers", "world"]

pytestmark = pytest.mark.system

#: counts every way in which a text could be done instead of shown
_WATCH: Final = """
window.__owned = []
for (const name of ['alert', 'confirm', 'prompt', 'open']) {
    window[name] = (...given) => { window.__owned.push(`${name} ${given[0]}`) }
}
addEventListener('securitypolicyviolation', (event) => {
    window.__owned.push(`${event.effectiveDirective} ${event.blockedURI}`)
})
"""
#: what the page shows of the texts: which ones to the letter, what is not, and elements that no component makes
_SEEN: Final = """
async (texts) => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
    const whole = new Set(), broken = []
    const look = (shown, bare) => {
        for (const { index, 1: number } of shown.matchAll(/⟦(\\d+)⟧/g)) {
            const text = bare(texts[Number(number)])
            const before = shown.slice(Math.max(0, index - text.length), index)
            // a label may lose the white space it begins with
            const alike = before === text || (index < text.length && before === text.trimStart())
            if (alike) whole.add(Number(number))
            else broken.push(`${number}: ${before}`)
        }
    }
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) look(walker.currentNode.nodeValue, (text) => text)
    for (const input of document.querySelectorAll('input')) look(input.value, (text) => text.replace(/[\\r\\n]/g, ''))
    const lines = (text) => text.replace(/\\r\\n?/g, '\\n')
    for (const area of document.querySelectorAll('textarea')) look(area.value, lines)
    const made = [], ours = /^(\\/|#|data:image\\/|blob:|http:\\/\\/localhost)/
    const never = ['IFRAME', 'OBJECT', 'EMBED', 'BASE', 'MARQUEE', 'FRAMESET', 'MATH']
    for (const element of document.querySelectorAll('*')) {
        for (const { name, value } of element.attributes) {
            if (name.startsWith('on') || name === 'srcdoc' || name === 'formaction') made.push(`${name}=${value}`)
            if (['href', 'src', 'action', 'data'].includes(name) && !ours.test(value))
                made.push(`${element.tagName} ${name}=${value}`)
        }
        if (never.includes(element.tagName.toUpperCase())) made.push(element.tagName)
    }
    for (const script of document.scripts) if (!script.src) made.push('script')
    return { whole: [...whole], broken, made, owned: window.__owned }
}
"""


#: first parts of the addresses that the page asks for
OURS: Final = frozenset(
    "api assets callbacks icon.svg items login orders papers rules surveys".split()  # noqa: SIM905
) | {""}


@dataclass
class Watched:
    """A page, its requests under way, and whatever it should never do."""

    desk: Desk
    #: requests of the interface that are not answered yet
    waiting: set[Request] = field(default_factory=set)
    still: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        page = self.desk.page
        page.on("request", self._begins)
        page.on("requestfinished", self._ends)
        page.on("requestfailed", self._ends)
        page.on("dialog", self._dialog)

    async def _dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        await dialog.dismiss()

    def _begins(self, request: Request) -> None:
        self.asked.append(request.url)
        path = urlsplit(request.url).path
        if path.startswith("/api/") and path != "/api/events":
            self.waiting.add(request)
            self.still.clear()

    def _ends(self, request: Request) -> None:
        self.waiting.discard(request)
        if not self.waiting:
            self.still.set()

    async def sign_in(self, number: str) -> None:
        """By the page's own form, watched from its first line on."""
        await self.desk.page.add_init_script(_WATCH)
        await self.desk.go("/login")
        await self.desk.fill("login-number", number)
        await self.desk.fill("login-password", PASSWORD)
        await self.desk.at("login-submit").click()
        await self.desk.at("who").wait_for()

    async def navigation(self) -> list[str]:
        """Test ids of the pages this person is offered."""
        links = self.desk.page.locator("nav a")
        return [str(name) for name in await links.evaluate_all("links => links.map(link => link.dataset.testid)")]

    async def follow(self, name: str) -> None:
        """To one of them."""
        await self.desk.at(name).click()
        await self.desk.page.locator(f"nav a.router-link-active[data-testid='{name}']").wait_for()

    def asked_nothing_else(self) -> None:
        """No request for what a text names, no fault of a script."""
        paths = [urlsplit(url) for url in self.asked if not url.startswith(("data:", "blob:"))]
        assert {path.netloc for path in paths} == {urlsplit(self.desk.origin).netloc}
        assert {path.path.split("/")[1] for path in paths} <= OURS
        assert [fault for fault in self.desk.faults if "503" not in fault] == []

    async def look(self, name: str) -> set[int]:
        """The texts that this page shows to the letter, once every answer came and is drawn; looked at twice, since
        answers may ask for more."""
        for _ in range(2):
            try:
                async with asyncio.timeout(30):
                    await self.still.wait()
            except TimeoutError:
                raise AssertionError(f"not answered: {[request.url for request in self.waiting]}") from None
            seen = await self.desk.page.evaluate(_SEEN, TEXTS)
        assert seen["broken"] == [], name
        assert seen["made"] == [], name
        assert seen["owned"] == [], name
        assert self.dialogs == [], name
        return set(seen["whole"])


def spoiled_pop() -> Pop:
    """The pop of the description with all texts wherever words stand."""
    extra = Pop.model_config["json_schema_extra"]
    assert isinstance(extra, dict)
    examples: Any = extra["examples"]
    example = examples[0]
    person = example["customer"] | {
        "name": everything(1),
        "vip_label": everything(2),
        "profile": {everything(3): everything(4)},
        "numbers": [{"e164": "+8613800001234", "kind": "mobile", "service": everything(5)}],
    }
    return Pop.model_validate(
        example
        | {
            "customer": person,
            "candidates": [person, person],
            "dialled": {"dnis": "1860", "label": everything(6)},
            "path": [{"node": "main", "key": "1", "label": everything(7), "at": "2026-11-23T02:13:40Z"}],
            "queue": {"name": "senior", "label": everything(8)},
            "reason": {"code": "vip", "text": everything(9)},
        }
    )


#: who looks, and where beside his navigation: `{kind}` is a thing of the world
PEOPLE: Final[dict[str, tuple[str, ...]]] = {
    "1001": ("/orders/{order}", "/orders/{draft}", "/callbacks/{callback}"),
    "3001": ("/items/{item}", "/papers/{paper}"),
    "2001": ("/orders/{order}", "/orders?name=alert"),
    "6001": ("/items/{item}",),
    "7001": ("/surveys/{follow-up}",),
    "8001": ("/orders/{order}",),
    "9001": ("/rules/calendars", "/rules/limits"),
}
#: on these every text stands
WHOLE: Final = {
    "nav-desk", "nav-orders", "nav-board", "nav-nuisance", "nav-announcements", "nav-work", "nav-processes",
    "/orders/{order}", "/orders/{draft}", "/callbacks/{callback}", "/papers/{paper}",
}  # fmt: skip


@pytest.fixture
async def spoiled(deps: WebDeps, world: World, open_browser: MakeBrowser, now: datetime) -> World:
    """The world, the sample, a nuisance caller and an announcement, every word of them hostile."""
    boss = await open_browser("3001")
    async with deps.database.write() as conn:
        await load_sample(conn, now)
    ends = (now + timedelta(days=9)).isoformat()
    listed = await boss.post("/api/nuisance-numbers", {"number": "13700001111", "reason": "三次", "ends_at": ends})
    assert listed.status == 201, await listed.text()
    async with deps.database.write() as conn:
        line = {"public_id": "a1", "version": 1, "prompt": "notice", "dnis": [], "created_by": "3001"}
        times = {"starts_at": now - timedelta(hours=1), "ends_at": now + timedelta(days=9), "created_at": now}
        await conn.execute(insert(announcement).values(**line, **times, changed_at=now, changed_by="3001"))
        assert await spoil(conn) > 500
    return world


@pytest.mark.req("S10")
async def test_every_page_shows_them_as_text(
    aiohttp_server: AiohttpServer,
    deps: WebDeps,
    *,
    telephony: FakeTelephony,
    spoiled: World,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """Everything in the navigation of people of every kind, then the things themselves; every row of the database is
    spoiled. A page that one has seen is passed over by the next, unless there is time."""
    program()
    telephony.pops = {"1001": spoiled_pop()}
    server = await aiohttp_server(build_app(replace(deps, desk=DIST)))
    shown: dict[str, set[int]] = {}
    ids = {kind: each.get("id", "") for kind, each in spoiled.ids.items()}
    async with chromium() as browser:
        for number, paths in PEOPLE.items():
            page = Watched(await Desk.open(browser, f"http://localhost:{server.port}", tmp_path))
            await page.sign_in(number)
            for name in await page.navigation():
                if name not in shown or os.environ.get(LONG) == "1":
                    await page.follow(name)
                    shown[name] = shown.get(name, set()) | await page.look(name)
            for path in paths:
                await page.desk.go(path.format_map(ids))
                await page.desk.at("who").wait_for()
                shown[path] = shown.get(path, set()) | await page.look(path)
            page.asked_nothing_else()
            await page.desk.page.context.close()
    assert {name for name, found in shown.items() if len(found) == len(TEXTS)} >= WHOLE
    assert all(shown.values())
    record_property("examples", sum(len(found) for found in shown.values()))
