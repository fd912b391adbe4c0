"""A backup while people call, and the centre that is made again from it: heard, read, proven, and answering (F27)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Self

import pytest

from cti.asterisk.provision import Installation
from tests.system.command import hotline
from tests.system.house import ServiceHouse
from tests.system.stage import PLAIN, menus, working

pytestmark = pytest.mark.system


class Successor(ServiceHouse):
    """The service on a folder that was restored: its people have their passwords."""

    async def __aenter__(self) -> Self:
        assert await self.start() is None, self.printed
        return self


@pytest.mark.req("F27", "CL-02", "N1", "N4", "N5")
async def test_a_centre_is_made_again(short_tmp: Path, asterisk_installation: Installation) -> None:
    """One call is over and recorded, one goes on while it is copied and is not disturbed; the successor has both."""
    into, data = short_tmp / "kept", menus(short_tmp, short=True)
    async with ServiceHouse(short_tmp / "a", ivr_data=data) as house, working(house) as stage:
        seat = await stage.seat("1001")
        demo = house.prompts / "demo"
        for last in (False, True):
            caller = await stage.caller(PLAIN)
            await seat.phone.rings()
            call_id = (await seat.agent.event("pop"))["call_id"]
            await seat.phone.answer()
            await caller.says(demo / "customer-billing.wav")
            if last:
                done = await hotline(house.settings, "backup", str(into), within_s=60)
                assert done.code == 0, done.said
                assert re.search(r"✓ \S+/hotline-\d{8}T\d{6}Z: \d+ files, ", done.said), done.said
                assert (await seat.agent.get("/api/agent"))["state"] == "talking", "nothing was stopped for it"
                cut = call_id
            await seat.phone.says(demo / "agent-reply.wav")
            await seat.phone.hang_up()
            if not last:
                whole = call_id
                assert (await seat.agent.recorded(whole))["state"] == "ready"
                await seat.free()
        kept = await stage.books.recording(whole)
        voice = (house.settings.recordings_root / str(kept.path)).read_bytes()
    successor = Successor(short_tmp / "b", ivr_data=data)
    looked = await hotline(successor.settings, "restore", "--check", str(into))
    assert looked.code == 0, looked.said
    assert not successor.settings.home.exists()
    made = await hotline(successor.settings, "restore", str(into), within_s=60)
    assert made.code == 0, made.said
    again = await hotline(successor.settings, "restore", str(into))
    assert (again.code, "there is an installation already" in again.said) == (1, True), again.said
    proven = await hotline(successor.settings, "verify", within_s=60)
    ours = [line for line in proven.said.splitlines() if "✗" in line and "N2" not in line]
    assert not ours, proven.said  # N2: the call that went on has no end before somebody looks for its channel
    async with successor as house, working(house) as stage:
        phone, agent = await stage.lines.phone("1001"), await stage.watch("1001")
        link = await agent.post(f"/api/recordings/{kept.public_id}/link")
        assert await agent.get(link["url"]) == voice
        ended = await stage.books.call(call_id=cut)
        assert ended.answered_by == "1001"
        heard = await agent.recorded(cut)
        assert heard["state"] in {"ready", "partial", "short"}, "what was on the disk by then is kept"
        await agent.state("ready")  # he sat there when the centre was lost, in a call that is over
        caller = await stage.caller(PLAIN)
        await phone.rings()
        assert (await agent.event("pop", lambda pop: pop["call_id"] not in {whole, cut}))["customer"] is not None
        await caller.hang_up()
        await agent.event("agent", lambda data: data["state"] == "ready")
    proven = await hotline(successor.settings, "verify", within_s=60)
    assert proven.code == 0, proven.said
