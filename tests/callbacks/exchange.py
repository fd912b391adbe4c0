"""An exchange that counts INVITEs, and a dialler that may be killed between any two of its steps."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select

from ticketing.callbacks import actions, dialling, reading, recovery, rules
from ticketing.callbacks.model import Claim, Dial, Fact, Mode, NewBooking, Outcome, Verb
from ticketing.callbacks.policy import Policy
from ticketing.callbacks.tables import callback, callback_attempt
from ticketing.changes import Change
from ticketing.db import Database
from ticketing.errors import HotlineError
from ticketing.roles import SYSTEM


class Killed(Exception):
    """The process ends here."""


@dataclass
class Exchange:
    """Knows channels by the id we gave them; a second live one of the same id is refused (P33)."""

    invites: Counter[str] = field(default_factory=Counter)
    live: dict[str, Dial] = field(default_factory=dict)
    #: how channels ended, as its journal has it
    ended: dict[str, Outcome] = field(default_factory=dict)

    def originate(self, dial: Dial) -> bool:
        """Dials; False when refused."""
        if dial.channel_id in self.live:
            return False
        self.invites[dial.channel_id] += 1
        self.live[dial.channel_id] = dial
        return True

    def end(self, channel_id: str, outcome: Outcome, *, journal: bool) -> None:
        """The channel is gone; its journal may be lost with it."""
        self.live.pop(channel_id, None)
        if journal:
            self.ended[channel_id] = outcome


@dataclass
class Centre:
    """One database, one exchange, one clock, and diallers that come and go."""

    database: Database
    policy: Policy
    now: datetime
    exchange: Exchange = field(default_factory=Exchange)
    diallers: int = 0

    async def book(self, given: NewBooking) -> Change:
        async with self.database.write() as conn:
            return await actions.book(conn, SYSTEM, given, self.policy, self.now)

    async def dial_next(self, dies_at: int = 99, queue: str = "complaint") -> Dial | None:
        """One turn of a dialler: claim, reserve, commit, originate. Killed after so many steps, it raises Killed."""
        holder, step = f"d{self.diallers}", 0

        def tick() -> None:
            nonlocal step
            step += 1
            if step > dies_at:
                raise Killed

        tick()
        claim = await self._claim(holder, queue)
        tick()
        if claim is None:
            return None
        try:
            async with self.database.write() as conn:
                if self.policy.mode is Mode.AGENT_FIRST:
                    await dialling.reserve(conn, claim, "1001", self.now)
            tick()
            async with self.database.write() as conn:
                dial = await dialling.dial(conn, claim, self.policy, self.now)
                tick()  # killed before the commit: the row rolls back
        except HotlineError as refusal:
            await self._give_back(claim, refusal.code)
            return None
        tick()  # killed between the commit and the request
        await self._was_committed(dial)
        if not self.exchange.originate(dial):
            await self.tell(dial.channel_id, Verb.MISS, Outcome.REFUSED)
        tick()
        return dial

    async def _claim(self, holder: str, queue: str) -> Claim | None:
        async with self.database.write() as conn:
            line = await reading.line(conn, queue, self.now)
            busy = await reading.in_flight(conn, queue)
            chosen = rules.to_dial([each.place for each in line], [], free_agents=busy + 1, in_flight=busy)
            if not chosen:
                return None
            first = next(each for each in line if each.place == chosen[0])
            return await dialling.claim(conn, first.callback_id, holder, self.policy, self.now)

    async def _give_back(self, claim: Claim, reason: str) -> None:
        try:
            async with self.database.write() as conn:
                await dialling.release(conn, claim, reason, self.now)
        except HotlineError:
            return  # somebody else answers for it, or it is over

    async def _was_committed(self, dial: Dial) -> None:
        """The attempt stands in the database, in state dialling, before the exchange hears of it (F19)."""
        async with self.database.read() as conn:
            row = (
                await conn.execute(
                    select(callback.c.state, callback_attempt.c.state.label("attempt"), callback_attempt.c.n)
                    .join(callback_attempt, callback_attempt.c.callback_id == callback.c.id)
                    .where(callback_attempt.c.channel_id == dial.channel_id)
                )
            ).one()
        assert (row.state, row.attempt, row.n) == ("dialling", "dialling", dial.n)

    async def tell(
        self, channel_id: str, what: Verb, outcome: Outcome | None = None, agent: str | None = None
    ) -> list[Change]:
        async with self.database.write() as conn:
            return await dialling.hear(conn, Fact(channel_id, what, self.now, agent, outcome), self.policy, self.now)

    async def recover(self, *, journal: bool = True, link: bool = True) -> list[Change]:
        """A look after a restart or a reconnect."""
        async with self.database.write() as conn:
            return await recovery.recover(
                conn,
                f"d{self.diallers}",
                set(self.exchange.live) if link else None,
                self.policy,
                self.now,
                ended=self.exchange.ended if journal else None,
            )

    def restart(self) -> None:
        """Another process, with another name."""
        self.diallers += 1

    def pass_time(self, **length: float) -> None:
        self.now += timedelta(**length)
