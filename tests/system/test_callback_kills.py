"""The service killed at every step of a callback: dialled at most once an attempt, and none forgotten (F19, N3).

One exchange goes on while the service dies again and again, at another step each time. Agents and customers do what
they do, whoever is dead: each booking's number says how its story goes. The service is alive until it has done as many
things as its doom says, so a life may end in the middle of several callbacks, or of putting right what an earlier death
left. Forty steps in five parts, agent first and customer first; `make test` runs one part. HOTLINE_TEST_LONG=1 runs all
of them three times, with five customers at a time and other stories around each step: 240 deaths.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from baresip import BaresipError
from sqlalchemy import select

from cti.asterisk.provision import Installation
from tests.absent import LONG
from tests.dialer.booking import book, policy, policy_file
from tests.dialer.far_end import FarEnd, Invite
from tests.proof.ledger import EXAMPLES
from tests.system.callers import DeskPhone, Lines
from tests.system.conftest import free_ports
from tests.system.house import ServiceHouse, environment
from ticketing.callbacks import actions, reading, store
from ticketing.callbacks.model import HELD, Again, Callback, CallbackFilter, Mode
from ticketing.callbacks.tables import callback, callback_attempt
from ticketing.db import Database
from ticketing.errors import HotlineError
from ticketing.roles import SYSTEM

pytestmark = pytest.mark.system

_LONG: Final = os.environ.get(LONG) == "1"
#: customers who are booked whenever the others' stories are over
_AT_ONCE: Final = 5 if _LONG else 2
#: which time, which fifth of the steps, who is called first
_PLANS: Final = (
    [(turn, part, mode) for turn in range(3) for part in range(5) for mode in Mode]
    if _LONG
    else [(0, 2, Mode.AGENT_FIRST)]
)

#: how a story goes, by the last digit of the number
_STORIES: Final = {
    "0": "answered",
    "1": "busy",
    "2": "rings out",
    "3": "agent rejects",
    "4": "agent lets it ring",
    "5": "calls himself",
    "6": "busy, then answered",
    "7": "customer hangs up",
}
_OVER: Final = frozenset({"connected", "cancelled", "failed", "unknown"})


class DoomedHouse(ServiceHouse):
    """Its service dies at the step it is told; the exchange does not."""

    #: things the next service's dialler does before it dies; 0 = it lives
    doom = 0

    async def start(self) -> str | None:
        """As the service itself, by the module that counts."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.dialer.service", "up"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **environment(self.settings), "COLUMNS": "200", "TERM": "dumb", "DOOM": str(self.doom)},
        )
        assert self._process.stdout is not None
        self.printed = ""
        async with asyncio.timeout(90):
            while "Ctrl-C stops" not in self.printed:
                line = await self._process.stdout.readline()
                if not line:  # it may die while it puts right what is left
                    await self._process.wait()
                    assert self.doom, f"the service ended: {self.printed}"
                    return None
                self.printed += line.decode()
        found = re.search(r"Set-up token [^:]*: (\S+)", self.printed)
        return found[1] if found else None

    @property
    def dead(self) -> bool:
        """Whether the process has ended."""
        return self.process.returncode is not None


