"""Whoever wants the centre to call where it must not: of 300 destinations at a real trunk none leaves (S06)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cti.asterisk.provision import Installation
from tests.callbacks.destinations import destinations
from tests.dialer.booking import becomes, policy_file
from tests.dialer.far_end import FarEnd
from tests.system.ami import Ami
from tests.system.conftest import free_ports
from tests.system.house import House
from tests.system.stage import Stage, menus, working

pytestmark = pytest.mark.system

#: the number that some of the texts hold beside what must not be dialled
GOOD = "13800138000"


@pytest.fixture
async def far_end() -> AsyncIterator[FarEnd]:
    async with FarEnd(free_ports(1)[0]) as far:
        yield far


@pytest.fixture
async def stage(short_tmp: Path, asterisk_installation: Installation, far_end: FarEnd) -> AsyncIterator[Stage]:
    """A house that may call: the trunk is open."""
    dials: dict[str, Any] = {"outbound": True, "callbacks": True, "trunk_out": far_end.trunk}
    dials |= {"callback_policy": policy_file(short_tmp), "ivr_data": menus(short_tmp, short=True)}
    async with House(short_tmp / "h", **dials) as house, working(house) as made:
        yield made


@pytest.mark.req("S06", "TL-23")
async def test_none_of_three_hundred_destinations_leaves(stage: Stage, far_end: FarEnd) -> None:
    """Booked through the page's interface, and asked of the exchange itself, through both fences, by
    the account that may place calls: past everything that we would send ourselves."""
    watcher = await stage.watch("1001")
    booked: set[str] = set()
    for text in destinations():
        sent = {"number": text, "window": "asap", "note": ""}
        headers = {"X-CSRF-Token": watcher.csrf, "Origin": stage.house.origin}
        async with watcher.http.post(stage.house.url("/api/callbacks"), json=sent, headers=headers) as answer:
            assert answer.status in {200, 201, 422}, (text, await answer.text())
            if answer.status != 422:
                booked.add((await answer.json())["id"])
    # Asterisk reads over hyphens: what is left is the good number
    lines = [text for text in destinations() if not set(text) & set("\r\n\0") and text.replace("-", "") != GOOD]
    async with Ami(stage.house, "dialler") as ami:
        asked = 0
        for text in lines:
            for fence in ("cti-dial", "cti-out"):
                asked += 1
                said = await ami.ask(
                    "Originate", Channel=f"Local/{text}@{fence}", Application="Wait", Data="1", Async="true"
                )
                assert said["Response"] in {"Success", "Error"}, text
        taken = sum(block.get("Response") == "Success" and "queued" in block.get("Message", "") for block in ami.blocks)
        responses = await ami.events("OriginateResponse", taken)
        assert {block["Response"] for block in responses} == {"Failure"}
        assert asked > 500
    assert not far_end.calls
    # the trunk was open all the time: the one number of the mainland that some texts hold is called
    seat = await stage.seat("1002")
    assert len(booked) <= 2
    await seat.phone.rings()
    await seat.phone.answer()
    invite = await far_end.rings()
    assert invite.called == GOOD
    far_end.answer(invite)
    (dialled,) = [await becomes(stage.books.database, each, lambda row: row.attempts == 1) for each in booked]
    assert dialled.number == f"+86{GOOD}"
    await seat.phone.hang_up()
    async with asyncio.timeout(5):
        await invite.over.wait()
    assert {each.called for each in far_end.calls.values()} == {GOOD}
