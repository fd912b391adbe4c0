"""Recorded messages taken in by the service: numbers set aside, what the importer hears, what counts as left."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from cti.calls.events import CallEvent, RecordingMarked
from cti.overflow import RESERVE_LEAST, RESERVE_MOST, Messages
from ivr.ports import SortedOut
from ivr.reserve import Reserve
from ivr.spool import Message, Spool
from recordings.library import Library
from tests.ivr.overflow_fakes import write_wav
from tests.orders.desk import Desk
from ticketing import serials
from ticketing.audit import QueryLog
from ticketing.changes import Change
from ticketing.db import Database
from ticketing.intake import store
from ticketing.intake.model import Item, ItemFilter

CALL = "20260310013000-000001000001"


class House:
    """The service's end of recorded messages, and what it told."""

    def __init__(self, database: Database, folder: Path, desk: Desk) -> None:
        self.folder = folder
        self.spool = Spool(folder)
        self.desk = desk
        self.events: list[CallEvent] = []
        folder.mkdir()
        self.messages = Messages(
            database,
            Library(database, folder, folder.parent / "media", b"k" * 32, QueryLog(database)),
            announce=self._announce,
            put_event=self.events.append,
            clock=lambda: desk.now,
            area_code="010",
        )

    async def _announce(self, _changes: object) -> None:
        assert isinstance(_changes, list)
        assert all(isinstance(change, Change) for change in _changes)

    def left(self, number: int, *, steady: bool, how: str = "rescue", serial: str | None = None) -> None:
        """A message that waits in the spool."""
        file = f"{CALL}-msg-{number}.wav"
        write_wav(self.folder / file, 4.0, 5000, steady=steady)
        message = Message(CALL, file, "13800138000", "1860", "zh", "complaint", self.desk.now, 4.0, serial=serial)
        self.spool.keep(message)
        if how == "rescue":
            sidecar = (self.folder / file).with_suffix(".json")
            sidecar.write_text(sidecar.read_text().replace('"hung_up"', '"rescue"'))

    async def items(self) -> list[Item]:
        async with self.desk.database.read() as conn:
            wanted = ItemFilter(state=("new", "sorted_out"))
            return list((await store.search(conn, self.desk["6001"], wanted, self.desk.now)).items)


@pytest.fixture
async def house(database: Database, now: datetime, tmp_path: Path) -> House:
    return House(database, tmp_path / "spool", await Desk.open(database, now))


@pytest.mark.req("TL-24", "F09")
async def test_the_reserve_is_filled_up_when_it_runs_low(house: House) -> None:
    reserve = Reserve(house.folder)
    await house.messages.fill_reserve(house.folder)
    assert reserve.left() == RESERVE_MOST
    taken = [reserve.take() for _ in range(RESERVE_MOST - RESERVE_LEAST)]
    await house.messages.fill_reserve(house.folder)
    assert reserve.left() == RESERVE_LEAST, "not each second anew"
    taken.append(reserve.take())
    await house.messages.fill_reserve(house.folder)
    assert reserve.left() == RESERVE_MOST
    taken += [reserve.take() for _ in range(RESERVE_MOST)]
    async with house.desk.database.write() as conn:
        taken.append(await serials.next_serial(conn))
    assert len(set(taken)) == len(taken)
    assert all(number is not None and serials.valid(number) for number in taken)


@pytest.mark.req("TL-24", "PX-03")
async def test_the_item_has_the_number_its_caller_was_told(house: House) -> None:
    await house.messages.fill_reserve(house.folder)
    told = Reserve(house.folder).take()
    house.left(91, steady=False, serial=told)
    await house.messages.import_spool(house.spool)
    await house.messages.import_spool(house.spool)
    (item,) = await house.items()
    assert (item.serial, item.state, item.how) == (told, "new", "rescue")


@pytest.mark.req("TL-21")
@pytest.mark.parametrize("how", ["rescue", "hung_up"])
async def test_a_fax_that_got_as_far_as_the_rescue_is_put_aside(house: House, how: str) -> None:
    house.left(91, steady=True, how=how)
    house.left(92, steady=False, how=how)
    await house.messages.import_spool(house.spool)
    items = {item.key[-2:]: (item.state, item.sorted_out) for item in await house.items()}
    assert items == {"91": ("sorted_out", "tone"), "92": ("new", None)}


@pytest.mark.req("TL-12", "TL-21")
@pytest.mark.parametrize(("why", "counts"), [(None, True), ("silence", False), ("tone", False)])
async def test_who_hung_up_has_left_a_recording_only_if_he_said_something(
    house: House, why: SortedOut | None, *, counts: bool
) -> None:
    file = f"{CALL}-msg-1.wav"
    write_wav(house.folder / file, 4.0, 5000)
    await house.messages.take(
        CALL,
        ani="13800138000",
        dnis="1860",
        lang="zh",
        queue="complaint",
        file=file,
        seconds=4.0,
        how="hung_up",
        sorted_out=why,
        serial=None,
    )
    assert [type(event) for event in house.events] == ([RecordingMarked] if counts else [])
