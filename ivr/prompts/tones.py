"""Sounds the build tool makes without words: beep, comfort noise and music on hold, all original and free to use.

Pure, and the same on every machine up to rounding. Needs numpy; not needed at run time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]

RATE = 8000
#: Music is quieter than speech, so that an announcement between stands out.
MUSIC_PEAK = 10 ** (-9 / 20)


def beep() -> Sound:
    """The tone before a recording: 1 kHz, 0.4 s, soft at both ends (TL-21)."""
    time = np.arange(int(0.4 * RATE)) / RATE
    edge = np.minimum(1.0, np.minimum(time, time[-1] - time) / 0.02)
    tone: Sound = 10 ** (-9 / 20) * np.sin(2 * np.pi * 1000 * time) * edge
    return tone


def comfort_noise() -> Sound:
    """One second of noise at about -55 dBFS: a pause that does not sound like a dead line."""
    noise = np.random.default_rng(1860).standard_normal(RATE)
    soft = np.convolve(noise, np.ones(4) / 4, mode="same")
    quiet: Sound = soft * (10 ** (-55 / 20) / np.sqrt(np.mean(soft**2)))
    return quiet


def soft_chords() -> Sound:
    """Eight seventh chords of five seconds under a sparse tune; the end runs over into the beginning."""
    chords = [  # in half tones from middle C
        ((-12, 0, 4, 7, 11), (16, 19)),
        ((-15, 0, 4, 7, 9), (12, 16)),
        ((-7, 0, 4, 9, 12), (21, 19)),
        ((-5, -1, 2, 7, 9), (14, 19)),
        ((-8, -1, 4, 7, 11), (16, 14)),
        ((-15, 0, 4, 7, 9), (12, 9)),
        ((-10, 0, 2, 5, 9), (14, 17)),
        ((-5, 0, 2, 5, 7), (14, 11)),
    ]
    loop = np.zeros(40 * RATE)
    for bar, (chord, tune) in enumerate(chords):
        for voice, tone in enumerate(chord):
            _add(loop, 5.0 * bar + 0.06 * voice, _pad(tone, 6.5), 0.16)
        for beat, tone in zip((1.25, 3.75), tune, strict=True):
            _add(loop, 5.0 * bar + beat, _bell(tone, 3.5), 0.14)
    return _finish(loop)


def quiet_bells() -> Sound:
    """Single bell notes of a five-note scale over two slow chords; the end runs over into the beginning."""
    scale = (0, 2, 4, 7, 9, 12, 14, 16)
    steps = (0, 2, 4, 3, 5, 4, 2, 3, 1, 3, 4, 6, 5, 4, 3, 1, 2, 4, 5, 7, 6, 5, 3, 4, 2, 1)
    loop = np.zeros(40 * RATE)
    for bar, chord in enumerate(((-12, -5, 0, 4), (-15, -8, -3, 0), (-7, -3, 0, 5), (-5, -1, 2, 7))):
        for tone in chord:
            _add(loop, 10.0 * bar, _pad(tone, 12.0), 0.12)
    for beat, step in enumerate(steps):
        _add(loop, 0.5 + 1.5 * beat, _bell(scale[step] + 12, 3.0), 0.2)
    return _finish(loop)


#: What `tone = "..."` in texts.toml may name.
TONES: dict[str, Callable[[], Sound]] = {"beep": beep, "comfort-noise": comfort_noise}

#: What a [moh.<id>] table in texts.toml may be called.
MUSIC: dict[str, Callable[[], Sound]] = {"soft-chords": soft_chords, "quiet-bells": quiet_bells}


def _pitch(tone: int) -> float:
    return 261.63 * 2 ** (tone / 12)


def _partials(tone: int, time: Sound, strengths: Sequence[float]) -> Sound:
    """The tone with its overtones, none above the telephone's band."""
    sound = np.zeros_like(time)
    for number, strength in enumerate(strengths, 1):
        if _pitch(tone) * number < 3200:
            sound += strength * np.sin(2 * np.pi * _pitch(tone) * number * time)
    return sound


def _pad(tone: int, seconds: float) -> Sound:
    """A slowly swelling and fading tone, doubled a little out of tune."""
    time = np.arange(int(seconds * RATE)) / RATE
    swell = np.sin(np.pi * time / seconds) ** 0.8
    parts = (1.0, 0.5, 0.22, 0.1)
    return swell * (_partials(tone, time, parts) + _partials(tone, time * 1.0025, parts)) / 2


def _bell(tone: int, seconds: float) -> Sound:
    """A struck tone that dies away."""
    time = np.arange(int(seconds * RATE)) / RATE
    fade = np.minimum(1.0, time / 0.012) * np.exp(-2.2 * time) * np.minimum(1.0, (seconds - time) / 0.3)
    return fade * _partials(tone, time, (1.0, 0.35, 0.12))


def _add(loop: Sound, at: float, sound: Sound, strength: float) -> None:
    """Mix a sound into the loop; what runs over the end comes in again at the beginning."""
    places = (int(at * RATE) + np.arange(len(sound))) % len(loop)
    np.add.at(loop, places, strength * sound)


def _finish(loop: Sound) -> Sound:
    finished: Sound = loop / np.max(np.abs(loop)) * MUSIC_PEAK
    return finished
