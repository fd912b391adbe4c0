"""A spool as Asterisk leaves it, and a library over it."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from recordings.library import Library
from ticketing.audit import QueryLog
from ticketing.db import Database
from ticketing.roles import SYSTEM, Actor
from ticketing.staff import sample, store

CALL = "20260310013000-000001123456"
RATE = 8000


def tone(seconds: float, hertz: float = 440.0, level: float = 0.5) -> bytes:
    """Samples of a sine."""
    times = np.arange(round(seconds * RATE)) / RATE
    return bytes((np.sin(2 * math.pi * hertz * times) * level * 32767).astype("<i2").tobytes())


def wav_file(samples: bytes, *, declared: int | None = None, channels: int = 1, bits: int = 16) -> bytes:
    """A file as Asterisk writes it; `declared` is what its header says of the length."""
    size = len(samples) if declared is None else declared
    whole = min(36 + size, 0xFFFFFFFF)
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", whole, b"WAVE", b"fmt ", 16, 1, channels, RATE, RATE * 2, 2, bits,
        b"data", size,
    ) + samples  # fmt: skip


@dataclass
class Spool:
    """The folder Asterisk writes to."""

    folder: Path

    def put(self, call: str = CALL, caller: bytes | None = None, agent: bytes | None = None, done: bool = True) -> None:
        for side, data in (("in", caller), ("out", agent)):
            if data is not None:
                (self.folder / f"{call}-{side}.wav").write_bytes(data)
        if done:
            (self.folder / f"{call}.done").touch()

    def call(self, seconds: float, call: str = CALL, done: bool = True) -> None:
        self.put(call, wav_file(tone(seconds)), wav_file(tone(seconds, 880, 0.25)), done)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    folder = tmp_path / "spool"
    folder.mkdir()
    return Spool(folder)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    return folder


@pytest.fixture
def library(database: Database, spool: Spool, root: Path) -> Library:
    return Library(database, spool.folder, root, b"k" * 32, QueryLog(database))


@pytest.fixture
async def staff(database: Database, now: datetime) -> dict[str, Actor]:
    async with database.write() as conn:
        await sample.load(conn, sample.SAMPLE.read_text(encoding="utf-8"), now, SYSTEM)
        return {person.number: person.actor for person in await store.everyone(conn)}
