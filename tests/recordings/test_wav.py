"""Sound files as Asterisk leaves them, whole and cut off."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from recordings import wav
from tests.recordings.conftest import RATE, tone, wav_file


def put(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    return path


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    sound = wav.read(put(tmp_path, wav_file(tone(1.5))))
    assert (sound.seconds, sound.rate, sound.repaired) == (1.5, RATE, False)


@pytest.mark.req("F13")
@pytest.mark.parametrize("declared", [0, 0xFFFFFFFF, 10**6])
def test_a_header_of_a_crash_is_repaired_from_the_size(tmp_path: Path, declared: int) -> None:
    sound = wav.read(put(tmp_path, wav_file(tone(2.0) + b"\x01", declared=declared)))
    assert (sound.seconds, sound.repaired) == (2.0, True)


@pytest.mark.parametrize("data", [b"", b"RIFF", wav_file(b""), wav_file(tone(1))[:43]])
def test_a_file_without_samples_is_empty_and_not_an_error(tmp_path: Path, data: bytes) -> None:
    sound = wav.read(put(tmp_path, data))
    assert (len(sound.samples), sound.repaired) == (0, False)


@pytest.mark.parametrize(
    "data", [b"x" * 100, wav_file(tone(1), channels=2), wav_file(tone(1), bits=8), wav_file(tone(1))[:36] + b"x" * 60]
)
def test_other_content_is_named_unreadable(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(wav.Unreadable):
        wav.read(put(tmp_path, data))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "a.wav"
    path.write_bytes(b"RIFF\x00\x00\x00\x00WAVE" + data)
    try:
        wav.read(path)
    except wav.Unreadable:
        return


def test_agent_is_left_caller_is_right_and_the_shorter_is_filled(tmp_path: Path) -> None:
    caller = wav.read(put(tmp_path, wav_file(tone(1.0, level=0.5))))
    agent = wav.read(put(tmp_path, wav_file(tone(2.0, level=0.25))))
    frames, rate = wav.join(caller, agent)
    decoded, decoded_rate = soundfile.read(io.BytesIO(wav.encode(frames, rate)), dtype="int16")
    assert decoded_rate == RATE
    assert decoded.shape == (2 * RATE, 2)
    assert np.array_equal(decoded[:, 0], agent.samples)
    assert np.array_equal(decoded[:RATE, 1], caller.samples)
    assert not decoded[RATE:, 1].any()


def test_peaks_and_loudness_follow_the_sound(tmp_path: Path) -> None:
    caller = wav.read(put(tmp_path, wav_file(tone(4.0, level=0.5))))
    agent = wav.read(put(tmp_path, wav_file(bytes(RATE * 2) + tone(3.0, level=0.25))))
    frames, _ = wav.join(caller, agent)
    left, right = wav.peaks(frames)
    assert len(left) == len(right) == wav.BINS
    assert max(left[:240]) == 0.0
    assert max(left) == pytest.approx(0.25, abs=0.01)
    assert max(right) == pytest.approx(0.5, abs=0.01)
    assert wav.loudness_db(caller.samples) == pytest.approx(-9.0, abs=0.1)
    assert wav.loudness_db(np.zeros(8, dtype=np.int16)) is None
    assert [len(channel) for channel in wav.peaks(frames[:7])] == [7, 7]


def test_sides_of_different_rates_do_not_join() -> None:
    sounds = [wav.Sound(np.ones(4, dtype=np.int16), rate, False) for rate in (8000, 16000)]
    with pytest.raises(wav.Unreadable):
        wav.join(*sounds)
    with pytest.raises(wav.Unreadable):
        wav.join(None, None)
