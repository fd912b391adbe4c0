"""Where stories of the whole product are told: seats with desk phones, callers on their way, and the books.

async with working(house) as stage:
    seat = await stage.seat("1002")
    caller = await stage.caller("13800138006")      # has pressed 1
    offer = await seat.phone.rings()
    ...

When the block ends every call is over and everybody is signed out, so that the next story finds the house empty.
When it fails, what the house knows is printed.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from cti import store
from cti.calls.model import CallRecord
from recordings import store as recordings
from recordings.model import Recording
from tests.system.callers import Caller, DeskPhone, Lines, NotRung
from tests.system.house import Agent, House
from ticketing.audit import audit
from ticketing.contacts import store as contacts
from ticketing.contacts.model import Contact
from ticketing.db import Database

DATA = Path(__file__).resolve().parents[2] / "ivr" / "data"

#: customers of the sample operator
PLAIN, LINA, WANGFANG, SHARED = "13800138006", "13800138002", "13800138001", "01082100033"


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder with a short name (Asterisk's control socket), for a house that several tests share."""
    with tempfile.TemporaryDirectory(prefix="hl-") as folder:
        yield Path(folder)


def menus(home: Path, *, short: bool = False) -> Path:
    """A copy of the shipped menus that a story may change; `short` takes the greetings and announcements out."""
    copy = home / "menus"
    shutil.copytree(DATA, copy)
    if short:
        for name, key, prompt in (("dnis.toml", "greeting", "please-hold"), ("routing.toml", "say", "beep")):
            file = copy / name
            text = file.read_text(encoding="utf-8")
            file.write_text(
                re.sub(rf'^{key} = ".*"', f'{key} = "{prompt}"', text, flags=re.MULTILINE), encoding="utf-8"
            )
    return copy


class Books:
    """What was written down: calls, their recordings, the customers' log, the audit trail."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def call(
        self,
        *,
        call_id: str = "",
        number: str = "",
        fits: Callable[[CallRecord], bool] = lambda record: not record.open,
        within_s: float = 30.0,
    ) -> CallRecord:
        """The call, or the newest call from this number, once it is so; closed unless said otherwise."""
        found: CallRecord | None = None
        try:
            async with asyncio.timeout(within_s):
                while True:
                    async with self.database.read() as conn:
                        if call_id:
                            found = await store.get(conn, call_id)
                        else:
                            found = next(iter(await store.recent(conn, ani=number, limit=1)), None)
                    if found is not None and fits(found):
                        return found
                    await asyncio.sleep(0.05)  # a database of another process has no event
        except TimeoutError:
            raise AssertionError(
                f"call {call_id or number} did not come so far within {within_s:g} s: {found}"
            ) from None

    async def since(self, start: datetime) -> list[CallRecord]:
        """Calls that entered since then, oldest first."""
        async with self.database.read() as conn:
            return await store.between(conn, start, datetime.now(UTC) + timedelta(minutes=1))

    async def day(
        self, start: datetime, count: int, *, open_ones: bool = False, within_s: float = 30.0
    ) -> list[CallRecord]:
        """Waits until so many calls since then are written and none is open; each was written once."""
        day: list[CallRecord] = []
        try:
            async with asyncio.timeout(within_s):
                while True:
                    day = await self.since(start)
                    if len(day) >= count and (open_ones or not any(call.open for call in day)):
                        break
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{len(day)} of {count} calls, open: {[call for call in day if call.open]}") from None
        assert len({call.call_id for call in day}) == len(day) == count
        return day

    async def misses(self, start: datetime) -> dict[str, int]:
        """Missed offers by agent since then."""
        async with self.database.read() as conn:
            return await store.misses(conn, start, datetime.now(UTC) + timedelta(minutes=1))

    async def recording(
        self, call_id: str, fits: Callable[[Recording], bool] = lambda found: True, *, within_s: float = 30.0
    ) -> Recording:
        """The call's recording once it is so."""
        found: Recording | None = None
        try:
            async with asyncio.timeout(within_s):
                while True:
                    async with self.database.read() as conn:
                        found = await recordings.by_call(conn, call_id)
                    if found is not None and fits(found):
                        return found
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"the recording of {call_id} did not come so far: {found}") from None

    async def log(self, number: str, call_id: str, *, within_s: float = 15.0) -> tuple[Contact, ...]:
        """A number's contacts, newest first, once this call is among them and ended (IN-13)."""
        log: tuple[Contact, ...] = ()
        try:
            async with asyncio.timeout(within_s):
                while True:
                    async with self.database.read() as conn:
                        log = await contacts.log(conn, None, number)
                    if any(line.external_id == call_id and line.ended_at for line in log):
                        return log
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{call_id} is not in the log of {number}: {log}") from None

    async def security(self, start: datetime) -> list[str]:
        """Reasons of the security events since then."""
        async with self.database.read() as conn:
            rows = await conn.execute(
                select(audit.c.subject_id).where(audit.c.verb == "security.event", audit.c.at >= start)
            )
            return [str(row.subject_id) for row in rows]


