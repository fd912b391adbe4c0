"""What is only a line's tone, what is silence, and what a person must hear (TL-21)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ivr.prompts import load_manifest
from ivr.sound import RATE, judge, listen
from tests.system import sound

PROMPTS = Path(__file__).resolve().parents[2] / "ivr" / "prompts"

#: name: frequencies, seconds on, seconds off
TONES: dict[str, tuple[tuple[float, ...], float, float]] = {
    "dial tone": ((450,), 4.0, 0.0),
    "dial tone of two frequencies": ((350, 440), 4.0, 0.0),
    "busy": ((450,), 0.35, 0.35),
    "busy of two frequencies": ((480, 620), 0.5, 0.5),
    "congestion": ((480, 620), 0.25, 0.25),
    "ring-back": ((440, 480), 2.0, 4.0),
    "fax that calls": ((1100,), 0.5, 3.0),
    "fax that answers": ((2100,), 3.0, 0.5),
}


def cadence(hertz: tuple[float, ...], on_s: float, off_s: float, *, seconds: float = 12.0, loudness: int = 6000) -> Pcm:
    """A tone with its pauses, on a line that is never quite quiet."""
    at = np.arange(int(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * each * at) for each in hertz) * loudness / len(hertz)
    on = np.mod(at, on_s + off_s) < on_s
    return np.asarray(wave * on + np.random.default_rng(7).normal(0, 30, len(at)), np.int16)


Pcm = NDArray[np.int16]


@pytest.mark.req("TL-21")
@pytest.mark.parametrize("name", TONES)
@pytest.mark.parametrize("loudness", [600, 6000, 20000])
def test_tones_of_the_line_are_told_from_speech(name: str, loudness: int) -> None:
    heard = listen(cadence(*TONES[name], loudness=loudness))
    assert (judge(heard), heard.speech_s) == ("tone", 0.0)


@pytest.mark.req("TL-21")
def test_a_tone_under_a_voice_hides_nobody() -> None:
    """Ten seconds of busy tone, then a complaint: a person must hear it."""
    voice = sound.load(PROMPTS / "demo" / "customer-billing.wav")
    assert judge(listen(np.concatenate((cadence((450,), 0.35, 0.35, seconds=10), voice)))) is None
    assert (
        judge(
            listen(np.asarray(cadence((450,), 0.35, 0.35, seconds=len(voice) / RATE)[: len(voice)] // 2 + voice // 2))
        )
        is None
    )


@pytest.mark.req("TL-21")
@pytest.mark.parametrize("seconds", [2, 5, 20])
@pytest.mark.parametrize("name", ["quiet-bells", "soft-chords"])
def test_music_is_no_tone(name: str, seconds: int) -> None:
    """Music on hold, that somebody records when he is put on hold elsewhere, at any place of it."""
    music = sound.load(PROMPTS / "moh" / f"{name}.wav")
    for begin in range(0, len(music) - seconds * RATE, seconds * RATE):
        assert judge(listen(music[begin : begin + seconds * RATE])) in {None, "silence"}, begin / RATE


@pytest.mark.req("TL-21")
def test_no_spoken_word_is_a_tone() -> None:
    """Every prompt of both languages and every simulated customer; the beep alone is one."""
    files = [*PROMPTS.glob("??/*.wav"), *PROMPTS.glob("demo/*.wav")]
    tones = {wav.stem for wav in files if listen(sound.load(wav)).tone}
    assert tones == {"beep"}
    assert len(files) > len(load_manifest().prompts)


@pytest.mark.parametrize(
    ("seconds", "loudness", "why"),
    [(4.0, 0, "silence"), (4.0, 100, "silence"), (1.0, 5000, "too_short"), (2.1, 5000, None)],
)
def test_silence_and_too_short(seconds: float, loudness: int, why: str | None) -> None:
    assert judge(listen(sound.tone(500, seconds, loudness))) == why
