"""A real browser for system tests: headless Chromium with a microphone of its own, faults of the page reported."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from tests.absent import missing

FLAGS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream"),
    *("--use-fake-device-for-media-stream", "--autoplay-policy=no-user-gesture-required"),
    *("--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns"),
)
#: how long a page may take on a busy machine; how fast it really is, is measured elsewhere
expect.set_options(timeout=20_000)

#: what a browser says about answers that are expected: not signed in yet, nothing there
_HARMLESS: Final = ("status of 401", "status of 404")

#: the two screens a centre has
SIZES: Final = ((1440, 900), (1024, 768))
#: keeps the page's connections where a test can ask them what they received
_LISTEN: Final = """
window.peers = []
window.RTCPeerConnection = class extends window.RTCPeerConnection {
    constructor(...given) {
        super(...given)
        window.peers.push(this)
    }
}
"""


@dataclass(frozen=True, slots=True)
class Hearing:
    """What a page received of a talk."""

    packets: int
    #: grows with loudness and time: 0 is silence
    energy: float


def program() -> Path:
    """Where Chromium is; the test that needs it is skipped by name when it is not there."""
    found = shutil.which("chromium")
    if found is None:
        missing("Chromium is not installed: no browser (tools/test-packages.sh, or `make test`)")
    return Path(found)


@asynccontextmanager
async def chromium(
    speech: Path | None = None, *, started_by: Path | None = None, flags: Sequence[str] = ()
) -> AsyncIterator[Browser]:
    """A browser whose microphone plays `speech` over and over, or Chromium's own beeps.

    `started_by` is a script that starts Chromium elsewhere.
    """
    more = [f"--use-file-for-fake-audio-capture={speech}"] if speech is not None else []
    async with async_playwright() as played:
        browser = await played.chromium.launch(executable_path=started_by or program(), args=[*FLAGS, *more, *flags])
        try:
            yield browser
        finally:
            await browser.close()


class Desk:
    """One page of one person; `faults` collects script errors and refusals by the page's own policy."""

    def __init__(self, page: Page, origin: str, shots: Path) -> None:
        self.page = page
        self.origin = origin
        self._shots = shots
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on(
            "console",
            lambda said: (
                self.faults.append(said.text)
                if said.type == "error" and not any(harmless in said.text for harmless in _HARMLESS)
                else None
            ),
        )

    @classmethod
    async def open(
        cls,
        browser: Browser,
        origin: str,
        shots: Path,
        *,
        size: tuple[int, int] = SIZES[0],
        language: str = "zh-CN",
        trusting: bool = True,
        zone: str | None = None,
    ) -> Desk:
        """A fresh browser profile at the given size, with the microphone allowed; `trusting` takes any certificate.

        `zone` is the time zone of its computer, by default this machine's.
        """
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale=language,
            permissions=["microphone"],
            ignore_https_errors=trusting,
            timezone_id=zone,
        )
        await context.add_init_script(_LISTEN)
        return cls(await context.new_page(), origin, shots)

    def at(self, name: str) -> Locator:
        """The element with this test id; the first when there are several."""
        return self.page.get_by_test_id(name).first

    async def nav(self, name: str) -> None:
        """Goes to a page by the navigation, through the heading it stands under where there is one."""
        link = self.at(f"nav-{name}")
        if not await link.is_visible():
            await self.page.locator("nav > [data-testid^='nav-group-']").filter(has=link).get_by_role("button").click()
        await link.click()

    async def go(self, path: str) -> None:
        """Opens a path of the page."""
        await self.page.goto(self.origin + path)

    async def fill(self, name: str, value: str) -> None:
        """Types into a field by its test id."""
        field = self.at(name)
        typed = await field.evaluate("e => ['INPUT', 'TEXTAREA'].includes(e.tagName)")
        inner = field if typed else field.locator("input")
        await inner.fill(value)

    async def choose(self, field: str, *path: str) -> None:
        """Chooses a leaf of a tree field by the words on its way, as a person clicks through."""
        await self.page.locator(f"[data-testid='field-{field}'] .el-cascader").click()
        menu = self.page.locator(f".tree-{field}")
        for words in path[:-1]:
            await menu.get_by_text(words, exact=True).first.hover()
        await menu.get_by_text(path[-1], exact=True).last.click()

    async def shot(self, name: str) -> None:
        """Keeps a picture of the page as an artefact of the run."""
        self._shots.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=self._shots / f"{name}.png", caret="initial")  # hiding it needs a style element

    async def pictures(self, name: str, *sizes: tuple[int, int]) -> None:
        """Keeps pictures in both languages, at both sizes unless given; the page is then as it was."""
        before = self.page.viewport_size
        for size in sizes or SIZES:
            await self.page.set_viewport_size({"width": size[0], "height": size[1]})
            for _ in ("this language", "the other"):
                language = await self.page.evaluate("document.documentElement.lang")
                await self.shot(f"{name}-{language[:2]}-{size[0]}")
                await self.at("language").click()
        if before is not None:
            await self.page.set_viewport_size(before)

    async def hearing(self) -> Hearing:
        """What came in over the browser phone so far: packets and the energy of the sound (getStats)."""
        found = await self.page.evaluate(
            """async () => {
                const heard = { packets: 0, energy: 0 }
                for (const peer of window.peers ?? []) {
                    for (const part of (await peer.getStats()).values()) {
                        if (part.type !== 'inbound-rtp' || part.kind !== 'audio') continue
                        heard.packets += part.packetsReceived
                        heard.energy += part.totalAudioEnergy
                    }
                }
                return heard
            }"""
        )
        return Hearing(**found)
