"""The pop that is built is the pop that is promised: every form of it fits the schema of the interface (TL-30)."""

from datetime import datetime, timedelta

import pytest

from cti.calls.model import CallRecord, Step
from cti.screenpop import Labels, PopFacts, build_screen_pop
from cti.web.schemas.pop import Pop
from ticketing.customers import actions as customers
from ticketing.customers import store
from ticketing.customers.model import CustomerNumber, NewCustomer
from ticketing.db import Database
from ticketing.orders import actions
from ticketing.orders.inputs import DraftFromCall, EditDraft, Submit
from ticketing.roles import SYSTEM
from ticketing.staff import store as staff

CALLER = "13800138000"


async def add(database: Database, name: str, now: datetime) -> None:
    """A customer with the caller's number."""
    new = NewCustomer(name, (CustomerNumber("+86" + CALLER, "mobile", "移动电话"),), "major", profile={"年龄": "40"})
    async with database.write() as conn:
        await store.add(conn, new, now)


@pytest.mark.parametrize("people", [0, 1, 2])
async def test_every_form_of_the_pop_fits_its_schema(centre: Database, now: datetime, people: int) -> None:
    for number in range(people):
        await add(centre, f"客户{number}", now)
    async with centre.write() as conn:
        agent = (await staff.by_number(conn, "1001")).actor
        told = DraftFromCall("c0", "1001", CALLER, "1860", now - timedelta(days=1))
        draft = await actions.draft_at_answer(conn, SYSTEM, told, now - timedelta(days=1))
        fields = {"kind": "inquiry", "business": "data.broadband", "description": "宽带怎么收费？"}
        edited = await actions.edit_draft(conn, agent, EditDraft(draft.subject_id, draft.version, fields), now)
        await actions.submit(conn, agent, Submit(edited.subject_id, edited.version), now)
    async with centre.read() as conn:
        found = await customers.look_up(conn, CALLER, now)
    record = CallRecord(
        call_id="c1", entered_at=now, dnis="1860", ani=CALLER, queue="senior", reason="vip", joined_at=now,
        path=(Step(node="main", key="1", at=now),),
    )  # fmt: skip
    at = now + timedelta(seconds=3)
    built = build_screen_pop(record, found, Labels(), PopFacts(), offered_at=at, event_at=at, state="ringing")
    pop = Pop.model_validate(built)
    assert pop.identity == ("unknown", "number_matches", "ambiguous")[people]
    assert (pop.customer is not None, len(pop.candidates)) == (people == 1, people if people > 1 else 0)
    assert [order.summary for order in pop.orders] == ([] if people > 1 else ["宽带怎么收费？"])
    assert pop.waited_ms == 3000
    assert pop.verified is False
