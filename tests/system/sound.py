"""What was heard on a call, as numbers: loading WAVs, finding a prompt, loudness. Pure but for reading files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

#: every leg of a test call is G.711
RATE: Final = 8000

#: how much of a prompt is looked for: its first seconds of sound, in windows
_SNIPPET_S: Final = 1.6
_WINDOW: Final = int(0.25 * RATE)
#: a window that went through G.711 correlates at 0.9 and more; other speech stays under 0.5
_ALIKE: Final = 0.75
#: how far windows may be apart from where they belong, samples: a few packets
_DRIFT: Final = int(0.1 * RATE)
#: a window under this loudness is a pause and proves nothing
_QUIET: Final = 100.0

Pcm = NDArray[np.int16]


def load(wav: Path) -> Pcm:
    """Samples of a mono 8 kHz file."""
    samples, rate = soundfile.read(wav, dtype="int16", always_2d=True)
    if rate != RATE:
        raise ValueError(f"{wav} has {rate} Hz, a telephone test needs {RATE}")
    mono: Pcm = np.ascontiguousarray(samples[:, 0])
    return mono


def tone(hertz: float, seconds: float, amplitude: int = 8000) -> Pcm:
    """A tone to speak into a call and find at its other end; rising by a fifth each second, so its place is sure."""
    at = np.arange(int(seconds * RATE)) / RATE
    return np.asarray(amplitude * np.sin(2 * np.pi * hertz * (at + 0.1 * np.square(at))), dtype=np.int16)


def loudness(samples: Pcm) -> float:
    """Root mean square, 0..32767; speech is some 1000 to 4000, line noise under 50."""
    return float(np.sqrt(np.mean(np.square(samples.astype(np.float64))))) if len(samples) else 0.0


def snippet(reference: Pcm) -> tuple[Pcm, int]:
    """The part of a prompt that is searched for, and where in the prompt it starts (leading silence left out)."""
    loud = np.flatnonzero(np.abs(reference.astype(np.int32)) > 500)
    start = int(loud[0]) if len(loud) else 0
    return reference[start : start + int(_SNIPPET_S * RATE)], start


def find(heard: Pcm, wanted: Pcm) -> int | None:
    """Sample at which `wanted` starts in `heard`; None when it is not there.

    Windows of `wanted` are looked for by normalised cross-correlation; half of them have to be where they belong,
    so that a packet lost or doubled on a busy machine hides no prompt, and a word that two prompts share is not enough.
    """
    windows = [(at, part) for at, part in _windows(wanted) if loudness(part) > _QUIET]
    hits = [(at, best) for at, part in windows if (best := _best(heard, part)) is not None]
    starts = sorted(place - at for at, place in hits)
    need = min(max(2, (len(windows) + 1) // 2), len(windows))
    for first, start in enumerate(starts):
        if need and len([s for s in starts[first:] if s - start <= _DRIFT]) >= need:
            return max(start, 0)
    return None


def _windows(wanted: Pcm) -> list[tuple[int, Pcm]]:
    return [(at, wanted[at : at + _WINDOW]) for at in range(0, max(len(wanted) - _WINDOW, 0) + 1, _WINDOW)]


def _best(heard: Pcm, part: Pcm) -> int | None:
    """Where one window is most alike, if it is alike enough."""
    size = len(part)
    if len(heard) < size or size == 0:
        return None
    long, short = heard.astype(np.float64), part.astype(np.float64)
    length = 1 << (len(long) + size - 1).bit_length()
    spectrum = np.fft.rfft(long, length) * np.conj(np.fft.rfft(short, length))
    products = np.fft.irfft(spectrum, length)[: len(long) - size + 1]
    energy = np.concatenate(([0.0], np.cumsum(np.square(long))))
    window = energy[size:] - energy[:-size]
    own = float(np.sum(np.square(short)))
    alike = products / np.sqrt(np.maximum(window, 1.0) * own)
    alike[window < 0.05 * own] = 0.0  # a quiet window makes any correlation meaningless
    best = int(np.argmax(alike))
    return best if alike[best] >= _ALIKE else None