@dataclass
class Crowd:
    """Everybody outside the service, each doing what the number says."""

    house: DoomedHouse
    database: Database
    far_end: FarEnd
    phones: list[DeskPhone]
    mode: Mode = Mode.AGENT_FIRST
    serials: Any = field(default_factory=lambda: count(1))
    #: public ids of the bookings by number
    bookings: dict[str, str] = field(default_factory=dict)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    rung: Counter[str] = field(default_factory=Counter)

    async def new(self, story: str) -> None:
        """One more customer."""
        number = f"1390{next(self.serials):06}{story}"
        self.bookings[number] = await book(self.database, number, mode=self.mode)

    def begin(self) -> None:
        """Agents and customers take part from now on."""
        self.tasks += [asyncio.create_task(self._agent(phone)) for phone in self.phones]
        self.tasks.append(asyncio.create_task(self._customers()))

    async def _agent(self, phone: DeskPhone) -> None:
        while True:
            with suppress(AssertionError, BaresipError):
                leg = await phone.rings(within_s=600)
                found = re.search(r"1390\d{7}", leg.call.peer)
                story = found[0][-1] if found else "0"
                if story == "3":
                    await phone.reject()
                elif story == "5" and found is not None:
                    await self._takes_over(found[0])
                elif story != "4":
                    await phone.answer()
                    if self.mode is Mode.CUSTOMER_FIRST:  # it was the customer who waited: the agent ends the talk
                        await asyncio.sleep(2.0)
                        await phone.hang_up()
                await leg.ended(within_s=60)

    async def _takes_over(self, number: str) -> None:
        with suppress(HotlineError):
            async with self.database.write() as conn:
                await actions.again(conn, SYSTEM, self.bookings[number], Again.TAKE_OVER, datetime.now(UTC))

    async def _customers(self) -> None:
        while True:
            with suppress(TimeoutError):
                invite = await self.far_end.rings(within_s=600)
                self.rung[invite.called] += 1
                await self._customer(invite)

    async def _customer(self, invite: Invite) -> None:
        story = invite.called[-1]
        if story == "1" or (story == "6" and self.rung[invite.called] == 1):
            self.far_end.decline(invite, "486 Busy Here")
        elif story == "2":
            self.far_end.decline(invite, "480 Temporarily Unavailable")
        else:
            self.far_end.answer(invite)
            self.tasks.append(asyncio.create_task(self._talk(invite)))

    async def _talk(self, invite: Invite) -> None:
        """Two seconds are a talk: long enough for a death in it, and for news of it to be lost."""
        if self.mode is Mode.CUSTOMER_FIRST and not invite.called.endswith("7"):
            await self._waits(invite)
        else:
            await asyncio.sleep(0.1 if invite.called.endswith("7") else 2.0)
        if not invite.over.is_set():
            self.far_end.hang_up(invite)

    async def _waits(self, invite: Invite) -> None:
        """Called first, he says by key that he is there, and waits for an agent: not for ever when none takes him."""
        with suppress(TimeoutError):
            async with asyncio.timeout(10.0 if invite.called[-1] in "34" else 40.0):
                for _ in range(3):
                    invite.press("1")
                    with suppress(TimeoutError):
                        await asyncio.wait_for(invite.over.wait(), 1.5)
                await invite.over.wait()

    async def retry(self) -> None:
        """A person asks for the second attempt now, instead of waiting for the spacing."""
        for number, booking in self.bookings.items():
            if number.endswith("6"):
                with suppress(HotlineError):
                    async with self.database.write() as conn:
                        held = await store.hold(conn, booking)
                        if held.row["attempts"] == 1 and held.state.value == "pending":
                            values = {"next_at": datetime.now(UTC)}
                            await conn.execute(callback.update().where(callback.c.id == held.id).values(values))

    async def rows(self) -> dict[str, Callback]:
        """Every booking as it is."""
        async with self.database.read() as conn:
            now = datetime.now(UTC)
            return {
                number: await reading.get(conn, booking, policy(), now) for number, booking in self.bookings.items()
            }

    async def settled(self) -> bool:
        """Whether nothing more will happen by itself within half a minute."""
        soon = datetime.now(UTC) + timedelta(seconds=20)
        rows = (await self.rows()).values()
        return all(row.state in _OVER or (row.state == "pending" and row.next_at > soon) for row in rows)


@asynccontextmanager
async def crowd(folder: Path, far_end: FarEnd, mode: Mode) -> AsyncIterator[Crowd]:
    """A house with two agents at their phones."""
    dials: dict[str, Any] = {"outbound": True, "callbacks": True, "trunk_out": far_end.trunk, "wrap_up_seconds": 0.6}
    dials |= {"callback_policy": policy_file(folder), "misses_before_pause": 1000}
    dials |= {"callback_mode": mode.value.replace("_", "-")}
    async with DoomedHouse(folder / "h", **dials) as house, Lines(house) as lines:
        phones = [await lines.phone(number) for number in ("1001", "1002")]
        for number in ("1001", "1002"):
            await house.sign_in(number)
        database = await Database.open(house.settings.database)
        made = Crowd(house, database, far_end, phones, mode)
        try:
            made.begin()
            yield made
        finally:
            for task in made.tasks:
                task.cancel()
            await asyncio.gather(*made.tasks, return_exceptions=True)
            await database.close()


