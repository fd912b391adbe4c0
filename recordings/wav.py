"""Sound files: headers read and repaired, two sides joined into one stereo file, waveform and loudness."""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ticketing.errors import HotlineError

Samples = npt.NDArray[np.int16]

BINS = 1000
_PCM = 1
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


class Unreadable(HotlineError):
    """This is not a sound file of the kind Asterisk writes."""

    default_code = "unreadable"


@dataclass(frozen=True, slots=True)
class Sound:
    """One side of a call."""

    samples: Samples
    #: samples a second
    rate: int
    #: True when the header's length was wrong and the file's size was taken instead (F13)
    repaired: bool

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / self.rate


def read(path: Path) -> Sound:
    """Reads a mono 16-bit file. The header is written when Asterisk closes the file, so after a crash it says 0 and
    the file's size is the truth; a file cut off within the header has no samples. Raises Unreadable for other content.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(handle, "rb") as file:
        data = file.read()
    if len(data) < _HEADER.size:
        return Sound(np.zeros(0, dtype="<i2"), 8000, False)
    rate, start, declared = _parse(data)
    present = len(data) - start
    size = present if declared in (0, 0xFFFFFFFF) or declared > present else declared
    repaired = size != declared
    size -= size % 2
    return Sound(np.frombuffer(data, dtype="<i2", count=size // 2, offset=start), rate, repaired and size > 0)


def join(caller: Sound | None, agent: Sound | None) -> tuple[npt.NDArray[np.int16], int]:
    """Both sides as frames (agent left, caller right) and their rate; the shorter one is filled with silence at its
    end, because both begin together. Raises Unreadable when the rates differ or there is nothing.
    """
    there = [side for side in (agent, caller) if side is not None]
    rates = {side.rate for side in there if len(side.samples)} or {side.rate for side in there}
    if len(rates) != 1:
        raise Unreadable(message="the two sides do not fit together")
    frames = np.zeros((max(len(side.samples) for side in there), 2), dtype="<i2")
    for channel, side in enumerate((agent, caller)):
        if side is not None:
            frames[: len(side.samples), channel] = side.samples
    return frames, rates.pop()


def encode(frames: npt.NDArray[np.int16], rate: int) -> bytes:
    """A WAV file of 16-bit frames."""
    channels = frames.shape[1]
    body = np.ascontiguousarray(frames, dtype="<i2").tobytes()
    header = _HEADER.pack(
        b"RIFF", 36 + len(body), b"WAVE", b"fmt ", 16, _PCM, channels, rate, rate * channels * 2, channels * 2, 16,
        b"data", len(body),
    )  # fmt: skip
    return header + body


def loudness_db(samples: Samples) -> float | None:
    """RMS over full scale in dB; None for digital silence or nothing."""
    if len(samples) == 0:
        return None
    power = float(np.mean(np.square(samples.astype(np.float32) / 32768.0)))
    return round(10 * math.log10(power), 1) if power > 0 else None


def peaks(frames: npt.NDArray[np.int16], bins: int = BINS) -> list[list[float]]:
    """Largest sample of each of `bins` equal stretches, 0 to 1, for each channel; short files give fewer."""
    count = min(bins, len(frames))
    if count == 0:
        return [[] for _ in range(frames.shape[1])]
    edges = np.linspace(0, len(frames), count, endpoint=False).astype(np.int64)
    tops = np.maximum.reduceat(np.abs(frames.astype(np.int32)), edges, axis=0) / 32768.0
    return [[round(float(value), 4) for value in tops[:, channel]] for channel in range(frames.shape[1])]


def peaks_json(frames: npt.NDArray[np.int16], rate: int) -> bytes:
    """The waveform as kept beside the sound."""
    left, right = peaks(frames)
    document = {"seconds": round(len(frames) / rate, 3), "agent": left, "caller": right}
    return json.dumps(document, separators=(",", ":")).encode()


def write_durably(path: Path, parts: Sequence[bytes]) -> None:
    """Writes a whole file or none: beside its place, flushed to disk, then renamed (N1)."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    fresh = path.with_name(f".{path.name}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o640)
    with os.fdopen(handle, "wb") as file:
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _parse(data: bytes) -> tuple[int, int, int]:
    """Rate, start of the samples and their declared length in bytes."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise Unreadable()
    at, rate = 12, 0
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"fmt ":
            if size < 16 or at + 24 > len(data):
                raise Unreadable()
            kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, at + 8)
            if (kind, channels, bits) != (_PCM, 1, 16) or not 8000 <= rate <= 48000:
                raise Unreadable(message="not mono 16-bit", kind=kind, channels=channels, bits=bits, rate=rate)
        elif name == b"data":
            if not rate:
                raise Unreadable()
            return rate, at + 8, size
        at += 8 + size + size % 2
    raise Unreadable()
