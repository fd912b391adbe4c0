"""Pages of a service without a telephone side, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from playwright.async_api import Browser

from tests.system.browser import Desk
from tests.web.fakes import PASSWORD

#: the built application
DIST: Final = Path(__file__).resolve().parents[2] / "cti" / "web" / "desk" / "dist"


async def signed_in(
    browser: Browser, origin: str, number: str, shots: Path, *, size: tuple[int, int] = (1440, 900)
) -> Desk:
    """Somebody's page after he has signed in."""
    desk = await Desk.open(browser, origin, shots, size=size)
    await desk.go("/login")
    await desk.fill("login-number", number)
    await desk.fill("login-password", PASSWORD)
    await desk.at("login-submit").click()
    await desk.at("who").wait_for()
    return desk