@dataclass(slots=True)
class Seat:
    """An agent at a page and at a desk phone."""

    agent: Agent
    phone: DeskPhone

    @property
    def number(self) -> str:
        """工号."""
        return self.agent.number

    async def free(self) -> None:
        """Ends the wrap-up of the call that was just hung up."""
        await self.agent.state("wrap_up")
        await self.agent.post("/api/agent/ready")
        await self.agent.state("ready")


@dataclass(slots=True)
class Stage:
    """A house with people in it."""

    house: House
    lines: Lines
    books: Books
    started: datetime
    seats: list[Seat] = field(default_factory=list)
    #: pages without a phone
    watchers: list[Agent] = field(default_factory=list)

    async def seat(self, number: str) -> Seat:
        """Signs an agent in at a desk phone that is registered."""
        phone = await self.lines.phone(number)
        seat = Seat(await self.house.sign_in(number), phone)
        self.seats.append(seat)
        return seat

    async def watch(self, number: str) -> Agent:
        """Somebody at his page without a phone."""
        agent = await self.house.person(number)
        self.watchers.append(agent)
        return agent

    async def reaches(
        self, number: str, dnis: str = "1860", greeting: str = "please-hold", language: str = "zh"
    ) -> Caller:
        """A caller who has come as far as the greeting."""
        caller = await self.lines.caller(number)
        await caller.dial(dnis)
        await caller.hears(greeting, within_s=20, language=language)
        return caller

    async def caller(self, number: str = PLAIN, key: str = "1") -> Caller:
        """A caller who has pressed a key in the main menu."""
        caller = await self.reaches(number)
        await caller.press(key)
        return caller


@asynccontextmanager
async def working(house: House) -> AsyncIterator[Stage]:
    """A story in this house."""
    async with AsyncExitStack() as stack:
        database = await Database.open(house.settings.database)
        stack.push_async_callback(database.close)
        stage: Stage | None = None
        try:
            async with Lines(house) as lines:
                stage = Stage(house, lines, Books(database), datetime.now(UTC))
                yield stage
        except BaseException:
            if stage is not None:
                with suppress(Exception):
                    print(await account(stage))
            raise
        finally:
            if stage is not None:
                await _goodnight(stage)


async def _goodnight(stage: Stage) -> None:
    """Everybody goes home."""
    for seat in stage.seats:
        agent = seat.agent
        if agent.http.closed:
            agent = await stage.house.person(seat.number)
            stage.watchers.append(agent)
        view = await agent.get("/api/agent")
        if view["state"] in {"ringing", "talking"}:
            await agent.event("agent", lambda data: data["state"] not in {"ringing", "talking"})
        if view["state"] != "logged_out":
            await agent.post("/api/handover", {})
            await agent.post("/api/agent/sign-out")
        await agent.close()
    for watcher in stage.watchers:
        await watcher.close()


async def account(stage: Stage) -> str:
    """What the house knows, for whoever must find out why a story failed."""
    lines = ["--- house ---"]
    for call in (await stage.books.since(stage.started))[-6:]:
        lines.append(
            f"{call.call_id} {call.ani}>{call.dnis} queue={call.queue} {call.reason} open={call.open} {call.outcome} "
            f"step={call.end_step} unseen={call.unseen} asked={call.asked_at} joined={call.joined_at} "
            f"answered={call.answered_at} by {call.answered_by} ended={call.ended_at} {call.clocks}"
        )
        lines += [f"   {offer.agent} {offer.at:%T.%f} {offer.result} {offer.ring_ms}" for offer in call.offers]
    for seat in stage.seats:
        told = [
            f"{kind}:{data.get('state', data.get('why', data.get('code', '')))}" for _, kind, data in seat.agent.events
        ]
        lines.append(f"{seat.number}: {' '.join(told)}")
    lines.append(str(await stage.watchers[0].get("/api/health")) if stage.watchers else "")
    lines.append(await stage.house.cli("queue show"))
    lines.append(await stage.house.cli("core show channels concise"))
    return "\n".join(lines)


async def first_to_ring(seats: Sequence[Seat], *, within_s: float = 30.0) -> Seat:
    """Whose phone rings first."""
    ringing = {asyncio.create_task(seat.phone.rings(within_s=within_s)): seat for seat in seats}
    done, waiting = await asyncio.wait(ringing, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    found = next((task for task in done if task.exception() is None), None)
    if found is None:
        raise NotRung(f"none of {[seat.number for seat in seats]} rang within {within_s:g} s")
    return ringing[found]


async def draft_of(seat: Seat, call_id: str) -> dict[str, Any]:
    """The draft of the call this agent has just answered."""
    told = await seat.agent.event("draft", lambda data: data["call_id"] == call_id)
    found: dict[str, Any] = await seat.agent.get(f"/api/orders/{told['order_id']}")
    return found
