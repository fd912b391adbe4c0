"""What a file is by its content, what it may be called, and the two tables of a paper's life."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketing.clocks.definitions import definitions
from ticketing.clocks.model import Card, Clock, Outcome
from ticketing.errors import Invalid, Refused
from ticketing.papers import rules
from ticketing.papers.model import Move, Original, State, Verb

SCANS = {
    "a.pdf": b"%PDF-1.7\n", "b.png": b"\x89PNG\r\n\x1a\n\0", "c.jpg": b"\xff\xd8\xff\xe0", "d.JPEG": b"\xff\xd8\xff",
    "e.tif": b"II*\x00\1", "f.tiff": b"MM\x00*\1", "g.txt": "投诉信\n".encode(),
    "h.txt": "投诉信\r\n".encode("gb18030"),
    "i.eml": b"Subject: x\r\n\r\n\tbody", "j.txt": b"\xef\xbb\xbfabc",
}  # fmt: skip


@pytest.mark.parametrize("name", SCANS)
def test_scans_and_texts_are_known_by_their_content(name: str) -> None:
    assert name.rpartition(".")[2].lower() in rules.kind_of(name, SCANS[name]).endings


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.pdf", b"", "empty_file"),
        ("a.pdf", b"\x89PNG\r\n\x1a\n", "wrong_ending"),
        ("a.png", b"%PDF-1.7", "wrong_ending"),
        ("a.txt", b"MZ\x90\x00\x03", "wrong_file_type"),
        ("a.exe", b"MZ\x90\x00\x03", "wrong_file_type"),
        ("a.html", b"<script>alert(1)</script>", "wrong_ending"),
        ("a.txt", b"\x7fELF\x02\x01\x01\x00", "wrong_file_type"),
        ("a.txt", b"bell \x07", "wrong_file_type"),
        ("a.txt", b"\xff\xff\xff", "wrong_file_type"),
        ("a.zip", b"PK\x03\x04", "wrong_file_type"),
        ("a.pdf", b"%PDF-" + b"x" * rules.LARGEST, "file_too_large"),
    ],
)
def test_other_content_is_refused_whatever_it_is_called(name: str, data: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        rules.kind_of(name, data)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "name",
    [
        "../a.pdf", "/etc/passwd", "a/b.pdf", "a\\b.pdf", "..", "a..pdf", ".htaccess", "noending", "a\0.pdf", "a\n.pdf",
        "\u202efdp.exe.pdf", "C:a.pdf", "a.pdf:stream", " ", "", "a*.pdf", "\ud800.pdf",
    ],
)  # fmt: skip
def test_a_name_that_could_be_a_path_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        rules.file_name(name)
    assert (refusal.value.code, refusal.value.field) == ("bad_document_name", "name")


def test_names_are_kept_as_people_write_them() -> None:
    assert rules.file_name(" 投诉信（第 1 页）.PDF ") == "投诉信（第 1 页）.PDF"
    with pytest.raises(Invalid) as refusal:
        rules.file_name("长" * 120 + ".pdf")
    assert (refusal.value.code, refusal.value.details["limit"]) == ("too_long", 120)


@given(st.text(max_size=40))
def test_no_accepted_name_has_a_way_out_of_its_folder(name: str) -> None:
    try:
        plain = rules.file_name(name)
    except Invalid:
        return
    assert not set(plain) & set("/\\\0")
    assert not plain.startswith(".")
    assert ".." not in plain


def test_a_paper_ends_as_an_order_or_by_a_reason_only() -> None:
    ends = {verb for (source, verb), to in rules.STEPS.items() if to in {State.DONE, State.DISCARDED}}
    assert ends == {Verb.TO_ORDER, Verb.DISCARD}
    assert rules.step(None, Verb.REGISTER) is State.CLAIMED
    with pytest.raises(Refused) as refusal:
        rules.step(State.DISCARDED, Verb.TO_ORDER)
    assert (refusal.value.code, refusal.value.details["allowed"]) == ("paper_not_from_here", [])


def test_an_original_moves_from_hand_to_hand_only() -> None:
    assert rules.move(Original.CLERK, Move.HAND_OVER) is Original.HANDED
    for original in Original:
        for wanted in Move:
            if (original, wanted) not in rules.MOVES:
                with pytest.raises(Refused):
                    rules.move(original, wanted)
    assert {to for (_, _), to in rules.MOVES.items()} == set(Original) - {Original.NONE}


@pytest.mark.req("CL-01")
def test_two_hours_from_the_stamp_for_both(now: datetime) -> None:
    due_at, warn_at = rules.limit(definitions()[Clock.ENTRY], now)
    assert (due_at - now, warn_at - now) == (timedelta(hours=2), timedelta(hours=1, minutes=30))
    assert rules.card(due_at, warn_at, None, now) is Card.NONE
    assert rules.card(due_at, warn_at, None, warn_at) is Card.YELLOW
    assert rules.card(due_at, warn_at, None, due_at) is Card.RED
    assert rules.card(due_at, warn_at, now, due_at) is Card.NONE
    assert rules.outcome(due_at, None) is None
    assert rules.outcome(due_at, due_at + timedelta(seconds=1)) is Outcome.BREACHED
