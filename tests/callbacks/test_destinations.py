"""300 numbers nobody may be connected to: refused wherever a number comes in (S06)."""

from __future__ import annotations

import re

import pytest

from cti.ami import commands
from tests.callbacks.destinations import destinations
from ticketing.callbacks import rules
from ticketing.callbacks.policy import shipped
from ticketing.errors import Invalid

MAINLAND = re.compile(r"\+86(1[3-9][0-9]{9}|[1-9][0-9]{8,10})")

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def test_there_are_three_hundred() -> None:
    assert len(set(destinations())) == 300


@pytest.mark.req("S06")
def test_a_booking_takes_a_number_of_the_mainland_out_of_a_text_or_nothing() -> None:
    """Never anything abroad, premium, short, or with a sign that an exchange understands."""
    taken = {text: rules.dialable(text, shipped(), "010") for text in destinations()}
    assert all(number is None or MAINLAND.fullmatch(number) for number in taken.values())
    assert sum(number is not None for number in taken.values()) < 30
    for text, number in taken.items():
        if number is not None and text.isascii():
            assert number.removeprefix("+86") in text


def send(channel: str, extension: str) -> None:
    """Makes the command that calls through this fence and then goes on there."""
    commands.originate(
        "cb-100000001-1", "cti-dial", extension, caller_id="1860", timeout_ms=1000, variables={},
        channel_id="a", other_channel_id="b", fence=channel,
    )  # fmt: skip


@pytest.mark.req("S06")
@pytest.mark.parametrize("fence", ["cti-dial", "cti-trunk", "agents", "cti-out"])
def test_no_command_is_made_of_them(fence: str) -> None:
    """Behind a fence only what the dialplan's patterns know; as a place to go on at only one plain word."""
    send("13800138000@cti-dial", "s")
    for text in destinations():
        if fence != "cti-out" or NAME.fullmatch(text) is None:  # a name is an attempt's, which the dialplan must know
            with pytest.raises(Invalid):
                send(f"{text}@{fence}", "s")
        if NAME.fullmatch(text) is None:
            with pytest.raises(Invalid):
                send("cb-100000001-1@cti-out", text)
