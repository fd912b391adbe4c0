"""`hotline doctor` on a running installation: well it says so, and each planted fault in plain words (TL-62)."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from cti import doctor
from cti.app import clock
from cti.asterisk import control
from cti.asterisk.provision import Installation
from cti.settings import Settings
from tests.system.command import ROOT, copied, hotline, listening, own_tree
from tests.system.conftest import free_ports
from tests.system.house import House

pytestmark = pytest.mark.system


async def told(settings: Settings, tree: Path | None = None, more: Mapping[str, str] | None = None) -> str:
    """What it says of a faulty installation; the exit code says so too."""
    done = await hotline(settings, "doctor", tree=tree, more=more)
    assert done.code == 1, done.said
    errors = [line for line in done.said.splitlines() if line.startswith("✗")]
    assert errors
    lines = done.said.splitlines()
    for error in errors:
        assert lines[lines.index(error) + 1].startswith("    → "), f"no remedy for {error}"
    return done.said


@pytest.mark.req("TL-62")
async def test_a_well_installation_and_each_planted_fault(short_tmp: Path, asterisk_installation: Installation) -> None:
    """Menu file, prompt, disk, database, service and AMI secret, spoilt one by one beside a running house."""
    async with House(short_tmp / "h") as house:
        settings = house.settings
        well = await hotline(settings, "doctor")
        assert well.code == 0, well.said
        for sign in (
            "✓ files: asterisk-conf, menus and prompts are in order",
            "✓ disk of ",
            "✓ database: answers and can be written (sqlite)",
            "✓ asterisk: answers, version 22",
            f"✓ fastagi: listens on 127.0.0.1:{settings.agi_port}",
            f"✓ web: listens on 127.0.0.1:{settings.http_port}",
            "! queue complaint: nobody is signed in",
        ):
            assert sign in well.said
        assert "✗" not in well.said

        data = copied(short_tmp, ROOT / "ivr" / "data")
        menus = data / "menus.toml"
        menus.write_text(menus.read_text(encoding="utf-8").replace('go = "suggestion"', 'go = "s"'), encoding="utf-8")
        line = next(n for n, text in enumerate(menus.read_text(encoding="utf-8").splitlines(), 1) if '"s"' in text)
        assert f"✗ {menus}:{line}: " in await told(settings, more={"HOTLINE_IVR_DATA": str(data)})

        tree = own_tree(short_tmp)
        (tree / "ivr" / "prompts" / "en" / "notice.wav").unlink()
        assert "en/notice.wav is missing" in await told(settings, tree)

        said = await told(settings, more={"HOTLINE_DISK_FLOOR_MIB": "1000000000"})
        assert "too little for voice files" in said

        url = f"postgresql://hotline@127.0.0.1:{free_ports(1)[0]}/hotline"
        assert "✗ database: " in await told(settings, more={"HOTLINE_DATABASE_URL": url})
        with closing(sqlite3.connect(short_tmp / "held.db", isolation_level=None)) as holder:
            holder.execute("PRAGMA journal_mode=WAL")
            holder.execute("BEGIN IMMEDIATE")
            said = await told(settings, more={"HOTLINE_DATABASE_URL": f"sqlite:///{short_tmp / 'held.db'}"})
        assert "✗ database: the database does not answer in time (database is locked)" in said
        sqlite3.connect(short_tmp / "old.db").close()
        said = await told(settings, more={"HOTLINE_DATABASE_URL": f"sqlite:///{short_tmp / 'old.db'}"})
        assert "✗ database: its schema is empty" in said
        assert "hotline db upgrade" in said

        agi, web = free_ports(2)
        said = await told(settings, more={"HOTLINE_AGI_PORT": str(agi), "HOTLINE_HTTP_PORT": str(web)})
        assert f"✗ fastagi: the service does not listen on 127.0.0.1:{agi}" in said
        assert f"✗ web: the service does not listen on 127.0.0.1:{web}" in said

        secret = settings.secrets_dir / "ami-bridge"
        right = secret.read_text(encoding="ascii")
        secret.write_text("0" * 32, encoding="ascii")
        said = await told(settings)
        assert f"✗ asterisk: Asterisk at 127.0.0.1:{settings.ami_port} does not accept the name or secret" in said
        assert str(secret) in said
        secret.write_text(right, encoding="ascii")
        secret.chmod(0o644)
        assert f"✗ secrets: {secret} can be read by others" in await told(settings)
        secret.chmod(0o600)
        assert (await hotline(settings, "doctor")).code == 0


@pytest.mark.req("TL-62")
async def test_a_clock_that_is_off_is_named(short_tmp: Path, asterisk_installation: Installation) -> None:
    """Against Asterisk's own time and the database's."""
    async with House(short_tmp / "h") as house:
        found = await doctor.examine(house.settings, lambda: clock() - timedelta(seconds=7.4))  # room for a slow answer
        clocks = [one for one in found if one.where == "clock"]
        assert [one.level for one in clocks] == ["error", "error"]
        assert clocks[0].reason.startswith("the database's clock and ours are 7 s apart")
        assert clocks[1].reason.startswith("Asterisk's clock and ours are 7 s apart")
        assert all("NTP" in one.remedy for one in clocks)
        assert not [one for one in await doctor.examine(house.settings, clock) if one.where == "clock"]


@pytest.mark.req("TL-62")
async def test_an_asterisk_that_froze_or_ended_is_named(short_tmp: Path, asterisk_installation: Installation) -> None:
    async with House(short_tmp / "h") as house:
        settings = house.settings
        run = settings.asterisk_run / "run"
        pid = int((run / "asterisk.pid").read_text(encoding="ascii"))
        os.kill(pid, signal.SIGSTOP)
        try:
            assert "✗ asterisk: Asterisk did not let us in within 6 s" in await told(settings)
        finally:
            os.kill(pid, signal.SIGCONT)
        await control.run(run / "asterisk.ctl", "core stop now")
        async with asyncio.timeout(10):
            while "ami_port" in listening(settings):  # noqa: ASYNC110 - another process closes it
                await asyncio.sleep(0.02)
        said = await told(settings)
        assert f"✗ asterisk: Asterisk does not run: nothing answers on AMI port 127.0.0.1:{settings.ami_port}" in said
        assert f"its log is in {settings.asterisk_run / 'log'}" in said
