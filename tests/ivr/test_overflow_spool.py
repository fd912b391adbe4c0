"""Messages in the spool: sidecars, crashes, what can be measured (N1, F13)."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ivr.sound import measure
from ivr.spool import Message, Spool, file_name
from tests.ivr.fakes import NOW
from tests.ivr.overflow_fakes import (
    write_wav,
)
from ticketing.intake.spool import parse

ANI, CALL = "13800001111", "20260310013000-000001000001"
FIRST = f"{CALL}-msg-1.wav"

# -- the spool -------------------------------------------------------------------------------------------------------

MESSAGE = Message(CALL, FIRST, ANI, "1860", "zh", "complaint", NOW)


def aged(path: Path, age: timedelta) -> None:
    when = (datetime.now(UTC) - age).timestamp()
    os.utime(path, (when, when))


@pytest.mark.req("F13", "N1")
def test_a_message_cut_short_by_a_crash_is_settled_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.begin(MESSAGE)
    wav = tmp_path / FIRST
    write_wav(wav, 3.0, 5000)
    data = bytearray(wav.read_bytes())
    data[4:8] = data[40:44] = b"\0\0\0\0"
    wav.write_bytes(data)
    assert spool.settle(datetime.now(UTC)) == [], "it may still be growing"
    aged(wav, timedelta(minutes=1))
    (settled,) = spool.settle(datetime.now(UTC))
    assert (settled.how, settled.seconds, settled.sorted_out) == ("hung_up", 3.0, None)
    assert parse(wav.with_suffix(".json").read_text()).seconds == 3.0
    assert spool.settle(datetime.now(UTC)) == []


def test_silence_is_marked_and_nothing_is_dropped_that_sounds(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number, (seconds, loudness) in enumerate([(3.0, 0), (0.0, 0)], start=1):
        message = replace(MESSAGE, file=file_name(CALL, number))
        spool.begin(message)
        write_wav(tmp_path / message.file, seconds, loudness)
        aged(tmp_path / message.file, timedelta(minutes=1))
    (silent,) = spool.settle(datetime.now(UTC))
    assert silent.sorted_out == "silence"
    assert {path.name for path in tmp_path.iterdir()} == {FIRST, FIRST.replace(".wav", ".json")}


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"version": 2}), json.dumps({"version": 1, "kind": "x"})])
def test_a_sidecar_that_cannot_be_read_is_left_for_a_person(tmp_path: Path, text: str) -> None:
    path = tmp_path / FIRST.replace(".wav", ".open")
    path.write_text(text)
    with capture_logs() as logs:
        assert Spool(tmp_path).settle(datetime.now(UTC)) == []
    assert [entry["event"] for entry in logs] == ["ivr.sidecar_unreadable"]
    assert path.exists()


def test_what_is_measured(tmp_path: Path) -> None:
    wav = tmp_path / "x.wav"
    assert measure(wav).seconds == 0
    wav.write_bytes(b"RIFF")
    assert measure(wav).seconds == 0
    write_wav(wav, 2.0, 30)
    assert (measure(wav).seconds, measure(wav).speech_s) == (2.0, 0.0)
    write_wav(wav, 2.0, 3000)
    assert measure(wav).speech_s == pytest.approx(2.0, abs=0.05)
