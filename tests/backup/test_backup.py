"""A backup beside people who work, and the installation made again from it, on SQLite and PostgreSQL (F27)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from sqlalchemy import func, select

from cti import migrations, store
from cti.asterisk.secrets import write_private
from cti.backup import make, model, restore
from cti.backup.make import Release
from cti.settings import Settings
from cti.verify.check import check, installation
from tests.postgresql import Cluster
from tests.verify.place import KEY, MANY, Town, found_town
from ticketing import serials
from ticketing.audit import audit, record
from ticketing.db import Database
from ticketing.errors import HotlineError, NotSignedIn
from ticketing.orders.tables import customer_order
from ticketing.papers.files import FileStore, Stored
from ticketing.roles import SYSTEM
from ticketing.serials import serial_draw
from ticketing.staff import sessions
from ticketing.staff.tables import staff

RELEASE: Final = Release("0.1.0", migrations.head() or "")
SECOND: Final = timedelta(seconds=1)
#: files are the same whatever the database
FILES: Final = pytest.mark.parametrize("database_kind", ["sqlite"])


@dataclass
class Old:
    """The installation that is backed up."""

    town: Town
    settings: Settings
    letter: Stored
    #: of somebody who is signed in
    token: str


@pytest.fixture
async def old(empty_url: str, tmp_path: Path, now: datetime) -> AsyncIterator[Old]:
    """Some days of calls in their usual places."""
    home = tmp_path / "old"
    home.mkdir()
    settings = Settings.model_validate({"home": home, "database_url": empty_url, "spool": home / "spool"})
    await migrations.upgrade(empty_url)
    database = await Database.open(empty_url)
    try:
        town = await found_town(database, home, now)
        log = home / "asterisk" / "log"
        (log / "cel-custom").mkdir(parents=True)
        town.queue_log.rename(log / "queue_log")
        town.channel_log.rename(log / "cel-custom" / "hotline.csv")
        (home / "secrets").mkdir(mode=0o700)
        write_private(home / "secrets" / "audit_key", KEY.hex() + "\n")
        async with database.write() as conn:
            await store.set_offsets(conn, {"queue_log": ((log / "queue_log").stat().st_ino, 7)}, now)
            person = await conn.scalar(select(staff.c.id).limit(1))
            token, _ = await sessions.create(conn, int(person or 0), "127.0.0.1", now)
        yield Old(town, settings, await FileStore(settings.papers_root).put(b"a letter"), token)
    finally:
        await database.close()


@pytest.fixture
def new(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Where nothing is yet."""
    home = tmp_path / "new"
    if database_kind == "sqlite":
        yield Settings.model_validate({"home": home})
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    with cluster.fresh(template=None) as url:
        yield Settings.model_validate({"home": home, "database_url": url})


def silent(what: str, count: int) -> None:
    """Nobody watches."""


async def kept(old: Old, into: Path, at: datetime) -> Path:
    return await asyncio.to_thread(make.make, old.settings, into, RELEASE, at, silent)


async def refused(work: Callable[[], object]) -> HotlineError:
    with pytest.raises(HotlineError) as caught:
        await asyncio.to_thread(work)
    return caught.value


@pytest.mark.req("F27", "CL-02")
async def test_what_was_acknowledged_is_there_again_and_proven(
    old: Old, new: Settings, tmp_path: Path, now: datetime
) -> None:
    """Orders, voices, papers, the log with its anchors: `verify` finds nothing wrong, journals are read on."""
    backup = await kept(old, tmp_path / "kept", now)
    manifest = await restore.restore(new, backup, now, silent)
    assert len(manifest.of("recordings")) == len(list(old.town.voices.rglob("*.wav"))) * 2, "sound and waveform"
    assert {name for name in ("anchors", "secrets", "queue-log", "channel-log") if len(manifest.of(name)) == 1} == {
        "anchors", "secrets", "queue-log", "channel-log",
    }  # fmt: skip
    async with installation(new, lambda: now) as place:
        assert place.audit_key == KEY
        assert [one async for one in check(place)] == []
        orders = select(customer_order).order_by(customer_order.c.id)
        async with old.town.database.read() as was, place.database.read() as conn:
            assert (await conn.execute(orders)).all() == (await was.execute(orders)).all()
            read_to = (await store.offsets(conn))["queue_log"]
            told = (await conn.execute(select(audit.c.verb).order_by(audit.c.id.desc()).limit(1))).scalar_one()
            with pytest.raises(NotSignedIn):
                await sessions.look_up(conn, old.token, now)
        async with place.database.write() as conn:
            after, number = await conn.scalar(select(func.max(serial_draw.c.id))), await serials.next_serial(conn)
            assert await conn.scalar(select(func.max(serial_draw.c.id))) == (after or 0) + 1
        assert serials.valid(number)
    assert read_to == ((new.asterisk_run / "log" / "queue_log").stat().st_ino, 7)
    assert told == "installation.restored"
    async with old.town.database.read() as conn:
        drawn = await conn.scalar(select(func.max(serial_draw.c.id)))
    assert after == (drawn or 0) + restore.PASSED_OVER, "what was told after the backup is given to nobody else"
    letter = old.letter
    assert await FileStore(new.papers_root).wrong([(letter.key, letter.sha256, letter.size)]) == []
    assert [oct(path.stat().st_mode)[-3:] for path in (new.home, new.secrets_dir / "audit_key")] == ["700", "600"]
    assert not (new.home / restore.MARK).exists()


