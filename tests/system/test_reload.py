"""Menus are taken up while calls go on (TL-03); a second start is quick, and an end leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path

import pytest

from cti.asterisk.provision import Installation
from tests.system.callers import Lines
from tests.system.command import ROOT, copied, hotline, left_over, listening
from tests.system.house import ServiceHouse

pytestmark = pytest.mark.system

#: calls of this number are nobody's whom the sample knows
CALLER = "13700000001"


def edit(file: Path, pattern: str, text: str) -> None:
    """Replaces the one place where a pattern stands."""
    edited, places = re.subn(pattern, text, file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert places == 1, (pattern, places)
    file.write_text(edited, encoding="utf-8")


async def printed(house: ServiceHouse, sign: str) -> str:
    """Waits until the service wrote a line with this on its console."""
    assert house.process.stdout is not None
    async with asyncio.timeout(10):
        while True:
            line = (await house.process.stdout.readline()).decode()
            assert line, "the service ended"
            house.printed += line
            if sign in line:
                return line


@pytest.mark.req("TL-03")
async def test_a_call_in_progress_finishes_on_the_old_tree_and_a_broken_one_is_not_taken(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    """The first caller stands in the main menu while routing and greeting change, the second dials afterwards."""
    data = copied(short_tmp, ROOT / "ivr" / "data")
    edit(data / "menus.toml", r'^identify = \["withheld", "unknown"\]$', 'identify = ["withheld"]')
    async with ServiceHouse(short_tmp / "h", ivr_data=data) as house, Lines(house) as lines:
        first = await lines.caller(CALLER)
        await first.dial("1860")
        await first.hears("greeting-1860", within_s=20)

        edit(data / "routing.toml", r'^say = "to-complaint"$', 'say = "to-suggestion"')
        edit(data / "dnis.toml", r'^greeting = "greeting-1860"$', 'greeting = "greeting-default"')
        done = await hotline(house.settings, "reload")
        assert done.code == 0, done.said
        assert "told the service" in done.said
        await printed(house, "reloaded")

        second = await lines.caller("13700000002")
        await second.dial("1860")
        await first.press("1")
        await first.hears("to-complaint")
        await second.hears("greeting-default", within_s=20)
        await second.press("1")
        await second.hears("to-suggestion")
        for caller in (first, second):
            await caller.hang_up()

        edit(data / "dnis.toml", r'^greeting = "greeting-default"$(?=\nlanguages)', 'greeting = "greeting-gone"')
        line = (data / "dnis.toml").read_text(encoding="utf-8").splitlines().index('greeting = "greeting-gone"') + 1
        done = await hotline(house.settings, "reload")
        assert done.code == 1
        assert f"✗ {data / 'dnis.toml'}:{line}: " in done.said
        assert "the running service keeps the files it has" in done.said

        os.kill(house.process.pid, signal.SIGHUP)
        refused = await printed(house, "reload_refused")
        assert "dnis.toml" in refused
        assert "greeting-gone" in refused
        third = await lines.caller("13700000003")
        await third.dial("1860")
        await third.hears("greeting-default", within_s=20)
        await third.hang_up()


async def test_without_a_service_there_is_nothing_to_reload(short_tmp: Path) -> None:
    """Also when the file of a killed service names a process of somebody else."""
    house = ServiceHouse(short_tmp / "h")
    done = await hotline(house.settings, "reload")
    assert done.code == 1
    assert f"no service is running in {house.settings.home}: start it with `hotline up`" in done.said
    house.settings.home.mkdir()
    other = await asyncio.create_subprocess_exec("sleep", "60")
    (house.settings.home / "hotline.pid").write_text(f"{other.pid}\n", encoding="ascii")
    try:
        done = await hotline(house.settings, "reload")
        assert done.code == 1
        assert other.returncode is None
    finally:
        other.terminate()
    assert await other.wait() == -signal.SIGTERM


async def test_a_second_start_is_quick_a_killed_services_asterisk_is_taken_over_and_ctrl_c_ends_all(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    """Everything is stopped in reverse order, nothing is left, and the exit code is 0."""
    async with ServiceHouse(short_tmp / "h") as house:
        run = house.settings.asterisk_run
        assert await house.interrupt() == 0
        assert house.printed.index("stopping Asterisk") < house.printed.index("everything that was started is stopped")
        assert not left_over(run)
        assert not listening(house.settings)
        assert not (house.settings.home / "hotline.pid").exists()

        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await house.start() is None
        assert loop.time() - began < 10
        pid = (run / "run" / "asterisk.pid").read_text(encoding="ascii")

        await house.kill()
        assert left_over(run)
        await house.start()
        assert "Asterisk is running already: taken over" in house.printed
        assert (run / "run" / "asterisk.pid").read_text(encoding="ascii") == pid

        house.process.send_signal(signal.SIGTERM)
        assert await house.process.wait() == 0
        assert not left_over(run)
        assert not listening(house.settings)
