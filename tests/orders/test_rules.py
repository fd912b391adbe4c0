"""What an order must say, and what may be said of it: pure (IN-17)."""

from __future__ import annotations

import pytest

from ticketing.clocks.model import Card
from ticketing.orders import rules
from ticketing.orders.model import Absence, Kind
from ticketing.orders.rules import Element


@pytest.mark.req("IN-17", "IN-12", "IN-06")
def test_completeness_by_kind() -> None:
    assert rules.missing(None, {}, {}) == ("kind",)
    filled = {element.field: "x" for element in rules.REQUIRED[Kind.COMPLAINT]}
    assert rules.missing(Kind.COMPLAINT, filled, {}) == ()
    assert rules.completeness(Kind.COMPLAINT, filled, {}) == 100
    for element in rules.REQUIRED[Kind.COMPLAINT]:
        empty = {**filled, element.field: None}
        assert rules.missing(Kind.COMPLAINT, empty, {}) == (element.field,)
        coded = {element.field: "refused"}
        assert rules.missing(Kind.COMPLAINT, empty, coded) == (() if element.codeable else (element.field,))
    assert "unit" in rules.missing(Kind.COMPLAINT, {}, {})
    assert "suggestion_category" in rules.missing(Kind.SUGGESTION, {}, {})
    assert "unit" not in rules.missing(Kind.SUGGESTION, {}, {})


@pytest.mark.req("IN-17")
def test_a_template_asks_for_more_and_never_for_less() -> None:
    """What the kind wants filled stays so; what may be coded can be wanted filled; what is new is as it says."""
    asks = {"business": True, "contact_name": False, "operation_serial": True, "network_point": False}
    own = {element.field: element for element in rules.REQUIRED[Kind.COMPLAINT]}
    asked = rules.elements(Kind.COMPLAINT, asks)
    assert [element.field for element in asked] == [*own, "operation_serial", "network_point"]
    assert [element for element in asked if element != own.get(element.field)] == [
        Element("contact_name", False, "IN-09"),
        Element("operation_serial", True, "IN-17"),
        Element("network_point", False, "IN-17"),
    ]
    assert rules.elements(Kind.COMPLAINT) == list(own.values())


@pytest.mark.req("IN-17")
def test_the_outline_a_template_wrote_is_nobodys_answer() -> None:
    """Prose is to be completed; another prefilled element is an answer as it stands."""
    filled = {element.field: "x" for element in rules.REQUIRED[Kind.INQUIRY]} | {"network_point": "A1"}
    form = {"asks": {"network_point": False}, "prefill": {"description": "故障现象：", "network_point": "A1"}}
    assert rules.missing(Kind.INQUIRY, filled, {}, form) == ()
    outline = {**filled, "description": "故障现象："}
    assert rules.missing(Kind.INQUIRY, outline, {}, form) == ("description",)
    assert rules.missing(Kind.INQUIRY, outline, {}) == ()
    assert rules.missing(Kind.INQUIRY, {**filled, "description": ""}, {}, form) == ("description",)
    assert rules.missing(Kind.INQUIRY, {**filled, "description": "故障现象：断网"}, {}, form) == ()


@pytest.mark.req("IN-17")
def test_the_share_of_answers_counts_what_the_template_asks_too() -> None:
    wanted = len(rules.REQUIRED[Kind.INQUIRY])
    assert wanted == 3
    filled = {"kind": "inquiry", "business": "data"}
    assert rules.completeness(Kind.INQUIRY, filled, {}) == 67
    assert rules.completeness(Kind.INQUIRY, filled, {}, {"asks": {"network_point": True}}) == 50
    assert (
        rules.completeness(Kind.INQUIRY, filled, {"network_point": "refused"}, {"asks": {"network_point": True}}) == 75
    )
    assert rules.completeness(Kind.INQUIRY, {}, {}) == 0


@pytest.mark.req("IN-17")
@pytest.mark.parametrize("text", ["无", " 无。", "不详，", "N/A", "none.", "Unknown", "——", "", " . ", "/、", "-没有-"])
def test_words_people_type_to_get_past_a_form_say_nothing(text: str) -> None:
    assert rules.says_nothing(text)


@pytest.mark.parametrize("text", ["无线信号差", "X", "没有网络。", "none of it works", "0"])
def test_words_that_only_begin_so_say_something(text: str) -> None:
    assert not rules.says_nothing(text)


def test_only_a_reason_may_stand_for_what_is_missing() -> None:
    assert [code for code in ("refused", "not_applicable", "无", "") if rules.is_absence(code)] == [
        absence.value for absence in Absence if absence.value in {"refused", "not_applicable"}
    ]


def test_a_list_shows_the_first_line_cut_at_sixty_characters() -> None:
    assert rules.summarise(None) == rules.summarise(" \n ") == ""
    assert rules.summarise("\n  断网三天 \n第二行\n第三行") == "断网三天"
    assert rules.summarise("x" * 60) == "x" * 60
    assert rules.summarise("x" * 61) == "x" * 59 + "…"
    assert rules.summarise("abcdef", 5) == "abcd…"


@pytest.mark.req("MN-07")
def test_only_a_red_card_is_overdue() -> None:
    assert [card for card in Card if rules.overdue(card)] == [Card.RED]
