"""An Asterisk that is run elsewhere: the whole path of a call by settings alone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from cti.asterisk.provision import Installation
from cti.asterisk.secrets import write_private
from tests.ami.faults import faulty
from tests.system.callers import Lines
from tests.system.command import hotline
from tests.system.conftest import Pbx, exchange
from tests.system.house import Agent, House

pytestmark = pytest.mark.system

#: its administrator has named our account himself
ACCOUNT = "cti-at-pbx"


async def edit_accounts(pbx: Pbx, old: str, new: str) -> None:
    """What its administrator changes in the accounts, taken up."""
    file = pbx.folder.rendered / "manager_accounts.conf"
    text = file.read_text(encoding="utf-8")
    assert old in text
    write_private(file, text.replace(old, new))
    await pbx.cli("manager reload")


async def rename(pbx: Pbx) -> None:
    """Gives the service's account another name."""
    await edit_accounts(pbx, "[bridge](account)", f"[{ACCOUNT}](account)")
    assert ACCOUNT in await pbx.cli("manager show users")


def elsewhere(pbx: Pbx, home: Path, **changes: Any) -> House:
    """A service that knows this Asterisk by its settings."""
    return House(
        home,
        asterisk="remote",
        ami_host=pbx.settings.ami_host,
        ami_username=ACCOUNT,
        agi_port=pbx.settings.agi_port,
        sip_port=pbx.settings.sip_port,
        spool=pbx.folder.voice,
        ami_secret_file=pbx.secrets.folder / "ami-bridge",
        agi_secret_file=pbx.secrets.folder / "agi",
        event_token_file=pbx.secrets.folder / "token",
        **{"ami_port": pbx.settings.ami_port, **changes},
    )


@pytest.mark.req("TL-01", "TL-30", "TL-50", "TL-62")
async def test_a_call_goes_through_a_remote_asterisk(short_tmp: Path, asterisk_installation: Installation) -> None:
    """From the caller over the pop and the answer to the checked recording; no Asterisk of our own is touched."""
    async with exchange(asterisk_installation) as pbx, Lines(pbx) as lines:
        await rename(pbx)
        async with elsewhere(pbx, short_tmp / "h") as house:
            agent = await house.sign_in("2001")
            phone = await lines.phone("2001")
            caller = await lines.caller("13800138000")
            await caller.dial("1860")
            await caller.hears("greeting-1860", within_s=20)
            await caller.press("1")
            await phone.rings()
            pop = await agent.event("pop")
            assert pop["customer"]["name"] == "张伟"
            assert [step["key"] for step in pop["path"] if step["key"]] == ["1"]
            await phone.answer()
            draft = await agent.event("draft")
            assert draft["call_id"] == pop["call_id"]
            await caller.says(house.prompts / "demo" / "customer-broadband.wav")
            await phone.hears(house.prompts / "demo" / "customer-broadband.wav", again=True)
            await phone.hang_up()
            await caller.ended()
            recording = await agent.event("recording")
            assert recording["state"] == "ready"
            well = await hotline(house.settings, "doctor")
            assert well.code == 0, well.said
            assert "✓ asterisk: answers, version 22" in well.said
            assert "✓ event filter: Asterisk sends only the events that are asked for" in well.said
            assert not [line for line in well.said.splitlines() if line and not line.startswith(("✓", "!", "    → "))]
            assert not house.settings.asterisk_run.exists()
        assert ACCOUNT in await pbx.cli("manager show users"), "it goes on without us"


async def filter_part(agent: Agent) -> dict[str, Any]:
    """What health says of the event filter."""
    found: dict[str, Any] = next(part for part in (await agent.get("/api/health"))["parts"] if part["name"] == "filter")
    return found


@pytest.mark.req("S01", "TL-62")
async def test_a_misspelt_event_filter_is_noticed(short_tmp: Path, asterisk_installation: Installation) -> None:
    """Asterisk drops such a line with one warning and then sends everything: log, health and doctor say so.

    Callers are still served: what was forged is not believed all the same. Corrected and reloaded, all is well.
    """
    async with exchange(asterisk_installation) as pbx:
        await edit_accounts(pbx, "[bridge](account)", f"[{ACCOUNT}](account)")
        await edit_accounts(pbx, "(include),name(", "(include),nmae(")
        async with elsewhere(pbx, short_tmp / "h") as house:
            agent = await house.person("2001")
            async with asyncio.timeout(10):
                while (await filter_part(agent))["ok"]:  # noqa: ASYNC110 - the page is not told, it asks
                    await asyncio.sleep(0.05)
            assert (await filter_part(agent))["text"] == "fails open"
            log = (house.settings.home / "log" / "hotline.jsonl").read_text(encoding="utf-8")
            logs = [json.loads(line) for line in log.splitlines()]
            assert [entry["level"] for entry in logs if entry["event"] == "event_filter_open"] == ["error"]
            told = await hotline(house.settings, "doctor")
            assert told.code == 1
            (bad,) = [line for line in told.said.splitlines() if line.startswith("✗")]
            assert bad.startswith(f"✗ event filter: Asterisk sends the account {ACCOUNT} every event")
            assert "manager.conf" in told.said.splitlines()[told.said.splitlines().index(bad) + 1]
        await edit_accounts(pbx, "(include),nmae(", "(include),name(")
        async with elsewhere(pbx, short_tmp / "h") as house:
            agent = await house.person("2001")
            assert (await hotline(house.settings, "doctor")).code == 0
            assert (await filter_part(agent))["ok"]


@pytest.mark.req("TL-62")
async def test_a_secret_that_is_changed_meanwhile_ends_the_service_with_a_word(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    """The link breaks and the new login is refused: no retry can mend that, and nobody may believe that all is well."""
    async with exchange(asterisk_installation) as pbx, faulty(pbx.settings.ami_port) as proxy:
        await rename(pbx)
        async with elsewhere(pbx, short_tmp / "h", ami_port=proxy.port) as house:
            assert house.ready is not None
            await edit_accounts(pbx, f"secret = {pbx.secrets.ami_bridge}", "secret = another")
            logins = proxy.connections
            proxy.cut()
            async with asyncio.timeout(20):
                said = await house.ready.broken
            assert said.code == "service_broken"
            assert f"does not accept the name or secret of the bridge account '{ACCOUNT}'" in said.message
            assert proxy.connections == logins + 1, "one more login, and no second"
