"""Reading a body: exactly its model, nothing hidden in it (S16, S23)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.web.body import DEPTH_CAP, check_json, parse, parse_query
from cti.web.errors import BadRequest
from cti.web.schemas.orderquery import OrderQuery
from cti.web.schemas.orders import CreateOrder, EditOrder, SubmitOrder
from cti.web.schemas.pop import Painted
from ticketing.errors import Invalid


@pytest.mark.parametrize("field", ["caller_number", "call_id", "serial", "state", "owner", "due_at", "role", "id"])
def test_a_field_that_is_not_the_persons_is_an_error(field: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(json.dumps({"version": 1, field: "x"}).encode(), EditOrder)
    assert refused.value.code == "unknown_field"
    assert refused.value.field == field


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b'{"version":NaN}', b'{"version":1,"version":2}', b"\xff", b'{"version":1}x', b'{"version":Infinity}'],
)
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        parse(raw, SubmitOrder)


@pytest.mark.parametrize("version", ["3", 3.0, True, None, -1, 2**63, [3]])
def test_nothing_is_coerced(version: object) -> None:
    with pytest.raises(Invalid):
        parse(json.dumps({"version": version}).encode(), SubmitOrder)


@pytest.mark.parametrize(
    "painted_at",
    ["2026-11-23T02:13:47", "2026-11-23", 1763864027, "1763864027", "2026-13-01T00:00:00Z", "0001-01-01T00:00Z"],
)
def test_an_instant_has_a_zone(painted_at: object) -> None:
    with pytest.raises(Invalid):
        parse(json.dumps({"painted_at": painted_at, "event_id": "e1-1"}).encode(), Painted)


def test_instants_become_utc() -> None:
    order = parse(b'{"channel":"letter","received_at":"2026-11-23T10:00:00+08:00"}', CreateOrder)
    assert order.received_at.isoformat() == "2026-11-23T02:00:00+00:00"


@pytest.mark.parametrize("text", ["a\x00b", "a\x1b[31m", "a\x7f"])
def test_control_characters_are_refused(text: str) -> None:
    for field in ("contact_name", "description"):
        with pytest.raises(Invalid) as refused:
            parse(json.dumps({"version": 1, field: text}).encode(), EditOrder)
        assert text not in str(refused.value.details)


def test_a_body_may_be_nested_only_so_deep() -> None:
    check_json(b"[" * DEPTH_CAP + b"]" * DEPTH_CAP)
    for depth in (DEPTH_CAP + 1, 900, 100_000):
        with pytest.raises(BadRequest) as refused:
            check_json(b"[" * depth + b"]" * depth)
        assert refused.value.code == "json_too_deep"
    check_json(b'"' + b"[" * 1000 + b'"')


def test_a_query_name_sent_twice_is_refused() -> None:
    with pytest.raises(Invalid):
        parse_query([("version", "1"), ("version", "1")], SubmitOrder)
    with pytest.raises(Invalid):
        parse_query([("vresion", "1")], SubmitOrder)


@given(st.binary(max_size=200))
def test_any_bytes_get_a_refusal_or_a_value(raw: bytes) -> None:
    try:
        parse(raw, SubmitOrder)
    except (BadRequest, Invalid):
        return


@pytest.mark.req("S17")
@pytest.mark.parametrize("odd", ["x\x00.pdf", "\x1b[2J", "a\nb", "\x7f"])
def test_a_condition_has_no_control_character(odd: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_query([("name", odd)], OrderQuery)
    assert (refused.value.details["field"], refused.value.code) == ("name", "invalid")
