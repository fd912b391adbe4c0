"""A callback through the whole product as its settings start it: booked by key, dialled, connected, on record."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cti.asterisk.provision import Installation
from tests.dialer.booking import CUSTOMER, becomes, policy_file
from tests.dialer.far_end import FarEnd
from tests.system.conftest import free_ports
from tests.system.house import House
from tests.system.sound import tone
from tests.system.stage import menus, working
from ticketing.callbacks.tables import callback
from ticketing.contacts.tables import contact, contact_order
from ticketing.orders.tables import customer_order

pytestmark = pytest.mark.system


@pytest.mark.req("TL-20", "TL-22", "TL-23", "TL-54", "K17", "CT-05")
async def test_booked_by_key_then_called_back_and_on_record(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    """Nobody is there: 2, the number is right, as soon as possible, yes; then an agent signs in."""
    async with FarEnd(free_ports(1)[0]) as far_end:
        settings: dict[str, Any] = {"overflow": True, "outbound": True, "callbacks": True, "trunk_out": far_end.trunk}
        files: dict[str, Any] = {"callback_policy": policy_file(short_tmp), "ivr_data": menus(short_tmp, short=True)}
        async with House(short_tmp / "h", **settings, **files) as house, working(house) as stage:
            caller = await stage.caller(CUSTOMER)
            await caller.hears("overflow-offer", within_s=30)
            await caller.press("2")
            await caller.hears("callback-read-back", within_s=15)
            for digit in CUSTOMER:
                await caller.hears(f"digit-{digit}")
            for prompt in ("callback-number-choice", "callback-when", "callback-confirm"):
                await caller.hears(prompt, within_s=20)
                await caller.press("1")
            await caller.hears("callback-saved", within_s=20)
            senior = await stage.watch("2001")
            (booked,) = (await senior.get("/api/callbacks"))["items"]
            await caller.hang_up()
            call = await stage.books.call(number=CUSTOMER)
            assert (call.outcome, booked["call_id"]) == ("booked_callback", call.call_id)

            seat = await stage.seat("1002")
            pop = await seat.agent.event("pop")
            assert pop["reason"]["code"] == "callback"
            assert CUSTOMER in (await seat.phone.rings()).call.peer
            await seat.phone.answer()
            invite = await far_end.rings()
            assert (invite.caller, invite.called) == ("1860", CUSTOMER)
            far_end.answer(invite)
            draft = await seat.agent.event("draft", lambda data: data["call_id"] == pop["call_id"])
            await seat.phone.says(tone(600, 1.0))
            await seat.phone.hang_up()

            ended = await becomes(stage.books.database, booked["id"], lambda row: row.state == "connected")
            assert (ended.attempts, ended.order_id, len(far_end.calls)) == (1, draft["order_id"], 1)
            async with stage.books.database.read() as conn:
                joined = await conn.execute(
                    select(contact.c.external_id, contact.c.direction)
                    .join(contact_order, contact_order.c.contact_id == contact.c.id)
                    .join(customer_order, customer_order.c.id == contact_order.c.order_id)
                    .where(customer_order.c.public_id == draft["order_id"])
                )
                told = {(row.external_id, row.direction) for row in joined}
                row = (await conn.execute(select(callback.c.outcome, callback.c.due_at, callback.c.ended_at))).one()
            assert told == {(call.call_id, "in"), (pop["call_id"], "out")}
            assert row.outcome == "met"  # K17
            assert row.ended_at < row.due_at
            assert row.due_at > datetime.now(UTC)
            out = await stage.books.call(call_id=pop["call_id"])
            assert (out.outcome, out.answered_by) == ("answered", "1002")
            await seat.free()
