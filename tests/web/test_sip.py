"""What a browser phone may send to the exchange."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.web.sip import acceptable

REGISTER = (
    "REGISTER sip:hotline SIP/2.0\r\n"
    "Via: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK56sdasks\r\n"
    "From: {f}\r\nTo: {t}\r\nCall-ID: a\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"
)
MINE = '"王芳" <sip:1001@hotline>;tag=65bnmj.34asd'


@pytest.mark.parametrize(
    "value", [MINE, "<sip:1001@hotline>", "sip:1001@hotline;tag=x", '"a \\" <b>" <sip:1001@h>', "Wang <SIP:1001@h>"]
)
def test_own_number_passes(value: str) -> None:
    assert acceptable(REGISTER.format(f=value, t="<sip:1001@hotline>"), "1001")


@pytest.mark.parametrize(
    "value",
    [
        "<sip:1002@hotline>",
        "<sip:%31001@hotline>",
        '"sip:1001@x" <sip:1002@hotline>',
        "sip:1002@h <sip:1001@hotline>",
        "<sip:1001@h>, <sip:1002@h>",
        "<sip:1001:pw@hotline>",
        "<tel:1001>",
        "<sip:1001@h>\r\nFrom: <sip:1002@h>",
        "<sip:1001@h>\r\nf: <sip:1002@h>",
        "<sip:1001@h>\r\n ;x=<sip:1002@h>",
        "<sip:1001@h>\nFrom: <sip:1002@h>",
        "<sip:1001@h>\rFrom: <sip:1002@h>",
        "<sip:1001@h>\0",
        "",
    ],
)
def test_another_number_or_a_riddle_is_refused(value: str) -> None:
    assert not acceptable(REGISTER.format(f=value, t="<sip:1001@hotline>"), "1001")


def test_a_registration_is_for_oneself() -> None:
    assert not acceptable(REGISTER.format(f=MINE, t="<sip:1002@hotline>"), "1001")


def test_other_requests_may_be_addressed_to_anyone() -> None:
    invite = REGISTER.format(f=MINE, t="<sip:2001@hotline>").replace("REGISTER", "INVITE")
    assert acceptable(invite, "1001")


BYE = (
    "BYE sip:asterisk@127.0.0.1:5060 SIP/2.0\r\n"
    "From: {f}\r\nTo: {t}\r\nCall-ID: a\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"
)


def test_who_was_called_may_hang_up() -> None:
    """Inside a call From is the contact that Asterisk called, a random name of the page's own."""
    caller = '"13800138000" <sip:13800138000@127.0.0.1>;tag=9f1c'
    assert acceptable(BYE.format(f="<sip:k3jd9s@df7jal23ls0d.invalid>;tag=8ab", t=caller), "2001")
    assert acceptable(BYE.format(f="<sip:k3jd9s@df7jal23ls0d.invalid>;tag=8ab", t=caller + ";x=y"), "2001")


@pytest.mark.parametrize("value", ["<sip:1001@h>", "<sip:1001@h;tag=x>", "sip:1001@h;tag=x", "<sip:1001@h>;tag="])
def test_a_tag_that_is_none_does_not_make_a_call(value: str) -> None:
    assert not acceptable(BYE.format(f="<sip:1002@h>;tag=1", t=value).replace("BYE", "INVITE"), "1001")
    assert not acceptable(REGISTER.format(f="<sip:1002@h>;tag=1", t="<sip:1002@h>;tag=2"), "1001")


def test_answers_and_keep_alives_pass() -> None:
    assert acceptable("SIP/2.0 200 OK\r\nFrom: <sip:13800001234@h>\r\nTo: <sip:1001@h>\r\n\r\nv=0\r\n", "1001")
    assert acceptable("\r\n\r\n", "1001")
    assert acceptable("\r\n", "1001")


@pytest.mark.parametrize("text", ["GET / HTTP/1.1\r\n\r\n", "REGISTER sip:h SIP/2.0\r\n", "x", "SIP/2.0 200 OK\n\n"])
def test_what_is_no_sip_is_refused(text: str) -> None:
    assert not acceptable(text, "1001")


@given(st.text(max_size=300))
def test_any_text_gets_an_answer(text: str) -> None:
    acceptable(text, "1001")
    acceptable(REGISTER.format(f=text, t=text), "1001")
