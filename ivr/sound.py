"""How long a recorded message is and how much of it is sound; trusts the file's size, not its header (P28)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

RATE: Final = 8000
_WINDOW: Final = RATE // 50
#: -45 dBFS: a window of 20 ms under it is silence.
_SILENCE: Final = 184.0


@dataclass(frozen=True, slots=True)
class Sound:
    seconds: float
    #: Seconds that are louder than silence.
    speech_s: float


def measure(wav: Path) -> Sound:
    """Length and sound of an 8 kHz 16-bit mono WAV; a file without audio, or none at all, is 0 seconds long."""
    try:
        data = wav.read_bytes()
    except FileNotFoundError:
        return Sound(0.0, 0.0)
    start = data.find(b"data", 12)
    body = data[start + 8 :] if start >= 0 else b""
    samples = np.frombuffer(body[: len(body) // 2 * 2], "<i2")
    windows = samples[: len(samples) // _WINDOW * _WINDOW].reshape(-1, _WINDOW).astype(np.float64)
    loud = np.sqrt(np.mean(np.square(windows), axis=1)) >= _SILENCE if len(windows) else np.zeros(0)
    return Sound(len(samples) / RATE, float(np.count_nonzero(loud)) * _WINDOW / RATE)