@pytest.mark.req("F27", "N1", "N4")
async def test_one_moment_while_others_write(old: Old, new: Settings, tmp_path: Path, now: datetime) -> None:
    """Everything committed before is in it, and what is in it is whole: each number drawn with its audit row."""
    database, done = old.town.database, 0
    stop, begun = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        nonlocal done
        while not stop.is_set():
            async with database.write() as conn:
                number = await serials.next_serial(conn, "test")
                await record(conn, SYSTEM, "test.drawn", "test", number, {}, now)
            done += 1
            if done == 20:
                begun.set()

    writer = asyncio.create_task(work())
    await begun.wait()
    before = done
    backup = await kept(old, tmp_path / "kept", now)
    meanwhile = done
    stop.set()
    await writer
    await restore.restore(new, backup, now, silent)
    async with installation(new, lambda: now) as place, place.database.read() as conn:
        drawn = await conn.scalar(select(func.count()).where(serial_draw.c.purpose == "test"))
        rows = await conn.scalar(select(func.count()).where(audit.c.verb == "test.drawn"))
    assert drawn == rows
    assert before <= (drawn or 0) <= meanwhile


@FILES
@pytest.mark.req("F27", "N1")
async def test_a_message_that_moves_while_it_is_copied_is_once_in_it(old: Old, tmp_path: Path, now: datetime) -> None:
    """Open ones with what was said so far, kept ones whole, none that tells of a sound that is not there."""
    spool, name = old.town.spool, "20260310000000-00000000009{}-msg-1"

    def lay(number: int, ending: str, said: bytes = b"x" * 900) -> None:
        (spool / f"{name.format(number)}.{ending}").write_bytes(said)

    for number, endings in ((1, ("wav", "json")), (2, ("wav", "open")), (3, ("json",)), (4, ("open",)), (5, ("wav",))):
        for ending in endings:
            lay(number, ending)
    (spool / "numbers.reserve").write_text("123456782\n")
    finished = False

    def speaks_to_the_end(what: str, count: int) -> None:
        nonlocal finished
        if what == "spool" and not finished:
            finished = True
            lay(2, "wav", b"y" * 1800)
            (spool / f"{name.format(2)}.open").rename(spool / f"{name.format(2)}.json")

    into = tmp_path / "kept"
    backup = await asyncio.to_thread(make.make, old.settings, into, RELEASE, now, speaks_to_the_end)
    in_it = {path.name.removeprefix("20260310000000-00000000009") for path in (backup / "spool").glob("2026031*")}
    assert in_it == {"1-msg-1.wav", "1-msg-1.json", "2-msg-1.wav", "2-msg-1.json", "5-msg-1.wav"}
    assert (backup / "spool" / f"{name.format(2)}.wav").read_bytes() == b"y" * 1800
    assert not (backup / "spool" / "numbers.reserve").exists(), "only who drew them may give them out"
    assert {key for key in model.read(backup).of("spool") if key.startswith("2026031")} == {
        path.name for path in (backup / "spool").glob("2026031*")
    }


@FILES
@pytest.mark.req("F27")
async def test_the_next_one_costs_only_what_is_new(old: Old, tmp_path: Path, now: datetime) -> None:
    """Voice files are linked; a damaged copy is not handed on; old ones go when wanted, unfinished ones always."""
    into = tmp_path / "kept"
    first = await kept(old, into, now)
    voices = sorted((first / "recordings").rglob("*.wav"))
    voices[0].write_bytes(b"cut")
    (into / ("hotline-20260101T000000Z" + model.UNFINISHED)).mkdir()
    second = await kept(old, into, now + SECOND)
    again = [second / path.relative_to(first) for path in voices]
    assert [path.stat().st_nlink for path in again] == [1, *[2] * (len(again) - 1)]
    assert restore.check(second, silent).files
    assert model.complete(into) == [first, second]
    assert sorted(into.iterdir()) == [first, second]
    assert restore.newest(into) == second
    assert restore.newest(first) == first
    assert make.keep_only(into, 1) == [first]
    assert restore.check(second, silent).files, "what was linked stays"


