"""One call through the bare exchange, without any service behind it: notice, rescue, queue, agent, both voice files."""

from __future__ import annotations

import pytest

from tests.system.callers import Lines
from tests.system.conftest import Pbx
from tests.system.sound import tone

pytestmark = pytest.mark.system


@pytest.mark.req("TL-01")
async def test_without_a_service_the_caller_still_reaches_a_person(pbx: Pbx, lines: Lines) -> None:
    phone = await lines.phone("1002")
    await pbx.add_member("1002")
    caller = await lines.caller("13800001111")
    await caller.dial("1860")
    notice = await caller.hears("notice")
    rescue = await caller.hears("technical-hold", within_s=20)
    await phone.rings()
    await phone.answer()
    await caller.says(tone(700, 1.0))
    await phone.hears(tone(700, 1.0))
    await phone.says(tone(1100, 1.0))
    await caller.hears(tone(1100, 1.0))
    await phone.hang_up()
    await caller.ended()
    assert notice.at_s < rescue.at_s
