"""What is left of a call for the ear: the stereo file checked, drawn, played, guarded; or an alarm where it is not."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
import pytest_asyncio
import soundfile

from cti.asterisk.provision import Installation
from cti.calls.model import CallRecord
from recordings.model import Alarm, Recording, RecordingState
from recordings.naming import spool_names
from tests.absent import missing
from tests.system import sound
from tests.system.house import Agent, House
from tests.system.sound import RATE, Pcm
from tests.system.stage import LINA, PLAIN, Stage, menus, short_folder, working

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

#: the sides of the file (TL-50)
AGENT, CALLER = 0, 1


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(asterisk_installation: Installation) -> AsyncIterator[House]:
    """One house for the stories of this file."""
    with short_folder() as home:
        async with House(home / "var", ivr_data=menus(home, short=True)) as made:
            yield made


@pytest.mark.req("TL-50", "TL-51", "IN-15", "AU-01", "S19", "N5")
async def test_both_sides_are_kept_apart_and_played_to_whom_they_concern(house: House) -> None:
    """Who said what is on whose side, as long as the call, with digest, waveform, Range, and a link for one person."""
    demo = house.prompts / "demo"
    async with working(house) as stage:
        seat, stranger = await stage.seat("1002"), await stage.watch("1001")
        caller = await stage.caller(PLAIN)
        await seat.phone.rings()
        pop = await seat.agent.event("pop")
        await seat.phone.answer()
        await caller.says(demo / "customer-billing.wav")
        await seat.phone.says(demo / "agent-reply.wav")
        await seat.phone.hang_up()
        await caller.ended()
        told = await seat.agent.event("recording", lambda data: data["call_id"] == pop["call_id"])
        assert told["state"] == "ready"
        record = await stage.books.call(call_id=pop["call_id"])
        kept = await stage.books.recording(pop["call_id"])
        data = (house.settings.recordings_root / str(kept.path)).read_bytes()
        _as_it_was(data, record, kept, demo)
        assert list((house.settings.asterisk_run / "voice").rglob(f"{pop['call_id']}*")) == []
        await _drawn(seat.agent, kept)
        await _played(seat.agent, stranger, kept, data)


def _as_it_was(data: bytes, record: CallRecord, kept: Recording, demo: Path) -> None:
    samples, rate = soundfile.read(BytesIO(data), dtype="int16", always_2d=True)
    assert (rate, samples.shape[1]) == (RATE, 2)
    sides: list[Pcm] = [np.ascontiguousarray(samples[:, side]) for side in (AGENT, CALLER)]
    said_by_caller, said_by_agent = (sound.snippet(sound.load(demo / name))[0] for name in _SAID)
    asked_at, replied_at = sound.find(sides[CALLER], said_by_caller), sound.find(sides[AGENT], said_by_agent)
    assert asked_at is not None
    assert replied_at is not None
    assert asked_at < replied_at
    assert sound.find(sides[AGENT], said_by_caller) is None
    assert sound.find(sides[CALLER], said_by_agent) is None
    assert record.ended_at is not None
    lasted = record.ended_at - record.entered_at
    heard = timedelta(seconds=len(samples) / rate)
    notice = timedelta(seconds=6.55)
    assert abs(lasted - notice - heard) < timedelta(seconds=2)
    assert record.answered_at is not None
    since_answer = record.ended_at - record.answered_at
    assert abs((heard - since_answer).total_seconds() - asked_at / RATE) < 2
    assert (kept.state, kept.alarm) == (RecordingState.READY, None)
    assert kept.sha256 == hashlib.sha256(data).hexdigest()
    assert kept.size == len(data)


_SAID = ("customer-billing.wav", "agent-reply.wav")


async def _drawn(agent: Agent, kept: Recording) -> None:
    """A waveform of each side, loud where somebody speaks."""
    peaks = await agent.get(f"/api/recordings/{kept.public_id}/peaks")
    assert [channel["name"] for channel in peaks["channels"]] == ["agent", "caller"]
    assert peaks["seconds"] == pytest.approx(kept.seconds, abs=0.01)
    for channel in peaks["channels"]:
        assert max(channel["peaks"]) > 0.1
        assert min(channel["peaks"]) < 0.05


async def _played(agent: Agent, stranger: Agent, kept: Recording, data: bytes) -> None:
    """The whole, a part, the end; nothing to another person, to nobody, or by a changed link."""
    link = await agent.post(f"/api/recordings/{kept.public_id}/link")
    assert await agent.get(link["url"]) == data
    for asked, part in (("bytes=100-1099", data[100:1100]), ("bytes=-44", data[-44:])):
        async with agent.http.get(agent.house.url(link["url"]), headers={"Range": asked}) as response:
            assert response.status == 206
            assert await response.read() == part
            assert response.headers["Content-Range"].endswith(f"/{len(data)}")
    await stranger.get(link["url"], status=403)
    await agent.get(link["url"][:-2] + "xx", status=403)
    await stranger.get(f"/api/recordings/{kept.public_id}", status=404)
    await stranger.send("POST", f"/api/recordings/{kept.public_id}/link", status=404)
    async with aiohttp.ClientSession() as nobody, nobody.get(agent.house.url(link["url"])) as response:
        assert response.status == 401


@pytest.mark.req("TL-50", "IN-15", "F11", "N5")
async def test_a_call_without_its_sound_is_an_alarm_and_never_blank(house: House) -> None:
    """Files that vanish, that hold nothing, that hold one second: each is said wherever the call is shown."""
    async with working(house) as stage:
        seat, supervisor = await stage.seat("1002"), await stage.watch("3001")
        emptied, cut, talker = await asyncio.gather(
            stage.reaches("13900006001"), stage.reaches("13900006002"), stage.caller(LINA)
        )
        await seat.phone.rings()
        pop = await seat.agent.event("pop")
        await seat.phone.answer()
        await seat.agent.state("talking")
        nothing, second = await _instead(stage, "13900006001", 0.0), await _instead(stage, "13900006002", 1.0)
        vanished = await _instead(stage, LINA, None)
        assert vanished == pop["call_id"]
        await cut.hears("menu-main")
        for caller in (emptied, cut, talker):
            await caller.hang_up()

        told = await seat.agent.event("recording", lambda data: data["call_id"] == vanished)
        assert told["state"] == "missing"
        found = {}
        for call_id in (vanished, nothing, second):
            await stage.books.call(call_id=call_id)
            kept = await stage.books.recording(call_id, lambda kept: kept.state is not RecordingState.EXPECTED)
            found[call_id] = {"id": kept.public_id, "state": kept.state, "seconds": kept.seconds, "alarm": kept.alarm}
        assert {call_id: (each["state"], each["alarm"]) for call_id, each in found.items()} == {
            vanished: (RecordingState.MISSING, Alarm.NO_FILE),
            nothing: (RecordingState.EMPTY, Alarm.NO_SAMPLES),
            second: (RecordingState.SHORT, Alarm.SHORTER_THAN_CALL),
        }
        calls = {call["call_id"]: call for call in (await supervisor.get("/api/calls?mine=false"))["items"]}
        assert {call_id: calls[call_id]["recording"] for call_id in found} == found
        assert await _shown(seat.agent, vanished) == found[vanished]
        await seat.agent.send("POST", f"/api/recordings/{found[vanished]['id']}/link", status=404)


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """The folder on a disk of its own that holds 64 KiB: two seconds of a call."""
    if os.geteuid() != 0:
        missing("a disk that is full is made by mounting a small one: only root may")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "none", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.req("TL-50", "F12")
async def test_a_full_disk_cuts_a_recording_short_and_no_call(house: House) -> None:
    """Asterisk says nothing and leaves a file with a good header: its length beside the call's tells, as an alarm.

    The talk itself goes on to its end, and the call of which nothing is kept has its order.
    """
    async with working(house) as stage:
        seat, supervisor = await stage.seat("1002"), await stage.watch("3001")
        spool = house.settings.asterisk_run / "voice"
        with full_disk(spool):
            caller = await stage.caller(LINA)
            await seat.phone.rings()
            pop = await seat.agent.event("pop")
            await seat.phone.answer()
            await caller.says(sound.tone(500, 8.0))
            await seat.phone.hears(sound.tone(500, 1.0))
            await seat.phone.says(sound.tone(900, 1.0))
            await caller.hears(sound.tone(900, 1.0))
            assert shutil.disk_usage(spool).free < 4096, "the disk is full"
            await seat.phone.hang_up()
            await caller.ended()
            told = await seat.agent.event("recording", lambda data: data["call_id"] == pop["call_id"])
            kept = await stage.books.recording(pop["call_id"], lambda kept: kept.state is not RecordingState.EXPECTED)
        assert told["state"] == "short"
        assert (kept.state, kept.alarm) == (RecordingState.SHORT, Alarm.SHORTER_THAN_CALL)
        assert kept.seconds is not None
        assert 0 < kept.seconds < 5
        found = {"id": kept.public_id, "state": kept.state, "seconds": kept.seconds, "alarm": kept.alarm}
        assert await _shown(seat.agent, pop["call_id"]) == found
        calls = {call["call_id"]: call for call in (await supervisor.get("/api/calls?mine=false"))["items"]}
        assert calls[pop["call_id"]]["recording"] == found


async def _instead(stage: Stage, number: str, seconds: float | None) -> str:
    """Puts other files into the spool in the place of this caller's, or none; returns his call's id."""
    call = await stage.books.call(number=number, fits=lambda call: call.open and call.recording == "started")
    for name in spool_names(call.call_id)[:2]:
        file = stage.house.settings.asterisk_run / "voice" / name
        file.unlink()
        if seconds is not None:
            soundfile.write(file, sound.tone(500, seconds), RATE, subtype="PCM_16")
    return call.call_id


async def _shown(agent: Agent, call_id: str) -> dict[str, Any]:
    """The recording as the agent's list of calls and his order show it: the same."""
    (call,) = [call for call in (await agent.get("/api/calls"))["items"] if call["call_id"] == call_id]
    order = await agent.get(f"/api/orders/{call['order_id']}")
    (joined,) = [each for each in order["calls"] if each["call_id"] == call_id]
    assert joined["recording"] == call["recording"]
    found: dict[str, Any] = call["recording"]
    return found
