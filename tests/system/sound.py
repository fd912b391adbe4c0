"""What was heard on a call, as numbers: loading WAVs, finding a prompt, loudness. Pure but for reading files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

#: every leg of a test call is G.711
RATE: Final = 8000

#: how much of a prompt is looked for: its first second of sound
_SNIPPET_S: Final = 1.0
#: a prompt that went through G.711 and a jitter buffer correlates at 0.9 and more; other speech stays under 0.3
_ALIKE: Final = 0.6

Pcm = NDArray[np.int16]


def load(wav: Path) -> Pcm:
    """Samples of a mono 8 kHz file."""
    samples, rate = soundfile.read(wav, dtype="int16", always_2d=True)
    if rate != RATE:
        raise ValueError(f"{wav} has {rate} Hz, a telephone test needs {RATE}")
    mono: Pcm = np.ascontiguousarray(samples[:, 0])
    return mono


def tone(hertz: float, seconds: float, amplitude: int = 8000) -> Pcm:
    """A sine, to be spoken into a call and found again at its other end."""
    at = np.arange(int(seconds * RATE)) / RATE
    return np.asarray(amplitude * np.sin(2 * np.pi * hertz * at), dtype=np.int16)


def loudness(samples: Pcm) -> float:
    """Root mean square, 0..32767; speech is some 1000 to 4000, line noise under 50."""
    return float(np.sqrt(np.mean(np.square(samples.astype(np.float64))))) if len(samples) else 0.0


def share_of(samples: Pcm, hertz: float) -> float:
    """Share 0..1 of the energy within 40 Hz of a frequency."""
    if not len(samples) or not samples.any():
        return 0.0
    power = np.square(np.abs(np.fft.rfft(samples.astype(np.float64))))
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(power[np.abs(frequencies - hertz) < 40].sum() / power.sum())


def snippet(reference: Pcm) -> tuple[Pcm, int]:
    """The part of a prompt that is searched for, and where in the prompt it starts (leading silence left out)."""
    loud = np.flatnonzero(np.abs(reference.astype(np.int32)) > 500)
    start = int(loud[0]) if len(loud) else 0
    return reference[start : start + int(_SNIPPET_S * RATE)], start


def find(heard: Pcm, wanted: Pcm) -> int | None:
    """Sample at which `wanted` starts in `heard`, by normalised cross-correlation; None when it is not there."""
    size = len(wanted)
    if len(heard) < size or size == 0:
        return None
    long, short = heard.astype(np.float64), wanted.astype(np.float64)
    length = 1 << (len(long) + size - 1).bit_length()
    products = np.fft.irfft(np.fft.rfft(long, length) * np.conj(np.fft.rfft(short, length)), length)[
        : len(long) - size + 1
    ]
    energy = np.concatenate(([0.0], np.cumsum(np.square(long))))
    window = energy[size:] - energy[:-size]
    norm = np.sqrt(np.maximum(window, 1.0) * np.sum(np.square(short)))
    alike = products / np.maximum(norm, 1.0)
    # a quiet window makes any correlation meaningless
    alike[window < 0.05 * np.sum(np.square(short))] = 0.0
    best = int(np.argmax(alike))
    return best if alike[best] >= _ALIKE else None
