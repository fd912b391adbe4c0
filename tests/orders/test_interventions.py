"""Whoever intervenes in an order says why with a code that is known; else nothing changes (MN-02)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import Case, in_process
from ticketing.errors import HotlineError
from ticketing.orders import control, pausing, proposing, reassigning
from ticketing.orders.inputs import Pause, Stop
from ticketing.orders.step_inputs import Reassign

#: who intervenes how, and a reason that is one
ORDER: list[tuple[str, Any, Any, dict[str, Any], str]] = [
    ("9001", pausing.pause, Pause, {"resume_expected_at": None}, "information"),
    ("9001", control.cancel, Stop, {"evidence": "客户来电撤回"}, "withdrew"),
    ("9001", control.cancel, Stop, {"evidence": "资料一直不全"}, "insufficient"),
    ("9101", proposing.ask_force_end, Stop, {"evidence": "录音为证"}, "malicious"),
    ("3001", reassigning.reassign, Reassign, {}, "skill"),
]


@pytest.mark.req("MN-02")
@pytest.mark.parametrize("one", ORDER, ids=lambda one: f"{one[1].__name__}-{one[4]}")
async def test_an_intervention_needs_a_code_that_is_known(
    desk: Desk, one: tuple[str, Any, Any, dict[str, Any], str]
) -> None:
    number, action, made, said, code = one
    case = Case(desk, await desk.registered())
    await in_process(case)
    if "resume_expected_at" in said:
        said = {**said, "resume_expected_at": desk.now + timedelta(hours=9)}
    for wrong in ("", "因为"):
        refused = await case.refused(number, action, made, **said, reason=wrong)
        assert refused.code in {"missing", "unknown_code", "unknown_reason"}, (wrong, refused.code)
        assert refused.details["field"] == "reason"
    await case.act(number, action, made, **said, reason=code)
    line = (await case.read()).trail[-1]
    assert (line.by, line.version) == (number, case.version)


@pytest.mark.req("MN-02", "PX-04")
async def test_so_does_a_work_order_that_is_handed_on(desk: Desk) -> None:
    case = Case(desk, await desk.registered())
    await in_process(case)
    for wrong in ("", "因为"):
        with pytest.raises(HotlineError) as refused:
            await case.on_work("city.network", "3001", reassigning.reassign_work, Reassign, person="8001", reason=wrong)
        assert refused.value.details["field"] == "reason"
    await case.on_work("city.network", "3001", reassigning.reassign_work, Reassign, person="8001", reason="absent")
