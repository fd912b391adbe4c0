"""强拆 through the interface: who may, why, and that it is written before it is done (PX-04)."""

import pytest
from sqlalchemy import select

from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, FakeTelephony
from ticketing.audit import audit
from ticketing.db import Database

PATH = "/api/calls/c1/disconnect"


async def written(database: Database) -> list[tuple[str, str, dict[str, object]]]:
    """Who ended which call, and why."""
    async with database.read() as conn:
        rows = await conn.execute(select(audit).where(audit.c.verb == "call.disconnected").order_by(audit.c.id))
        return [(row.actor_number, row.subject_id, row.payload) for row in rows]


@pytest.mark.req("PX-04")
async def test_a_supervisor_ends_a_call_for_a_coded_reason(
    open_browser: MakeBrowser, agent: Browser, centre: Database, telephony: FakeTelephony
) -> None:
    supervisor = await open_browser("3001")
    telephony.up = {"c1"}
    assert (await agent.post(PATH, {"reason": "abuse"})).status == 403
    strange = await supervisor.post(PATH, {"reason": "no such"})
    assert (strange.status, (await strange.json())["details"]["field"]) == (422, "reason")
    assert (await supervisor.post(PATH, {})).status == 422
    assert telephony.told == []
    assert (await supervisor.post(PATH, {"reason": "abuse", "note": "辱骂坐席"})).status == 204
    assert telephony.told == [("disconnect", "3001", "c1")]
    assert await written(centre) == [("3001", "c1", {"reason": "abuse", "note": "辱骂坐席"})]
    over = await supervisor.post(PATH, {"reason": "abuse"})
    assert (over.status, (await over.json())["code"]) == (404, "call_over")
    assert len(await written(centre)) == 1


@pytest.mark.req("PX-04")
async def test_without_asterisk_nothing_is_written_as_done(
    open_browser: MakeBrowser, centre: Database, telephony: FakeTelephony
) -> None:
    supervisor = await open_browser("3001")
    telephony.up, telephony.silent = {"c1"}, True
    answer = await supervisor.post(PATH, {"reason": "abuse"})
    assert (answer.status, (await answer.json())["code"]) == (503, "telephony_down")
    assert await written(centre) == []
