"""What a recorded message holds: its length, how much of it is sound, and whether that is only a line's tone (TL-21).

Trusts the file's size, not its header (P28). A tone is what machines send: one or two frequencies that stand still, as
busy and dial tone, fax and ring-back. Speech and music move, or have more of them, and are never tones here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ivr.ports import SortedOut

RATE: Final = 8000
_WINDOW: Final = RATE // 50
#: -45 dBFS: a window of 20 ms under it is silence.
_SILENCE: Final = 184.0
#: With less sound than this a message is silent, seconds; the default of overflow.toml.
SPEECH_S: Final = 0.4
#: A shorter message says nothing, seconds; the default of overflow.toml (F14).
SHORTEST_S: Final = 2.0

# Tones are looked for in frames of 64 ms, one every 20 ms.
_FRAME: Final = 512
_BIN_HZ: Final = RATE / _FRAME
#: Share of a frame's energy around its two strongest frequencies; voiced speech spreads over its harmonics.
_PURE: Final = 0.95
#: A second frequency weaker than the first by more than this is none, as a ratio of energies (20 dB).
_SECOND: Final = 0.01
#: How far a tone may move from one frame to the next, and away from where it began, Hz.
_STEADY_HZ: Final = 6.0
#: Frames in a row that make a tone: 200 ms with the frame itself; the shortest cadence is 300 ms.
_RUN: Final = 8
#: How much louder the loudest frame of a stretch may be than its quietest, dB; a bell dies away.
_STEADY_DB: Final = 2.0
#: Share of the sound that must be tone.
_MOSTLY: Final = 0.8
#: Different tones a signal has at most: the information tone has three; more is a melody.
_MOST_TONES: Final = 4
#: Frequencies nearer than this are the same tone, Hz.
_SAME_HZ: Final = 20.0

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sound:
    seconds: float
    #: Seconds that are louder than silence; 0 when all of that is a line's tone.
    speech_s: float
    #: It holds nothing but a line's tone.
    tone: bool = False


def measure(wav: Path) -> Sound:
    """Length and sound of an 8 kHz 16-bit mono WAV; a file without audio, or none at all, is 0 seconds long."""
    try:
        data = wav.read_bytes()
    except FileNotFoundError:
        return Sound(0.0, 0.0)
    start = data.find(b"data", 12)
    body = data[start + 8 :] if start >= 0 else b""
    return listen(np.frombuffer(body[: len(body) // 2 * 2], "<i2"))


def listen(samples: NDArray[np.integer[Any]]) -> Sound:
    """The same of samples. Pure."""
    loud_s = float(np.count_nonzero(_loud(samples))) * _WINDOW / RATE
    if loud_s and only_tones(samples):
        return Sound(len(samples) / RATE, 0.0, tone=True)
    return Sound(len(samples) / RATE, loud_s)


def judge(sound: Sound, *, shortest_s: float = SHORTEST_S, speech_s: float = SPEECH_S) -> SortedOut | None:
    """Why a message says nothing; None when somebody must hear it. Pure."""
    if sound.tone:
        return "tone"
    if sound.speech_s < speech_s:
        return "silence"
    return "too_short" if sound.seconds < shortest_s else None


def only_tones(samples: NDArray[np.integer[Any]]) -> bool:
    """Nearly all that is loud are one or two frequencies that stand still. Pure."""
    loud = np.flatnonzero(_loud(samples))
    starts = loud[loud * _WINDOW + _FRAME <= len(samples)] * _WINDOW
    if len(starts) < _RUN:
        return False
    peaks, level = _peaks(samples, starts)
    steady = np.zeros(len(starts), dtype=bool)
    tones: list[tuple[float, float]] = []
    begin = 0
    for at in range(1, len(starts) + 1):
        if at < len(starts) and _goes_on(peaks, starts, begin, at):
            continue
        if at - begin >= _RUN and not np.isnan(peaks[begin, 0]) and _level(level[begin:at]):
            steady[begin:at] = True
            first, second = (float(hertz) for hertz in np.median(peaks[begin:at], axis=0))
            if not any(abs(first - a) < _SAME_HZ and abs(second - b) < _SAME_HZ for a, b in tones):
                tones.append((first, second))
        begin = at
    # a frame that begins within the last 64 ms of a tone reaches into the pause behind it and is no tone itself
    found, ends = int(np.count_nonzero(steady)), int(np.count_nonzero(np.diff(steady.astype(np.int8)) == -1))
    share = (found + min(ends * (_FRAME // _WINDOW + 1), len(steady) - found)) / len(steady)
    return 0 < len(tones) <= _MOST_TONES and share >= _MOSTLY


def _loud(samples: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Each window of 20 ms: louder than silence."""
    windows = samples[: len(samples) // _WINDOW * _WINDOW].reshape(-1, _WINDOW).astype(np.float64)
    found: NDArray[np.bool_] = np.sqrt(np.mean(np.square(windows), axis=1)) >= _SILENCE
    return found


def _peaks(samples: NDArray[np.integer[Any]], starts: NDArray[np.intp]) -> tuple[_Array, _Array]:
    """The two frequencies of each frame, lower first (0 = no second, nan = not pure), and its level in dB."""
    frames = samples[starts[:, None] + np.arange(_FRAME)].astype(np.float64) * np.hanning(_FRAME)
    power = np.square(np.abs(np.fft.rfft(frames, axis=1)))
    power[:, :4] = 0.0  # below 60 Hz is no telephone signal
    total = power.sum(axis=1) + 1e-9
    first, first_power, rest = _strongest(power)
    second, second_power, _ = _strongest(rest)
    single = second_power < _SECOND * first_power
    second[single] = 0.0
    pure = first_power + second_power >= _PURE * total
    peaks = np.sort(np.stack((first, second), axis=1), axis=1)
    peaks[single] = peaks[single][:, ::-1]
    peaks[~pure] = np.nan
    return peaks, 10 * np.log10(total)


def _strongest(power: _Array) -> tuple[_Array, _Array, _Array]:
    """Frequency and energy of the strongest peak of each frame, and the frames without it."""
    rows = np.arange(len(power))
    top = np.clip(np.argmax(power, axis=1), 3, power.shape[1] - 4)
    around = top[:, None] + np.arange(-3, 4)
    band = power[rows[:, None], around]
    energy = band.sum(axis=1)
    frequency = (band * around).sum(axis=1) / (energy + 1e-9) * _BIN_HZ
    rest = power.copy()
    rest[rows[:, None], around] = 0.0
    return frequency, energy, rest


def _goes_on(peaks: _Array, starts: NDArray[np.intp], begin: int, at: int) -> bool:
    """The frame follows without a pause and stays where the stretch began."""
    if starts[at] - starts[at - 1] != _WINDOW or np.isnan(peaks[at, 0]) or np.isnan(peaks[begin, 0]):
        return False
    return bool(np.all(np.abs(peaks[at] - peaks[begin]) <= _STEADY_HZ))


def _level(level: _Array) -> bool:
    """It stays as loud as it is; its first and last frames may reach into a pause."""
    inner = level[3:-3]
    return bool(len(inner)) and float(inner.max() - inner.min()) <= _STEADY_DB
