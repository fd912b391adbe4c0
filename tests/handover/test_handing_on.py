"""A supervisor hands items, papers and callbacks to somebody else for a coded reason, or nothing happens (PX-04)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select

from tests.handover.test_handover import TABLES, desk, hanging, loaded
from tests.orders.desk import Desk
from ticketing.audit import audit as audit_log
from ticketing.callbacks import actions as callbacks
from ticketing.changes import Change
from ticketing.errors import HotlineError
from ticketing.intake import actions as items
from ticketing.papers import actions as papers

__all__ = ["desk"]

#: by whom it is done, and who can go on with it
HAND: dict[str, tuple[Callable[..., Awaitable[Change]], str]] = {
    "callback": (callbacks.reassign, "4001"),
    "item": (items.reassign, "6001"),
    "paper": (papers.reassign, "6101"),
}


@pytest.mark.req("PX-04", "MN-02")
@pytest.mark.parametrize("kind", list(HAND))
async def test_what_a_supervisor_hands_on_says_why(desk: Desk, kind: str) -> None:
    await loaded(desk)
    (one,) = [each for each in await hanging(desk, "2001") if each.kind.value == kind]
    table, (reassign, other) = dict(TABLES)[kind], HAND[kind]
    row = select(table.c.version, table.c.owner_id).where(table.c.public_id == one.id)
    async with desk.database.read() as conn:
        before = (await conn.execute(row)).one()

    async def hand(**said: Any) -> Change:
        async with desk.database.write() as conn:
            return await reassign(conn, desk["3001"], one.id, before.version, other, desk.now, **said)

    for wrong, code in (("", "missing"), ("因为", "unknown_code")):
        with pytest.raises(HotlineError) as refused:
            await hand(reason=wrong)
        assert (refused.value.code, refused.value.details["field"]) == (code, "reason")
    with pytest.raises(HotlineError) as refused:
        await hand(reason="absent", note="\x00")
    assert refused.value.details["field"] == "note"
    async with desk.database.read() as conn:
        assert (await conn.execute(row)).one() == before, "a refusal changes nothing"
    await hand(reason="absent", note="下午请假")
    async with desk.database.read() as conn:
        after = (await conn.execute(row)).one()
        said = select(audit_log.c.actor_id, audit_log.c.payload).where(audit_log.c.verb == f"{kind}.reassigned")
        written = (await conn.execute(said.order_by(audit_log.c.id.desc()))).first()
    assert (after.owner_id, after.version) == (desk[other].staff_id, before.version + 1)
    assert written is not None
    assert written.actor_id == desk["3001"].staff_id
    assert (written.payload["reason"], written.payload["note"]) == ("absent", "下午请假")
