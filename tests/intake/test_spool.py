"""Messages that waited in the spool: taken in once, in their order, whatever is killed and whatever lies there."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.orders.desk import Desk
from ticketing.changes import Change
from ticketing.errors import Invalid, Unavailable
from ticketing.intake import store
from ticketing.intake.model import ItemFilter, NewMessage
from ticketing.intake.spool import import_spool, parse

CALL = "20260310013000-00000112345"


class Shelf:
    """A spool, and what the importer handed over."""

    def __init__(self, folder: Path, now: datetime) -> None:
        self.folder, self.now = folder, now
        self.taken: list[tuple[str, str]] = []
        self.fails_at = 0

    def put(self, number: int, after_s: float = 0, **changes: Any) -> Path:
        stem = f"{CALL}{number}-msg-1"
        said = {
            "version": 1, "kind": "message", "sorted_out": None, "call_id": f"{CALL}{number}",
            "ani": "13800138000", "dnis": "1860", "lang": "zh", "queue": "complaint",
            "file": f"{stem}.wav", "seconds": 8.5, "how": "rescue",
            "at": (self.now + timedelta(seconds=after_s)).isoformat(),
        }  # fmt: skip
        path = self.folder / f"{stem}.json"
        path.write_text(json.dumps(said | changes), encoding="utf-8")
        return path

    async def take(self, message: NewMessage, change: Change) -> None:
        if self.fails_at and len(self.taken) + 1 == self.fails_at:
            self.fails_at = 0
            raise KeyboardInterrupt
        self.taken.append((message.file, change.kind))


@pytest.fixture
async def desk(database: Any, now: datetime) -> Desk:
    return await Desk.open(database, now)


@pytest.fixture
def shelf(tmp_path: Path, now: datetime) -> Shelf:
    folder = tmp_path / "spool"
    folder.mkdir()
    return Shelf(folder, now - timedelta(hours=1))


@pytest.mark.req("TL-24", "F09")
async def test_what_waited_is_taken_in_once_in_the_order_of_speaking(desk: Desk, shelf: Shelf) -> None:
    for number, after_s in ((1, 30), (2, 10), (3, 20)):
        shelf.put(number, after_s)
    changes = await import_spool(desk.database, shelf.folder, desk.now, shelf.take)
    assert [file for file, _ in shelf.taken] == [f"{CALL}{number}-msg-1.wav" for number in (2, 3, 1)]
    assert [change.kind for change in changes] == ["item.taken"] * 3
    assert list(shelf.folder.iterdir()) == []
    assert await import_spool(desk.database, shelf.folder, desk.now, shelf.take) == []
    async with desk.database.read() as conn:
        page = await store.search(conn, desk["6001"], ItemFilter(), desk.now)
    assert [item.received_at for item in page.items] == [shelf.now + timedelta(seconds=s) for s in (10, 20, 30)]


@pytest.mark.req("TL-24")
@pytest.mark.parametrize("dies_at", [1, 2, 3])
async def test_killed_between_two_steps_it_goes_on(desk: Desk, shelf: Shelf, dies_at: int) -> None:
    for number in (1, 2, 3):
        shelf.put(number, number)
    shelf.fails_at = dies_at
    with pytest.raises(KeyboardInterrupt):
        await import_spool(desk.database, shelf.folder, desk.now, shelf.take)
    await import_spool(desk.database, shelf.folder, desk.now, shelf.take)
    assert [file for file, _ in shelf.taken] == [f"{CALL}{number}-msg-1.wav" for number in (1, 2, 3)]
    async with desk.database.read() as conn:
        assert len((await store.search(conn, desk["6001"], ItemFilter(), desk.now)).items) == 3


async def test_what_cannot_be_read_is_set_aside_and_the_others_come_in(desk: Desk, shelf: Shelf) -> None:
    shelf.put(1)
    for name, text in (
        ("newer", json.dumps({"version": 2, "call_id": "c", "file": f"{CALL}9.wav", "at": 1773106200})),
        ("half", '{"call_id": "x", "fi'), ("list", "[]"), ("large", " " * 20_000), ("empty", ""), ("number", "7"),
        ("path", json.dumps({"call_id": "c", "file": "../../x.wav", "at": "2026-03-10T00:00:00Z"})),
        ("when", json.dumps({"call_id": "c", "file": f"{CALL}9.wav", "at": "yesterday"})),
    ):  # fmt: skip
        (shelf.folder / f"{name}-msg-1.json").write_text(text)
    (shelf.folder / "binary-msg-1.json").write_bytes(b"\xff\xfe\x00")
    (shelf.folder / "deep-msg-1.json").write_text("[" * 10_000)
    (shelf.folder / "link-msg-1.json").symlink_to("/etc/passwd")
    changes = await import_spool(desk.database, shelf.folder, desk.now, shelf.take)
    assert len(changes) == 1
    left = sorted(path.name for path in shelf.folder.iterdir() if not path.is_symlink())
    assert left == sorted(
        f"{name}-msg-1.json.unreadable"
        for name in ("binary", "deep", "empty", "half", "large", "list", "newer", "number", "path", "when")
    )


async def test_without_a_database_everything_waits(desk: Desk, shelf: Shelf) -> None:
    path = shelf.put(1)

    class Gone:
        def write(self) -> Any:
            raise Unavailable("database_down")

    with pytest.raises(Unavailable):
        await import_spool(Gone(), shelf.folder, desk.now, shelf.take)  # type: ignore[arg-type]
    assert path.exists()
    assert await import_spool(desk.database, shelf.folder / "none", desk.now, shelf.take) == []


@pytest.mark.req("F09")
async def test_one_whose_sound_cannot_be_taken_over_waits_and_holds_nobody_back(desk: Desk, shelf: Shelf) -> None:
    paths = [shelf.put(number, number) for number in (1, 2)]
    refused = [True]

    async def take(message: NewMessage, change: Change) -> None:
        if message.file.startswith(f"{CALL}1") and refused.pop():
            raise OSError("no space left")
        await shelf.take(message, change)

    await import_spool(desk.database, shelf.folder, desk.now, take)
    assert [path.exists() for path in paths] == [True, False]
    refused.append(False)
    changes = await import_spool(desk.database, shelf.folder, desk.now, take)
    assert [change.kind for change in changes] == ["item.known"]
    assert [path.exists() for path in paths] == [False, False]


def test_a_sidecar_with_little_in_it_is_enough() -> None:
    least = {"call_id": f"{CALL}1", "file": f"{CALL}1-msg-2.wav", "at": 1773106200}
    message = parse(json.dumps(least))
    assert (message.how, message.seconds, message.lang, message.ani) == ("rescue", None, "zh", "")
    assert message.at.isoformat() == "2026-03-10T01:30:00+00:00"
    full = parse(json.dumps({**least, "serial": "123456782", "sorted_out": "tone", "ani": 10086}))
    assert (full.serial, full.sorted_out, full.ani) == ("123456782", "tone", "10086")
    for wrong in ({**least, "at": -1}, {**least, "at": "2026-03-10T01:30:00"}, {**least, "call_id": ""}, {}):
        with pytest.raises(Invalid):
            parse(json.dumps(wrong))
