"""A desk to test at: the sample operator's people and words in an open database, and short ways to do things."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ticketing import taxonomy
from ticketing.changes import Change
from ticketing.customers import store as customers
from ticketing.customers.model import Customer, CustomerNumber, NewCustomer
from ticketing.db import Database
from ticketing.orders import actions, store
from ticketing.orders.inputs import DraftFromCall, EditDraft, Submit
from ticketing.orders.views import Order
from ticketing.roles import SYSTEM, Actor
from ticketing.staff import sample as staff_sample
from ticketing.staff import store as staff_store

VIP = "13800138000"


def complaint(now: datetime, **changes: Any) -> dict[str, Any]:
    """Every element a complaint needs."""
    return {
        "kind": "complaint",
        "business": "data.broadband",
        "nature": "network.speed",
        "complaint_type": "network",
        "complainant_type": "ordinary",
        "unit": "city.network",
        "description": "宽带晚间网速慢，多次报修未解决。",
        "verbatim": "我家宽带一到晚上就卡，报了三次了！",
        "service_number": "ADSL-010-88886666",
        "contact_name": "李女士",
        "contact_number": "13900139000",
        "contact_address": "北京市海淀区中关村大街 1 号",
        "reply_mode": "telephone",
        "event_at": now - timedelta(days=1),
        "event_place": "家中",
        "wanted_result": "恢复网速",
        "wanted_limit_at": now + timedelta(days=2),
        "promise_text": "两天内答复",
        "promise_due_at": now + timedelta(days=2),
        **changes,
    }


@dataclass
class Desk:
    """One open database with people to act."""

    database: Database
    now: datetime
    actors: dict[str, Actor] = field(default_factory=dict)

    @classmethod
    async def open(cls, database: Database, now: datetime) -> Desk:
        """Loads the sample operator's people and vocabularies."""
        desk = cls(database, now)
        async with database.write() as conn:
            await staff_sample.load(conn, staff_sample.SAMPLE.read_text(encoding="utf-8"), now)
            nodes = taxonomy.parse(taxonomy.SAMPLE.read_text(encoding="utf-8"))
            await taxonomy.load(conn, nodes, now, today=now.date())
            for person in await staff_store.everyone(conn):
                desk.actors[person.number] = Actor(
                    person.id, person.number, person.name, person.posts, person.team.id if person.team else None
                )
        return desk

    def __getitem__(self, number: str) -> Actor:
        return self.actors[number]

    async def call(
        self, call_id: str = "c1", agent: str = "1001", caller: str = VIP, after_s: float = 0, **given: Any
    ) -> Change:
        """An agent answers a call."""
        at = self.now + timedelta(seconds=after_s)
        async with self.database.write() as conn:
            told = DraftFromCall(call_id, agent, caller, "1860", at, **given)
            return await actions.draft_at_answer(conn, SYSTEM, told, at)

    async def edit(self, change: Change, agent: str = "1001", **fields: Any) -> Change:
        """The agent writes into the form."""
        coded = fields.pop("coded", {})
        async with self.database.write() as conn:
            return await actions.edit_draft(
                conn, self[agent], EditDraft(change.subject_id, change.version, fields, coded), self.now
            )

    async def submit(self, change: Change, agent: str = "1001", after_s: float = 0) -> Change:
        """The agent submits."""
        async with self.database.write() as conn:
            return await actions.submit(
                conn, self[agent], Submit(change.subject_id, change.version), self.now + timedelta(seconds=after_s)
            )

    async def registered(self, call_id: str = "c1", agent: str = "1001", caller: str = VIP, **changes: Any) -> Change:
        """A whole complaint, submitted."""
        draft = await self.call(call_id, agent, caller)
        return await self.submit(await self.edit(draft, agent, **complaint(self.now, **changes)), agent)

    async def read(self, change: Change, agent: str = "1001", after_s: float = 0) -> Order:
        """The order as a page reads it."""
        async with self.database.read() as conn:
            return await store.get(conn, self[agent], change.subject_id, self.now + timedelta(seconds=after_s))

    async def customer(self, name: str = "张伟", *numbers: str, **given: Any) -> Customer:
        """A stored customer."""
        kept = tuple(CustomerNumber(number, "mobile") for number in numbers or ("+86" + VIP,))
        async with self.database.write() as conn:
            return await customers.add(conn, NewCustomer(name, kept, **given), self.now)
