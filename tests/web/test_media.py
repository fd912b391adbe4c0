"""Playing a recording: ranges, links bound to a person, each playback logged, no descriptor left open (TL-51)."""

import asyncio
import os
import struct
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from cti.web.deps import WebDeps
from cti.web.media import OutOfRange, Part, parse_range
from recordings import store
from recordings.naming import spool_names
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from ticketing.audit import query_log
from ticketing.orders import actions
from ticketing.orders.inputs import DraftFromCall
from ticketing.roles import SYSTEM

CALL, OTHER = "20260310T013000-1a2b3c4d", "20260310T013100-5e6f7a8b"


def wav(seconds: float) -> bytes:
    """A 440 Hz square wave at 8 kHz."""
    count = round(seconds * 8000)
    frames = b"".join(struct.pack("<h", 8000 if n // 9 % 2 else -8000) for n in range(count))
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(frames), b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16, b"data", len(frames))  # fmt: skip  # noqa: E501
    return head + frames


@pytest.fixture
async def recording(deps: WebDeps, tmp_path: Path, now: datetime) -> str:
    """A ready recording of a call that 1001 answered; its public id."""
    caller, agent, done = spool_names(CALL)
    for name in (caller, agent):
        (tmp_path / "spool" / name).write_bytes(wav(3))
    (tmp_path / "spool" / done).touch()
    async with deps.database.write() as conn:
        await actions.draft_at_answer(conn, SYSTEM, DraftFromCall(CALL, "1001", "13800138000", "1860", now), now)
    change = await deps.library.register(CALL, expected_seconds=3.0, now=now)
    assert change is not None
    assert change.payload["state"] == "ready"
    return str(change.payload["id"])


async def link_of(browser: Browser, recording: str) -> str:
    """A fresh link."""
    answer = await browser.post(f"/api/recordings/{recording}/link")
    assert answer.status == 200, await answer.text()
    return str((await answer.json())["url"])


@pytest.mark.req("TL-51")
async def test_playback_with_seek(agent: Browser, recording: str) -> None:
    shown = await (await agent.get(f"/api/recordings/{recording}")).json()
    assert (shown["state"], shown["call_id"], round(shown["seconds"])) == ("ready", CALL, 3)
    drawn = await (await agent.get(shown["peaks_url"])).json()
    assert [channel["name"] for channel in drawn["channels"]] == ["agent", "caller"]
    assert max(drawn["channels"][0]["peaks"]) > 0.1
    url = await link_of(agent, recording)
    whole = await agent.get(url)
    sound = await whole.read()
    assert (whole.status, whole.content_type, whole.headers["Accept-Ranges"]) == (200, "audio/wav", "bytes")
    assert sound[:4] == b"RIFF"
    size = len(sound)
    for header, first, last in (("bytes=0-99", 0, 99), ("bytes=1000-", 1000, size - 1), ("bytes=-50", size - 50, size - 1), ("bytes=10-999999999", 10, size - 1)):  # fmt: skip  # noqa: E501
        part = await agent.get(url, headers={"Range": header})
        assert (part.status, part.headers["Content-Range"]) == (206, f"bytes {first}-{last}/{size}")
        assert await part.read() == sound[first : last + 1]
    beyond = await agent.get(url, headers={"Range": f"bytes={size}-"})
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    etag = whole.headers["ETag"]
    assert (await agent.get(url, headers={"Range": "bytes=0-9", "If-Range": etag})).status == 206
    assert (await agent.get(url, headers={"Range": "bytes=0-9", "If-Range": '"other"'})).status == 200
    assert (await agent.get(url, headers={"Range": "bytes=0-1,5-6"})).status == 200


@pytest.mark.req("TL-51")
async def test_a_link_is_for_one_person_and_five_minutes(
    agent: Browser, open_browser: MakeBrowser, recording: str, clock: Clock
) -> None:
    url = await link_of(agent, recording)
    senior = await open_browser("2001")
    assert (await senior.get(url)).status == 403
    assert (await (await open_browser()).get(url)).status == 401
    assert (await agent.get(url[:-2])).status == 403
    assert (await agent.get("/media/x.y")).status == 403
    assert (await agent.get("/media/..%2f..%2fetc%2fpasswd")).status in {403, 404}
    clock.advance(minutes=5, seconds=1)
    late = await agent.get(url)
    assert (late.status, (await late.json())["code"]) == (403, "link_expired")


async def test_another_agent_gets_no_link(open_browser: MakeBrowser, agent: Browser, recording: str) -> None:
    department = await open_browser("5001")
    assert (await department.post("/api/recordings/none-such/link")).status == 404
    assert (await agent.get("/api/recordings/none-such/peaks")).status == 404


async def test_a_missing_file_is_a_state_and_no_link(agent: Browser, deps: WebDeps, now: datetime) -> None:
    async with deps.database.write() as conn:
        await actions.draft_at_answer(conn, SYSTEM, DraftFromCall(OTHER, "1001", "13800138000", "1860", now), now)
    await deps.library.register(OTHER, expected_seconds=3.0, now=now, patience_s=0)
    for minutes in (1, 5, 20):
        await deps.library.rescan(now + timedelta(minutes=minutes))
    async with deps.database.read() as conn:
        found = await store.by_call(conn, OTHER)
    assert found is not None
    shown = await (await agent.get(f"/api/recordings/{found.public_id}")).json()
    assert (shown["state"], shown["alarm"]) == ("missing", "no_file")
    assert (await agent.post(f"/api/recordings/{found.public_id}/link")).status == 404


@pytest.mark.req("AU-01")
async def test_every_playback_is_logged_before_a_byte_is_given(agent: Browser, deps: WebDeps, recording: str) -> None:
    url = await link_of(agent, recording)
    for header in (None, "bytes=0-9", "bytes=20-"):
        await (await agent.get(url, headers={"Range": header} if header else {})).read()
    async with deps.database.read() as conn:
        rows = (await conn.execute(select(query_log).where(query_log.c.verb == "recording.played"))).all()
    assert [row.payload["range"] for row in rows] == [None, "bytes=0-9", "bytes=20-"]


async def test_a_download_that_is_cut_leaves_no_file_open(
    agent: Browser, deps: WebDeps, recording: str, tmp_path: Path
) -> None:
    stored = next(path for path in (tmp_path / "media").rglob("*.wav"))
    with stored.open("ab") as file:
        file.truncate(64 * 1024 * 1024)
    for _ in range(5):
        answer = await agent.get(await link_of(agent, recording))
        await answer.content.read(1000)
        answer.close()

    def still_open() -> int:
        names = [
            os.readlink(f"/proc/self/fd/{fd}")
            for fd in os.listdir("/proc/self/fd")
            if os.path.exists(f"/proc/self/fd/{fd}")
        ]
        return sum(name == str(stored) for name in names)

    async with asyncio.timeout(10):
        while still_open():  # noqa: ASYNC110 - the kernel rings no bell
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("", None),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("items=0-5", None),
        ("bytes=0-0", Part(0, 0)),
        ("bytes=-500", Part(0, 99)),
        (" bytes=99- ", Part(99, 99)),
        ("bytes=１-２", None),
    ],
)
def test_ranges_as_the_standard_reads_them(header: str | None, part: Part | None) -> None:
    assert parse_range(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=-0", "bytes=100-200"])
def test_ranges_outside_the_file(header: str) -> None:
    with pytest.raises(OutOfRange):
        parse_range(header, 100)


@given(st.text(max_size=40), st.integers(0, 1000))
def test_any_range_is_within_the_file(text: str, size: int) -> None:
    try:
        part = parse_range(f"bytes={text}", size)
    except OutOfRange:
        return
    assert part is None or 0 <= part.start <= part.end < size
