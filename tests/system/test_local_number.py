"""A caller of our own city, whose number comes without its area code (TL-04, IN-18)."""

from __future__ import annotations

from pathlib import Path

import pytest

from cti.asterisk.provision import Installation
from tests.system.callers import Lines
from tests.system.house import House

pytestmark = pytest.mark.system


@pytest.mark.req("TL-04", "IN-18")
async def test_pop_and_draft_have_the_whole_number(short_tmp: Path, asterisk_installation: Installation) -> None:
    """A major customer's landline, as the exchange next door writes it."""
    async with House(short_tmp) as house, Lines(house) as lines:
        agent = await house.sign_in("2001")
        phone = await lines.phone("2001")
        caller = await lines.caller("82100001")
        await caller.dial("1860")
        await caller.hears("greeting-1860", within_s=15)
        await caller.press("1")
        await phone.rings()
        pop = await agent.event("pop")
        assert (pop["number"], pop["customer"]["name"]) == ("+861082100001", "张伟")
        await phone.answer()
        draft = await agent.event("draft")
        order = await agent.get(f"/api/orders/{draft['order_id']}")
        assert (order["caller_number"], order["customer_name"]) == ("+861082100001", "张伟")
        await phone.hang_up()
