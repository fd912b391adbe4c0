"""Links live five minutes for one person; no path leaves the root."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.access import LONGEST, check, issue, open_inside
from recordings.model import Purpose
from recordings.naming import call_of, check_call_id, peaks_name, spool_names, stored_name
from ticketing.errors import Forbidden, Invalid, NotFound

KEY = b"k" * 32


@pytest.mark.req("S19")
def test_a_link_works_for_its_person_until_it_ends(now: datetime) -> None:
    link = issue(KEY, "rec-1", 7, Purpose.PLAY, now=now)
    assert link.expires_at - now == timedelta(minutes=5)
    grant = check(KEY, link.token, 7, now + timedelta(seconds=299))
    assert (grant.public_id, grant.staff_id, grant.purpose) == ("rec-1", 7, Purpose.PLAY)
    for key, person, at in ((KEY, 8, now), (KEY, 7, now + timedelta(minutes=5)), (b"x" * 32, 7, now)):
        with pytest.raises(Forbidden):
            check(key, link.token, person, at)


def test_no_link_lives_longer_than_five_minutes(now: datetime) -> None:
    assert issue(KEY, "rec-1", 7, Purpose.PLAY, now=now, life=timedelta(days=1)).expires_at - now == LONGEST


@pytest.mark.req("S19")
def test_every_changed_character_is_refused(now: datetime) -> None:
    token = issue(KEY, "rec-1", 7, Purpose.PLAY, now=now).token
    for place in range(len(token) - 1):  # the last one holds two bits that mean nothing
        for other in "AZaz09-_.":
            changed = token[:place] + other + token[place + 1 :]
            if changed != token:
                with pytest.raises(Forbidden):
                    check(KEY, changed, 7, now)


@given(st.text(max_size=80))
def test_any_text_is_refused_and_nothing_else(text: str) -> None:
    with pytest.raises(Forbidden):
        check(KEY, text, 7, datetime.fromisoformat("2026-03-10T01:30:00Z"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "2026" / "03").mkdir(parents=True)
    (root / "2026" / "03" / "call-1.wav").write_bytes(b"sound")
    (tmp_path / "secret.wav").write_bytes(b"secret")
    (root / "link.wav").symlink_to(tmp_path / "secret.wav")
    (root / "folder").symlink_to(tmp_path)
    (root / "2026" / "inner").symlink_to(root / "2026" / "03")
    os.mkfifo(root / "pipe.wav")
    return root


def forms() -> list[str]:
    """More than 200 ways to write a path that leads out."""
    ups = [
        "..",
        "..%2f",
        "%2e%2e",
        "%2e%2e%2f",
        "..\\",
        "..;",
        ". .",
        "..%00",
        "..%c0%af",
        "․․",
        "．．",
        "....",
        "./..",
    ]
    joins = ["/", "//", "\\", "%2f", "%5c", "/./", "\x00/"]
    ends = ["secret.wav", "etc/passwd", "secret.wav\x00.wav"]
    made = [join.join([up] * depth + [end]) for up in ups for join in joins for end in ends for depth in (1, 2)]
    single = ["/etc/passwd", "//etc/passwd", "link.wav", "folder/secret.wav", "2026/inner/call-1.wav", "pipe.wav", "",
              ".", "..", "/", "2026", "2026/03", "2026/03/", "2026/03/call-1.wav/", "2026//03/call-1.wav", "~/x",
              "2026/03/call-1.wav\x00", "2026/03/call-1.wav\n", "C:\\secret.wav", "a/" * 9 + "a", "x" * 300,
              "2026/03/../03/call-1.wav", "2026/./03/call-1.wav", "file:///etc/passwd", "-rf", ".hidden"]  # fmt: skip
    return made + single


@pytest.mark.req("S18")
def test_no_form_of_path_leaves_the_root(root: Path) -> None:
    assert len(forms()) > 200
    for form in forms():
        with pytest.raises(NotFound):
            os.close(open_inside(root, form))
    with os.fdopen(open_inside(root, "2026/03/call-1.wav"), "rb") as file:
        assert file.read() == b"sound"


@pytest.mark.req("S18")
@pytest.mark.parametrize(
    "call_id", ["", "../../etc/x", "a/b/c/d", "20260310\x00", "x" * 100, "-20260310", "张伟张伟张", "a b c d e"]
)
def test_names_are_made_of_call_ids_only(call_id: str) -> None:
    for name in (check_call_id, spool_names, stored_name):
        with pytest.raises(Invalid):
            name(call_id)


def test_names_are_the_same_at_every_attempt() -> None:
    call = "20260310013000-000001123456"
    assert stored_name(call) == f"2026/03/10/{call}.wav"
    assert stored_name("restored-call") == "undated/restored-call.wav"
    assert peaks_name(stored_name(call)) == f"2026/03/10/{call}.peaks.json"
    assert {call_of(name) for name in spool_names(call)} == {call}
    assert [call_of(name) for name in ("x.wav", "../a-in.wav", "notes.txt", "-in.wav")] == [None] * 4
