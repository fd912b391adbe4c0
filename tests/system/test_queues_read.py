"""Queues are the administrator's: read from his files and from live state, never written by the product (TL-60)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cti.asterisk import control
from cti.asterisk.provision import Installation
from cti.asterisk.settings import HOME
from tests.system.command import hotline
from tests.system.house import Agent, House

pytestmark = pytest.mark.system

SHIPPED = HOME / "asterisk-conf"


def own_files(folder: Path) -> Path:
    """An administrator's own copy, with a static member."""
    copy = folder / "conf"
    shutil.copytree(SHIPPED, copy)
    queues = copy / "queues.conf"
    text = queues.read_text(encoding="utf-8")
    member = "member => PJSIP/1002,0,1002,PJSIP/1002\n"
    queues.write_text(text.replace("[manager](hotline)\n", f"[manager](hotline)\n{member}"), encoding="utf-8")
    return copy


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes and time of every file."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def edit(file: Path, section: str, line: str) -> None:
    """The administrator writes lines under a section."""
    text = file.read_text(encoding="utf-8")
    assert section in text
    file.write_text(text.replace(section, f"{section}\n{line}"), encoding="utf-8")


async def queue(agent: Agent, name: str, fits: Callable[[dict[str, Any]], bool] = lambda view: True) -> dict[str, Any]:
    """One queue as the page is told of it, when it fits."""
    view: dict[str, Any] = {}
    try:
        async with asyncio.timeout(10):
            while True:
                answer = await agent.get("/api/queues")
                view = next(one for one in answer if one["name"] == name)
                if fits(view):
                    return view
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"the queue is still {view}") from None


@pytest.mark.req("TL-60", "G13")
async def test_an_edit_of_queues_conf_is_seen_after_asterisk_reloaded(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    """Ring time and a static member; the files stay as the administrator wrote them."""
    conf = own_files(short_tmp)
    async with House(short_tmp / "h", asterisk_conf=conf) as house:
        agent = await house.sign_in("1001")
        view = await queue(agent, "complaint", lambda one: bool(one["members"]))
        assert (view["service_level_s"], view["ring_s"], view["strategy"]) == (15, 8, "rrmemory")
        static = (await queue(agent, "manager"))["members"]
        assert [(member["interface"], member["dynamic"]) for member in static] == [("PJSIP/1002", False)]

        edit(conf / "queues.conf", "[complaint](hotline)", "timeout = 6\nmember => PJSIP/3001")
        before = contents(conf)
        done = await hotline(house.settings, "asterisk", "cli", "queue", "reload", "all")
        assert done.code == 0, done.said
        view = await queue(agent, "complaint", lambda one: len(one["members"]) == 2)
        assert view["ring_s"] == 6
        members = {member["interface"]: member["dynamic"] for member in view["members"]}
        assert members == {"PJSIP/1001": True, "PJSIP/3001": False}
        assert (await queue(agent, "senior"))["ring_s"] == 8

        await agent.post("/api/agent/pause", {"reason": "break"})
        await agent.post("/api/handover", {})
        await agent.post("/api/agent/sign-out", {})
        await queue(agent, "complaint", lambda one: [each["interface"] for each in one["members"]] == ["PJSIP/3001"])
        static = (await queue(agent, "manager"))["members"]
        assert [(member["interface"], member["dynamic"]) for member in static] == [("PJSIP/1002", False)]
        assert contents(conf) == before
    assert contents(conf) == before


@pytest.mark.req("TL-60", "TL-61")
async def test_files_with_a_fault_are_not_taken_up_and_a_foreign_reload_is_seen(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    """Our command checks first; what somebody else made Asterisk read is shown as it is."""
    conf = own_files(short_tmp)
    async with House(short_tmp / "h", asterisk_conf=conf) as house:
        agent = await house.person("3001")
        file = conf / "queues.conf"
        edit(file, "[senior](hotline)", "servicelevel = 20")
        line = file.read_text(encoding="utf-8").splitlines().index("servicelevel = 20") + 1
        done = await hotline(house.settings, "asterisk", "cli", "queue reload all")
        assert done.code == 1
        assert f"{file}:{line}: " in done.said
        assert "Asterisk keeps the files it has" in done.said
        assert (await queue(agent, "senior"))["service_level_s"] == 15

        run = house.settings.asterisk_run
        shutil.copyfile(file, run / "etc" / "queues.conf")
        await control.run(run / "run" / "asterisk.ctl", "module reload app_queue.so")
        view = await queue(agent, "senior", lambda one: one["service_level_s"] == 20)
        assert view["strategy"] == "rrmemory"
