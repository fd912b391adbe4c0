"""Loads the sample operator's customers and orders once; needs its staff and vocabularies to be there."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.classification import Cover
from ticketing.customers import store as customers
from ticketing.customers.model import Customer, CustomerNumber, NewCustomer
from ticketing.orders import actions, ledger
from ticketing.orders.inputs import DraftFromCall, EditDraft, Merge, Submit
from ticketing.processes import actions as processes
from ticketing.processes.model import Content, Node
from ticketing.responsibility import actions as responsibility
from ticketing.responsibility.actions import NewLine
from ticketing.roles import SYSTEM, Actor
from ticketing.sample import story
from ticketing.staff import store as staff

#: 张伟, a major customer with two earlier complaints, one overdue: the caller of `make demo`
DEMO_CALLER = "13800138000"
SOURCE = "sample"

#: a call lasts this long before the agent submits
_TALK = timedelta(minutes=6)


async def load_sample(conn: AsyncConnection, now: datetime) -> int:
    """Adds the sample customers and their orders, dated back from `now`; returns how many orders were made.

    A second load changes nothing. Raises NotFound when the sample staff is not there.
    """
    data = tomllib.loads(files("ticketing.sample").joinpath("data/sample.toml").read_text(encoding="utf-8"))
    if await customers.by_external(conn, SOURCE, data["customer"][0]["key"]) is not None:
        return 0
    await staff.by_number(conn, data["order"][0]["agent"])
    oldest = now - timedelta(days=365)
    for each in data["process"]:
        await _template(conn, each, now)
    for each in data["responsibility"]:
        line = NewLine(each["duty"], Cover(**each.get("cover", {})), each["unit"], each["reason"], oldest)
        await responsibility.add(conn, SYSTEM, line, oldest)
    people = {each["key"]: await customers.add(conn, _customer(each), oldest) for each in data["customer"]}
    made: dict[str, str] = {}
    for number, told in enumerate(data["order"], start=1):
        made[told["customer"]] = await _order(conn, told, people[told["customer"]], now, number=number, made=made)
    return len(data["order"])


async def _template(conn: AsyncConnection, told: Mapping[str, Any], now: datetime) -> None:
    """A process template with its versions, each published as many days ago as it says."""
    code = told["code"]
    first = now - timedelta(days=told["published"][0]["days_ago"])
    await processes.add(conn, SYSTEM, processes.NewTemplate(code, told["kind"], told["zh"], told["en"]), first)
    for row_version, each in enumerate(told["published"]):
        at = now - timedelta(days=each["days_ago"])
        nodes = tuple(Node(**{**node, "after": tuple(node.get("after", ()))}) for node in each["node"])
        content = Content(tuple(Cover(**cover) for cover in told["covers"]), nodes, each.get("note"))
        await processes.write(conn, SYSTEM, code, 1 + 2 * row_version, content, at)
        await processes.publish(conn, SYSTEM, code, 2 + 2 * row_version, at, at)


def _customer(told: Mapping[str, Any]) -> NewCustomer:
    return NewCustomer(
        name=told["name"],
        numbers=tuple(CustomerNumber(*number) for number in told["numbers"]),
        vip_class=told.get("vip_class"),
        complainant_type=told.get("complainant_type"),
        address=told.get("address"),
        language="zh",
        profile=told.get("profile", {}),
        source=SOURCE,
        external_id=told["key"],
    )


async def _order(
    conn: AsyncConnection,
    told: Mapping[str, Any],
    customer: Customer,
    now: datetime,
    *,
    number: int,
    made: Mapping[str, str],
) -> str:
    """One order from the answered call on, by the same actions an agent uses; returns its serial."""
    answered = now - timedelta(hours=told["ago_h"])
    agent = (await staff.by_number(conn, told["agent"])).actor
    call = DraftFromCall(
        call_id=f"sample-{number}",
        agent_number=agent.number,
        caller_number=customer.numbers[0].e164,
        dnis="1860",
        answered_at=answered,
        customer=customer.public_id,
    )
    draft = await actions.draft_at_answer(conn, SYSTEM, call, answered)
    fields = _fields(told, answered)
    if told.get("repeat"):
        fields["repeat_of"] = made[told["customer"]]
    coded = {} if customer.address else {"contact_address": "refused"}
    talked = answered + _TALK
    edit = EditDraft(draft.subject_id, draft.version, fields, coded)
    edited = await actions.edit_draft(conn, agent, edit, talked)
    order = await actions.submit(conn, agent, Submit(edited.subject_id, edited.version), talked)
    for step in told.get("steps", []):
        await story.play(conn, order.subject_id, step, answered + timedelta(hours=step["after_h"]) + _TALK)
    serial = (await ledger.hold(conn, SYSTEM, order.subject_id)).serial
    for again in range(1, told.get("calls", 1)):
        at = answered + timedelta(hours=6 * again)
        await _call_again(conn, agent, call, serial, at, again)
    return serial


def _fields(told: Mapping[str, Any], answered: datetime) -> dict[str, object]:
    fields: dict[str, object] = dict(told["fields"])
    if told.get("urgent"):
        fields["urgent"] = True
    if fields["kind"] == "complaint":
        due_at = answered + timedelta(hours=told["promise_h"])
        fields |= {"event_at": answered - timedelta(days=1), "promise_due_at": due_at, "wanted_limit_at": due_at}
    return fields


async def _call_again(  # noqa: PLR0917 - one short scene
    conn: AsyncConnection, agent: Actor, call: DraftFromCall, serial: str, at: datetime, again: int
) -> None:
    """The customer calls about his open order; the agent merges the call into it."""
    second = DraftFromCall(
        call_id=f"{call.call_id}-{again}",
        agent_number=agent.number,
        caller_number=call.caller_number,
        dnis=call.dnis,
        answered_at=at,
        customer=call.customer,
    )
    draft = await actions.draft_at_answer(conn, SYSTEM, second, at)
    words = EditDraft(draft.subject_id, draft.version, {"verbatim": "我想问一下，什么时候能来修？"})
    edited = await actions.edit_draft(conn, agent, words, at)
    await actions.merge(conn, agent, Merge(edited.subject_id, edited.version, serial), at)