async def until(fits: Callable[[], Any], *, within_s: float) -> bool:
    """Whether it came so far in time; a process and its database have no event."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while True:
                if await fits():
                    return True
                await asyncio.sleep(0.1)
    return False


@pytest.mark.req("TL-23", "F19", "N3")
@pytest.mark.parametrize("plan", _PLANS, ids=lambda plan: "-".join(map(str, plan)))
async def test_a_killed_service_dials_an_attempt_once_and_forgets_none(
    short_tmp: Path,
    asterisk_installation: Installation,
    plan: tuple[int, int, Mode],
    record_property: Callable[[str, object], None],
) -> None:
    """Eight deaths, each at another step; afterwards a service that lives puts everything right."""
    turn, part, mode = plan
    async with FarEnd(free_ports(1)[0], "waits") as far_end, crowd(short_tmp, far_end, mode) as people:
        house = people.house
        await house.kill()
        first = part + turn * 3
        stories = [list(_STORIES)[(first + at) % len(_STORIES)] for at in range(len(_STORIES))]
        for at, doom in enumerate(range(part + 1, 41, 5)):
            house.doom = doom
            await house.start()

            async def died(life: int = at) -> bool:
                if house.dead:
                    return True
                if await people.settled():  # nothing left that it could die of
                    for more in range(_AT_ONCE - 1):
                        await people.new(stories[(life + more) % len(stories)])
                    await people.new("0")
                await people.retry()
                return False

            assert await until(died, within_s=60), f"step {doom} was never reached"
        house.doom = 0
        await house.start()
        people.tasks.append(asyncio.create_task(_retries(people)))
        assert await until(people.settled, within_s=90 * _AT_ONCE / 2), await people.rows()
        await check(people)
        record_property(EXAMPLES, 8)
        record_property("callbacks", len(people.bookings))
        record_property("INVITEs", len(people.far_end.calls))


async def _retries(people: Crowd) -> None:
    while True:
        await people.retry()
        await asyncio.sleep(1.0)


async def check(people: Crowd) -> None:
    """What N3 says, by the far end's own count."""
    rows = await people.rows()
    invites = Counter(invite.called for invite in people.far_end.calls.values())
    rang = [(invite.called, invite.at) for invite in people.far_end.calls.values()]
    assert set(invites) <= set(rows)
    async with people.database.read() as conn:
        tries = (
            await conn.execute(
                select(callback.c.number, callback_attempt)
                .join(callback, callback.c.id == callback_attempt.c.callback_id)
                .order_by(callback_attempt.c.n)
            )
        ).all()
        open_ones = await reading.search(conn, SYSTEM, CallbackFilter(), policy(), datetime.now(UTC), limit=200)
    for number, row in rows.items():
        mine = [each for each in tries if each.number == f"+86{number}"]
        assert [each.n for each in mine] == list(range(1, row.attempts + 1)), row
        begun = [each.started_at for each in mine]
        for first, then in zip(begun, [*begun[1:], datetime.max.replace(tzinfo=UTC)], strict=True):
            assert sum(number == called and first <= at < then for called, at in rang) <= 1, row
        assert invites[number] <= row.attempts, (invites[number], row)
        reached = [each for each in mine if each.outcome in {"connected", "busy", "no_answer", "unreachable"}]
        assert invites[number] >= len(reached), (invites[number], row)
        assert row.state not in {state.value for state in HELD}, row
        if row.state == "connected":
            assert (row.order_id is not None, mine[-1].outcome) == (True, "connected"), row
        elif row.ended_at is None:
            assert row.id in {each.id for each in open_ones.items}, row
            assert row.owner == "callbacks", row
    assert invites.total() >= 1
