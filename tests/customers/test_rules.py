"""Caller numbers in every form a trunk may send (TL-04), and the ranking of candidates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketing.customers.model import Candidate, Customer, NumberKind
from ticketing.customers.rules import normalise, rank

MOBILE = "+8613800138000"
BEIJING = "+861088886666"
SHENZHEN = "+8675588886666"
LIJIANG = "+868885123456"

FORMS = [
    ("13800138000", MOBILE),
    ("+8613800138000", MOBILE),
    ("008613800138000", MOBILE),
    ("8613800138000", MOBILE),
    ("013800138000", MOBILE),
    ("+86 138 0013 8000", MOBILE),
    ("138-0013-8000", MOBILE),
    ("(+86)138.0013.8000", MOBILE),
    ("1795113800138000", MOBILE),
    ("12593013800138000", MOBILE),
    ("tel:+8613800138000", MOBILE),
    ("sip:+8613800138000@ims.example", MOBILE),
    ("<13800138000>", MOBILE),
    ("13800138000", MOBILE),
    ("19912345678", "+8619912345678"),
    ("010-88886666", BEIJING),
    ("01088886666", BEIJING),
    ("+86 (0)10 8888 6666", BEIJING),
    ("+861088886666", BEIJING),
    ("00861088886666", BEIJING),
    ("861088886666", BEIJING),
    ("010-88886666转801", BEIJING),
    ("010-88886666 ext. 12", BEIJING),
    ("0755-88886666", SHENZHEN),
    ("(0755)88886666", SHENZHEN),
    ("0888-5123456", LIJIANG),
    ("400-810-8888", "+864008108888"),
    ("8008108888", "+868008108888"),
    ("+85291234567", "+85291234567"),
    ("0085291234567", "+85291234567"),
    ("+442079460958", "+442079460958"),
    ("+1 212 736 5000", "+12127365000"),
]


@pytest.mark.req("TL-04")
@pytest.mark.parametrize(("raw", "e164"), FORMS)
def test_every_form_becomes_one_number(raw: str, e164: str) -> None:
    number = normalise(raw)
    assert (number.kind, number.e164) == (NumberKind.E164, e164)
    assert normalise(number.display).e164 == e164


@pytest.mark.req("TL-04")
@pytest.mark.parametrize("raw", ["", " ", "anonymous", "Anonymous", "sip:anonymous@anonymous.invalid", "unknown",
                                 "Restricted", "+266696687", "0"])  # fmt: skip
def test_a_hidden_number_is_withheld(raw: str) -> None:
    assert normalise(raw).kind is NumberKind.WITHHELD


@pytest.mark.parametrize("raw", ["10086", "95588", "110", "1001", "12315"])
def test_short_codes_and_extensions(raw: str) -> None:
    number = normalise(raw)
    assert (number.kind, number.e164, number.display, number.key) == (NumberKind.SHORT, None, raw, raw)


_GARBAGE = [
    "abc",
    "张伟",
    "138001380",
    "1380013800012345",
    "+999123456789",
    "88886666",
    "1' OR '1'='1",
    "13800138000\r\nAction: Originate",
    "9" * 4000,
    "٣٤٥",
    "+",
    "(0)",
]


@pytest.mark.parametrize("raw", _GARBAGE)
def test_garbage_is_invalid_and_never_raises(raw: str) -> None:
    number = normalise(raw)
    assert (number.e164, number.kind, number.display) == (None, NumberKind.INVALID, "")


@pytest.mark.parametrize(("area", "raw", "e164"), [("010", "88886666", BEIJING), ("755", "88886666", SHENZHEN),
                                                   ("0888", "5123456", LIJIANG)])  # fmt: skip
def test_a_local_number_needs_the_area_code(area: str, raw: str, e164: str) -> None:
    assert normalise(raw, area_code=area).e164 == e164
    assert normalise(raw).e164 is None


def test_another_country_uses_its_own_plan() -> None:
    assert normalise("020 7946 0958", country="GB").e164 == "+442079460958"


@given(st.text(max_size=80))
def test_no_text_breaks_it_and_its_result_is_stable(raw: str) -> None:
    number = normalise(raw)
    if number.e164 is not None:
        assert normalise(number.e164) == number


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(["", "+86", "0086", "86", "0", "+86 ", "17951"])
)
def test_every_mobile_in_every_form(national: str, prefix: str) -> None:
    assert normalise(prefix + national).e164 == f"+86{national}"


def _candidate(id_: int, *, main: bool = False, open_: int = 0, overdue: int = 0) -> Candidate:
    customer = Customer(id_, f"c{id_}", "客户", None, None, None, None)
    return Candidate(customer, main=main, orders=(), open_count=open_, overdue_count=overdue, last_order_at=None)


@pytest.mark.req("TL-04")
def test_candidates_are_ranked_by_what_the_caller_most_likely_wants() -> None:
    ranked = rank([_candidate(1), _candidate(2, main=True), _candidate(3, open_=1), _candidate(4, open_=1, overdue=1)])
    assert [candidate.customer.id for candidate in ranked] == [4, 3, 2, 1]
