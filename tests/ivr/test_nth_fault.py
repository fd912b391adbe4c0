"""A message left by phone while the disk refuses one operation, each in turn: what was promised is there, once."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ivr.reserve import Reserve
from ivr.server import FastAgiServer
from ivr.spool import Spool
from ivr.steps import OverflowStep
from tests.ivr.fakes import SECRET, header, shipped_tree
from tests.ivr.nth_fault import NthFault
from tests.ivr.overflow_fakes import SPEECH, Overflowing
from tests.ivr.overflow_house import CALL, call
from ticketing.intake.spool import parse

NUMBERS = ("123456782", "987654321")
SAVED = {"record-saved", "record-saved-plain"}


@asynccontextmanager
async def serving(house: Overflowing) -> AsyncIterator[int]:
    """The dialogue on these ports; the port it listens at."""
    step = OverflowStep(shipped_tree, house.ports, budget_s=0.2)
    server = FastAgiServer("127.0.0.1", 0, SECRET, {"overflow": step})
    await server.start()
    try:
        yield server.port
    finally:
        await server.stop()


def left(house: Overflowing) -> dict[str, str | None]:
    """Every message there is after the disk works again, taken in or waiting, with the number it carries."""
    Spool(house.folder).settle(datetime.now(UTC) + timedelta(hours=1))
    waiting = {
        message.file: message.serial
        for message in (parse(path.read_text(encoding="utf-8")) for path in sorted(house.folder.glob("*.json")))
    }
    taken = house.sink.serials
    same = set(waiting) & set(taken)
    assert all(waiting[file] in {None, taken[file]} for file in same), "a message has one number"
    return waiting | taken


@pytest.mark.req("N1", "N2", "F10")
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("sink", ["works", "fails"])
@pytest.mark.parametrize("hangs_up", [False, True])
async def test_one_operation_fails_and_nothing_promised_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, code: int, sink: str, hangs_up: bool
) -> None:
    """Until a run has met no fault. The caller confirms, or hangs up after he has heard himself."""
    probe = call(Overflowing(tmp_path), ["1", "1", "#"], says=[SPEECH])
    async with serving(Overflowing(tmp_path)) as port:
        await probe.run(port, header(f"{SECRET}/overflow"))
    hears_himself = next(at for at, line in enumerate(probe.lines) if line.startswith('STREAM FILE "/'))
    at, promised, kept = 0, 0, 0
    while True:
        at += 1
        folder = tmp_path / str(at)
        folder.mkdir()
        house = Overflowing(folder)
        house.sink.error = OSError() if sink == "fails" else None
        Reserve(folder).fill(NUMBERS)
        async with serving(house) as port:
            made = call(house, ["1", "1", "#"], says=[SPEECH, SPEECH])
            if hangs_up:
                made.hang_up_at = hears_himself
            with monkeypatch.context() as patched:
                fault = NthFault(patched, folder, at, code)
                await made.run(port, header(f"{SECRET}/overflow"))
        messages = left(house)
        digits = "".join(prompt.removeprefix("digit-") for prompt in made.heard if prompt.startswith("digit-"))
        assert len(messages) <= 1, (at, messages)
        if SAVED & set(made.heard):
            promised += 1
            assert len(messages) == 1, f"operation {at} failed, and what the caller was promised is not there"
            if digits:
                assert set(messages.values()) == {digits[:9]}, (at, digits, messages)
        else:
            assert hangs_up or "record-failed" in made.heard, (at, made.heard)
        for file in messages:
            kept += 1
            assert (folder / file).is_file(), f"operation {at} failed, and the voice is not there"
            assert file.startswith(CALL)
        if not fault.fired:
            break
    assert at > 10, "the disk was asked for many things"
    assert kept > 0
    assert hangs_up or promised > 0
