"""Menus are taken up while calls go on (TL-03); a second start is quick, and an end leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cti.asterisk.provision import Installation
from tests.system.callers import Lines
from tests.system.command import ROOT, copied, hotline, left_over, listening, variables
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
        stopped = re.findall(r"» stopping (.*)", house.printed)
        assert stopped == ["the page", "the link to Asterisk", "the menus", "Asterisk", "the database"]
        assert "everything that was started is stopped" in house.printed.partition("stopping the database")[2]
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


async def begun(house: ServiceHouse, sign: Callable[[], bool]) -> tuple[int, str]:
    """Starts `hotline up`, presses Ctrl-C as soon as the sign is seen; exit code and what was printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cti", "up"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=variables(house.settings),
    )
    async with asyncio.timeout(60):
        while not sign():
            assert process.returncode is None, await process.communicate()
            await asyncio.sleep(0.002)
        process.send_signal(signal.SIGINT)
        out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


async def test_ctrl_c_during_the_start_leaves_nothing(short_tmp: Path, asterisk_installation: Installation) -> None:
    """When the database is there, when Asterisk has just been started, when the menus listen: code 0, all stopped."""
    house = ServiceHouse(short_tmp / "h")
    database, run = house.settings.home / "hotline.db", house.settings.asterisk_run
    signs: list[Callable[[], bool]] = [
        database.exists,
        lambda: bool(left_over(run)),
        lambda: "agi_port" in listening(house.settings),
    ]
    for sign in signs:
        code, said = await begun(house, sign)
        assert code == 0, said
        assert "everything that was started is stopped" in said
        assert "Traceback" not in said
        assert not left_over(run)
        assert not listening(house.settings)


async def made(house: ServiceHouse) -> tuple[float, str]:
    """`make run`, Ctrl-C as at a terminal when it is ready; seconds to its being ready, and what was printed."""
    process = await asyncio.create_subprocess_exec(
        *("make", "run"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=variables(house.settings, {"PYTHONPATH": str(ROOT)}),
        cwd=ROOT,
        start_new_session=True,
    )
    loop = asyncio.get_running_loop()
    began, said = loop.time(), ""
    assert process.stdout is not None
    async with asyncio.timeout(240):
        while "Ctrl-C stops" not in said:
            line = await process.stdout.readline()
            assert line, said
            said += line.decode()
    ready = loop.time() - began
    os.killpg(process.pid, signal.SIGINT)
    async with asyncio.timeout(30):
        out, _ = await process.communicate()
    return ready, said + out.decode()


@pytest.mark.req("PX-08")
async def test_the_second_make_run_is_ready_in_ten_seconds(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    """The command people type, with what it installs or builds looked at anew each time."""
    house = ServiceHouse(short_tmp / "h")
    await made(house)
    ready, said = await made(house)
    assert ready < 10, said
    assert "everything that was started is stopped" in said
    assert not left_over(house.settings.asterisk_run)
    assert not listening(house.settings)