SPOILT: Final[list[tuple[Callable[[Path], object], str]]] = [
    (lambda b: (b / model.MANIFEST).unlink(), "no_backup"),
    (lambda b: (b / model.MANIFEST).write_text("{"), "bad_backup"),
    (lambda b: (b / model.MANIFEST).write_text("[]"), "bad_backup"),
    (lambda b: edit(b, lambda said: said.update(version=2)), "other_backup"),
    (lambda b: edit(b, lambda said: said.update(database="oracle")), "bad_backup"),
    (lambda b: edit(b, lambda said: said["files"][0].update(path="../../etc/passwd")), "bad_backup"),
    (lambda b: edit(b, lambda said: said["files"][0].update(path="/etc/passwd")), "bad_backup"),
    (lambda b: edit(b, lambda said: said["files"][0].update(sha256="")), "bad_backup"),
    (lambda b: edit(b, lambda said: said["files"][0].update(size="1")), "bad_backup"),
    (lambda b: edit(b, lambda said: said["files"].clear()), "bad_backup"),
    (lambda b: next((b / "recordings").rglob("*.wav")).unlink(), "damaged_backup"),
    (lambda b: next((b / "recordings").rglob("*.wav")).write_bytes(b"1"), "damaged_backup"),
    (lambda b: flip(b / "secrets" / "audit_key"), "damaged_backup"),
]


@FILES
@pytest.mark.req("F27", "S18")
async def test_what_is_not_what_was_copied_is_refused_before_anything_is_written(
    old: Old, new: Settings, tmp_path: Path, now: datetime
) -> None:
    backup = await kept(old, tmp_path / "kept", now)
    for number, (spoil, code) in enumerate(SPOILT):
        spoilt = tmp_path / f"spoilt{number}"
        shutil.copytree(backup, spoilt)
        await asyncio.to_thread(spoil, spoilt)
        with pytest.raises(HotlineError) as caught:
            await restore.restore(new, spoilt, now, silent)
        assert caught.value.code == code, number
        assert str(spoilt) in caught.value.message
        assert not new.home.exists()


def edit(backup: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes the list."""
    said = json.loads((backup / model.MANIFEST).read_text())
    change(said)
    (backup / model.MANIFEST).write_text(json.dumps(said))


def flip(path: Path) -> None:
    """One bit."""
    data = bytearray(path.read_bytes())
    data[3] ^= 1
    path.write_bytes(data)


@pytest.mark.req("F27")
async def test_nothing_that_is_there_is_overwritten(old: Old, new: Settings, tmp_path: Path, now: datetime) -> None:
    """An installation, a database with tables, one of another kind; an unfinished restore is begun anew."""
    backup = await kept(old, tmp_path / "kept", now)

    async def code(settings: Settings) -> str:
        with pytest.raises(HotlineError) as caught:
            await restore.restore(settings, backup, now, silent)
        return caught.value.code

    assert await code(old.settings) == "not_empty"
    other = "postgresql://nobody@/x?host=/nowhere" if old.town.database.dialect == "sqlite" else ""
    assert await code(new.model_copy(update={"database_url": other})) == "other_database"
    stray = new.recordings_root / "2026" / "a.wav"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"")
    assert await code(new) == "not_empty"
    (new.home / restore.MARK).touch()  # whoever restored was killed
    if not new.database_url:
        (new.home / "hotline.db").write_bytes(b"half")
    await restore.restore(new, backup, now, silent)
    async with installation(new, lambda: now) as place:
        assert [one.says async for one in check(place)] == []
    assert await code(new) == "not_empty"


@FILES
@pytest.mark.req("F27")
async def test_without_room_nothing_is_left_and_what_is_missing_is_said(
    old: Old, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    into = tmp_path / "kept"
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1024 * 1024))
    error = await refused(lambda: make.make(old.settings, into, RELEASE, now, silent))
    assert error.code == "no_room"
    assert "1 MiB are free" in error.message
    monkeypatch.undo()
    with contextlib.suppress(StopIteration):
        assert not next(into.iterdir())
    into.mkdir(exist_ok=True)
    target = into / now.strftime(model.NAME)
    target.mkdir()
    assert (await refused(lambda: make.make(old.settings, into, RELEASE, now, silent))).code == "backup_exists"
    secret = old.settings.secrets_dir / "audit_key"
    secret.rename(secret.with_name("was"))
    os.symlink("/etc/hostname", secret)
    backup = await kept(old, into, now + SECOND)
    assert set(model.read(backup).of("secrets")) == {"was"}, "links are followed nowhere"


@pytest.mark.req("F27")
async def test_a_database_that_does_not_answer_is_said(old: Old, tmp_path: Path, now: datetime) -> None:
    wrong = "sqlite:////nowhere/hotline.db" if old.town.database.dialect == "sqlite" else "postgresql://x@/y?host=/no"
    settings = old.settings.model_copy(update={"database_url": wrong})
    error = await refused(lambda: make.make(settings, tmp_path / "kept", RELEASE, now, silent))
    assert error.code == "no_database"
    assert list((tmp_path / "kept").iterdir()) == []
    assert len(list(old.town.voices.rglob("*.wav"))) >= MANY
