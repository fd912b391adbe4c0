"""The commands beside `up`, each as an operator types it, against real installations."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cti.asterisk.provision import Installation
from cti.settings import default_cache
from tests.system.callers import Lines
from tests.system.command import free_settings, hotline, left_over, listening
from tests.system.house import ServiceHouse

pytestmark = pytest.mark.system


class EmptyHouse(ServiceHouse):
    """A service that is started without the sample operator."""

    program = ("-m", "cti", "up", "--no-sample")


@pytest.mark.req("TL-60")
async def test_asterisk_by_hand(short_tmp: Path, asterisk_installation: Installation) -> None:
    """install, start, cli, a second start, stop, and what each says when there is nothing to do."""
    settings = free_settings(short_tmp / "h", cache_dir=default_cache())
    found = await hotline(settings, "asterisk", "install", within_s=60)
    assert found.code == 0
    assert f"✓ Asterisk {asterisk_installation.version} (" in found.said

    nothing = await hotline(settings, "asterisk", "cli", "core", "show", "version")
    assert nothing.code == 1
    assert nothing.said.startswith("✗ ")

    try:
        started = await hotline(settings, "asterisk", "start")
        assert started.code == 0, started.said
        assert re.fullmatch(r"✓ started in \d+\.\d s", started.said.strip())
        assert {"sip_port", "ami_port", "asterisk_http_port"} & set(listening(settings)) >= {"ami_port"}
        version = await hotline(settings, "asterisk", "cli", "core", "show", "version")
        assert (version.code, version.said.startswith("Asterisk 22.")) == (0, True)
        again = await hotline(settings, "asterisk", "start")
        assert again.code == 1
        assert f"✗ an Asterisk is already running at {settings.asterisk_run}" in again.said
        assert "ami_port" in listening(settings), "the first goes on"
    finally:
        stopped = await hotline(settings, "asterisk", "stop")
    assert (stopped.code, stopped.said.strip()) == (0, "✓ stopped")
    assert not listening(settings)
    assert not left_over(settings.asterisk_run)
    assert (await hotline(settings, "asterisk", "stop")).code == 0, "there is nothing to stop, and that is well"


@pytest.mark.req("TL-40", "S24")
async def test_an_empty_house_and_its_first_people(short_tmp: Path, asterisk_installation: Installation) -> None:
    """`db upgrade`, then `up --no-sample`: nobody, nothing. Who is added by `staff add` signs in and takes a call."""
    home = short_tmp / "h"
    before = free_settings(home)
    made = await hotline(before, "db", "upgrade")
    assert made.code == 0
    assert re.fullmatch(r"✓ schema \S+ \(was empty\)", made.said.strip())
    async with EmptyHouse(home, set_up=False) as house, Lines(house) as lines:
        same = await hotline(house.settings, "db", "upgrade")
        assert re.fullmatch(r"✓ schema \S+", same.said.strip()), "harmless beside a running service"
        for number, name, post in (("9001", "周敏", "AD"), ("9002", "吴强", "JA"), ("9003", "郑丽", "SU")):
            added = await hotline(
                house.settings, "staff", "add", number, name, "--post", post, *("--phone", "desk"), within_s=60
            )
            assert added.code == 0, added.said
            token = re.search(r"this token \(once, 24 h\): (\S+)", added.said)
            assert token is not None, added.said
            await house.set_passwords(token[1])
        twice = await hotline(house.settings, "staff", "add", "9002", "另一人", "--post", "JA")
        assert twice.code == 1
        assert twice.said.count("✗") == 1
        supervisor = await house.person("9003")
        assert (await supervisor.get("/api/customers?number=13800138000"))["items"] == []
        agent = await house.sign_in("9002")
        phone = await lines.phone("9002")
        caller = await lines.caller("13800138000")
        await caller.dial("1860")
        await caller.hears("greeting-1860", within_s=20)
        await caller.press("0")
        await phone.rings(within_s=20)
        pop = await agent.event("pop")
        assert pop["customer"] is None or pop["customer"]["name"] != "张伟"
        await phone.answer()
        await agent.event("draft")
        await phone.hang_up()
        await caller.ended()
