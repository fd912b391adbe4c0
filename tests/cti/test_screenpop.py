"""The pop as data: who calls and why, for every kind of caller (TL-30)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from cti.calls.model import CallRecord, Step
from cti.screenpop import Labels, PopFacts, build_screen_pop, instant
from tests.calls.stories import at, call_id
from ticketing.customers.model import (
    Candidate,
    Customer,
    CustomerNumber,
    Lookup,
    MatchKind,
    Number,
    NumberKind,
    ProfileField,
)
from ticketing.orders.model import OrderSummary

NUMBER = Number("+8613800138000", NumberKind.E164, "138 0013 8000")
LABELS = Labels(
    queues={"senior": "高级座席"},
    dialled={"1860": "1860 客户服务热线"},
    nodes={"main": "主菜单", "main:1": "投诉"},
    reasons={"vip-major": "大客户来电，由高级座席接听。"},
    vip={"major": "大客户"},
)
RECORD = CallRecord(
    call_id=call_id(),
    entered_at=at(0),
    dnis="1860",
    ani="13800138000",
    lang="zh",
    path=(Step(node="main", key="1", at=at(8.5)), Step(node="elsewhere", key="", at=at(9))),
    queue="senior",
    reason="vip-major",
    asked_at=at(9),
    joined_at=at(10),
)


def customer(number: int = 1, vip: str | None = None, name: str = "张伟") -> Customer:
    return Customer(
        id=number,
        public_id=f"c-{number}",
        name=name,
        vip_class=vip,
        complainant_type="ordinary",
        address="文化路 8 号",
        language=None,
        numbers=(CustomerNumber("+8613800138000", "mobile", "宽带"),),
        profile=(ProfileField("age", "40", "order", at(-1000)),),
    )


def order(number: int, *, overdue: bool = False, age_s: float = 0) -> OrderSummary:
    return OrderSummary(
        id=f"o-{number}",
        serial=f"00000000{number}",
        kind="complaint",
        state="in_process",
        summary="宽带网速慢",
        business="data.broadband",
        nature=None,
        created_at=at(-age_s),
        registered_at=at(-age_s),
        due_at=at(1000),
        overdue=overdue,
        card="red" if overdue else "none",
        contact_no=1,
        repeat_no=0,
        urgent=False,
        vip_class=None,
        customer_name="张伟",
        caller_number="+8613800138000",
        owner="2001",
        version=3,
    )


def candidate(who: Customer, *orders: OrderSummary) -> Candidate:
    return Candidate(who, True, orders, len(orders), 0, orders[0].created_at if orders else None)


def one(vip: str | None = None, *orders: OrderSummary) -> Lookup:
    who = customer(vip=vip)
    return Lookup(NUMBER, MatchKind.ONE, (candidate(who, *orders),), who, orders, len(orders))


UNKNOWN = Lookup(NUMBER, MatchKind.UNKNOWN)
WITHHELD = Lookup(Number(None, NumberKind.WITHHELD, ""), MatchKind.WITHHELD)


def pop(
    lookup: Lookup, record: CallRecord = RECORD, labels: Labels = LABELS, facts: PopFacts | None = None
) -> dict[str, object]:
    made = build_screen_pop(
        record, lookup, labels, facts or PopFacts(), offered_at=at(12.5), event_at=at(12.25), state="ringing"
    )
    assert json.loads(json.dumps(made)) == made
    return made


@pytest.mark.req("TL-30", "S09")
@pytest.mark.parametrize(
    ("lookup", "identity", "names", "candidates"),
    [
        (one(), "number_matches", "张伟", []),
        (
            Lookup(NUMBER, MatchKind.SEVERAL, (candidate(customer(1)), candidate(customer(2, name="王芳")))),
            "ambiguous",
            None,
            ["张伟", "王芳"],
        ),
        (UNKNOWN, "unknown", None, []),
        (WITHHELD, "withheld", None, []),
    ],
)
def test_a_number_is_a_claim_and_never_a_proof(
    lookup: Lookup, identity: str, names: str | None, candidates: list[str]
) -> None:
    told = pop(lookup)
    assert (told["identity"], told["verified"]) == (identity, False)
    card = told["customer"]
    assert (card["name"] if isinstance(card, dict) else None) == names
    listed = told["candidates"]
    assert isinstance(listed, list)
    assert [each["name"] for each in listed] == candidates


@pytest.mark.req("TL-30")
def test_it_says_who_and_why_in_the_words_of_the_desk() -> None:
    told = pop(one("major", order(1)))
    assert told["number"] == "+8613800138000"
    assert told["number_display"] == "138 0013 8000"
    assert told["customer"] == {
        "id": "c-1",
        "name": "张伟",
        "vip_class": "major",
        "vip_label": "大客户",
        "complainant_type": "ordinary",
        "profile": {"age": "40", "address": "文化路 8 号"},
        "numbers": [{"e164": "+8613800138000", "kind": "mobile", "service": "宽带"}],
        "stale": False,
    }
    assert told["dialled"] == {"dnis": "1860", "label": "1860 客户服务热线"}
    assert told["queue"] == {"name": "senior", "label": "高级座席"}
    assert told["reason"] == {"code": "vip-major", "text": "大客户来电，由高级座席接听。"}
    assert told["path"] == [
        {"node": "main", "key": "1", "label": "投诉", "at": "2026-03-10T01:30:08.500Z"},
        {"node": "elsewhere", "key": None, "label": "elsewhere", "at": "2026-03-10T01:30:09.000Z"},
    ]
    assert (told["state"], told["order_id"]) == ("ringing", None)
    assert (told["offered_at"], told["event_at"]) == ("2026-03-10T01:30:12.500Z", "2026-03-10T01:30:12.250Z")


def test_a_code_without_words_is_shown_as_it_is() -> None:
    told = pop(one("major"), labels=Labels())
    assert told["queue"] == {"name": "senior", "label": "senior"}
    assert told["dialled"] == {"dnis": "1860", "label": "1860"}
    assert told["reason"] == {"code": "vip-major", "text": "vip-major"}
    card = told["customer"]
    assert isinstance(card, dict)
    assert card["vip_label"] == "major"


@pytest.mark.req("TL-30")
@pytest.mark.parametrize(
    ("record", "waited_ms"),
    [
        (RECORD, 2500),
        (replace(RECORD, joined_at=None), 3500),
        (replace(RECORD, joined_at=None, asked_at=None), 12500),
        (replace(RECORD, joined_at=at(12.5) + timedelta(milliseconds=2)), 0),
    ],
)
def test_the_wait_runs_from_the_queue_to_the_offer_and_is_never_negative(record: CallRecord, waited_ms: int) -> None:
    assert pop(one(), record)["waited_ms"] == waited_ms


@pytest.mark.req("TL-30")
@pytest.mark.parametrize(
    ("lookup", "flags"),
    [
        (one(), (False, False, False)),
        (one("major"), (True, False, False)),
        (replace(one(None, order(1)), repeat=True), (False, True, False)),
        (replace(one(None, order(1)), repeat=True, overdue_repeat=True), (False, True, True)),
        (one(None, order(1, overdue=True)), (False, False, True)),
        (
            Lookup(NUMBER, MatchKind.SEVERAL, (candidate(customer(1)), candidate(customer(2, "important")))),
            (True, False, False),
        ),
    ],
)
def test_flags(lookup: Lookup, flags: tuple[bool, bool, bool]) -> None:
    """Of several candidates the class that is served first counts, so that no VIP is overlooked."""
    vip, repeat, overdue = flags
    assert pop(lookup)["flags"] == {"vip": vip, "repeat": repeat, "overdue": overdue, "mood": None}


def test_orders_of_several_candidates_are_merged_newest_first_at_most_five() -> None:
    first = [order(number, age_s=number) for number in (1, 3, 5)]
    second = [order(number, age_s=number) for number in (2, 3, 4, 6)]
    told = pop(Lookup(NUMBER, MatchKind.SEVERAL, (candidate(customer(1), *first), candidate(customer(2), *second))))
    listed = told["orders"]
    assert isinstance(listed, list)
    assert [each["id"] for each in listed] == ["o-1", "o-2", "o-3", "o-4", "o-5"]


def test_an_order_is_told_without_what_the_page_may_not_know() -> None:
    orders = pop(one(None, order(1)))["orders"]
    assert isinstance(orders, list)
    (line,) = orders
    assert line["due_at"] == "2026-03-10T01:46:40.000Z"
    assert "control" not in line


def test_what_stands_beside_the_call_is_passed_on() -> None:
    facts = PopFacts(work_orders=[{"id": "w"}], promises=[{"text": "p"}], recordings=[{"id": "r"}], order_id="o-9")
    told = pop(one(), facts=facts)
    assert (told["open_work_orders"], told["promises"], told["recordings"], told["order_id"]) == (
        [{"id": "w"}],
        [{"text": "p"}],
        [{"id": "r"}],
        "o-9",
    )


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "'; DROP TABLE customer;--", "%s%n", "🐉" * 200, "a\u202eb"]
)
def test_a_hostile_name_is_text_and_stays_as_it_is(name: str) -> None:
    """It is escaped where it is shown, not changed where it is known."""
    who = customer(name=name)
    told = pop(Lookup(NUMBER, MatchKind.ONE, (candidate(who),), who), replace(RECORD, ani=name))
    card = told["customer"]
    assert isinstance(card, dict)
    assert card["name"] == name
    assert pop(WITHHELD, replace(RECORD, ani=name))["number"] == name


def test_instants_are_utc_with_milliseconds() -> None:
    assert instant(None) is None
    assert instant(at(0.0004)) == "2026-03-10T01:30:00.000Z"
