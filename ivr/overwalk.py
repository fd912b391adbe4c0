"""Walks one call through the overflow dialogue, inside the steps `entry` and `overflow`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ivr import overflow, talk
from ivr.agi import CallerHungUp
from ivr.choice import State
from ivr.player import Player, boxed
from ivr.ports import Booked, BusyFloor, CallbackBook, Disk, MessageSink
from ivr.spool import Message, Spool
from ivr.takes import Takes


@dataclass(frozen=True, slots=True)
class OverflowPorts:
    """What the overflow dialogue asks."""

    messages: MessageSink
    callbacks: CallbackBook
    floor: BusyFloor
    disk: Disk
    spool: Spool
    #: Aware UTC now.
    clock: Callable[[], datetime]


class OverflowWalk:
    """One caller's way through the dialogue."""

    def __init__(
        self, player: Player, ports: OverflowPorts, state: State, *, joined_at: datetime | None = None
    ) -> None:
        """`joined_at`: when he first joined the queue that he has left."""
        self._joined = joined_at
        self._player = player
        self._ports = ports
        self._state = state
        self._came_at = ports.clock()
        player.takes = Takes(player.line, ports.spool, ports.messages, state.terms, ports.clock)
        self._takes = player.takes

    async def run(self) -> talk.Finish | talk.Resume:
        """Until the caller goes on. Raises `CallerHungUp`, when what he had said is kept."""
        given: talk.Input | None = talk.Started()
        try:
            while given is not None:
                self._state, commands = overflow.step(self._state, given)
                given = None
                for command in commands:
                    if isinstance(command, talk.Finish | talk.Resume):
                        await self._takes.give_up()
                        return command
                    given = await self._perform(command)
        except CallerHungUp:
            self._player.log.info("ivr.hung_up", node="overflow", phase=self._state.phase.value)
            await self._takes.hung_up()
            raise
        finally:
            self._takes.let_go()
        raise LookupError(f"the dialogue stopped in {self._state.phase}")

    async def finish(self, outcome: talk.Finish) -> None:
        """Tell the dialplan; whoever goes on waiting joins the queue at his place, looked up as late as possible.

        Who was asked nothing comes to the end of the queue like everybody.
        """
        if outcome.action != "queue" or (self._state.origin == "arrival" and not self._state.asks):
            await self._player.finish(outcome)
            return
        since = outcome.since or self._joined_at()
        await self._player.finish(outcome, self._place(outcome, since), since)

    def _place(self, outcome: talk.Finish, since: datetime) -> int | None:
        """By when he came, or since when the booking has waited that he takes over; None = it cannot be told."""
        floor = self._ports.floor
        try:
            stepped_out = self._state.origin == "queue" and outcome.since is None
            known = floor.place(outcome.queue, self._player.call_id) if stepped_out else None
            return known or floor.place_since(outcome.queue, since, outcome.priority)
        except Exception as error:
            self._player.log.warning("ivr.look_up_failed", port="place", error=type(error).__name__)
            return None

    async def _perform(self, command: talk.Command) -> talk.Input | None:
        match command:
            case talk.Ask():
                return await self._player.ask(command)
            case talk.LookAtFloor(queue):
                return self._look(queue)
            case talk.Record() | talk.Keep():
                return await self._message(command)
            case talk.FindCallback() | talk.CheckNumber() | talk.ListWindows():
                return await self._find(command)
            case talk.Book() | talk.CancelCallback() | talk.TakeOver():
                return await self._change(command)
            case _:
                await self._player.perform(command)
        return None

    async def _message(self, command: talk.Record | talk.Keep) -> talk.Input:
        if isinstance(command, talk.Record):
            return await self._takes.record(self._about(), command.limit_s, command.silence_s)
        return await self._takes.keep(command.how, lambda offer: self._player.port(offer, "take"))

    async def _find(self, command: talk.FindCallback | talk.CheckNumber | talk.ListWindows) -> talk.Input:
        callbacks = self._ports.callbacks
        match command:
            case talk.CheckNumber(number):
                return talk.Callback(None) if callbacks.may_dial(number) else talk.Wrong()
            case talk.FindCallback(number, patient):
                if not callbacks.may_dial(number):
                    return talk.Wrong()
                found = await self._player.port(boxed(callbacks.open_for(number)), "open_for", patient=patient)
                return talk.Failed() if found is None else talk.Callback(found[0])
            case talk.ListWindows(queue):
                windows = await self._player.port(callbacks.windows(queue, self._ports.clock()), "windows")
                return talk.Failed() if windows is None else talk.Windows(tuple(windows))

    async def _change(self, command: talk.Book | talk.CancelCallback | talk.TakeOver) -> talk.Input:
        callbacks, call_id = self._ports.callbacks, self._player.call_id
        match command:
            case talk.Book():
                booked = await self._player.port(self._booking(command), "book")
                return talk.Failed() if booked is None else talk.BookedAt(booked)
            case talk.CancelCallback(callback_id):
                did = await self._player.port(callbacks.cancel(callback_id), "cancel")
            case talk.TakeOver(callback_id):
                did = await self._player.port(callbacks.take_over(callback_id, call_id), "take_over")
        return talk.Failed() if did is None else talk.Did(did)

    async def _booking(self, command: talk.Book) -> Booked:
        return await self._ports.callbacks.book(
            self._player.call_id,
            number=command.number,
            queue=self._state.queue,
            window=command.window,
            lang=self._state.lang,
            priority=self._state.priority,
            joined_at=self._joined_at(),
        )

    def _joined_at(self) -> datetime:
        """Since when he has waited: the booking keeps the place he had."""
        return self._joined or self._came_at

    def _look(self, queue: str) -> talk.Floor:
        """The floor from memory; one that cannot tell is busy for whoever left a queue, and free for who arrives."""
        try:
            floor, may_record = self._ports.floor, self._ports.disk.may_record()
            all_busy = floor.all_busy(queue)
            place = floor.place_since(queue, self._joined_at(), self._state.priority)
            return talk.Floor(all_busy, place, floor.expected_wait_s(queue, place), may_record)
        except Exception as error:
            self._player.log.warning("ivr.look_up_failed", port="floor", error=type(error).__name__)
            return talk.Floor(self._state.origin != "arrival", None, None, may_record=True)

    def _about(self) -> Message:
        player = self._player
        return Message(player.call_id, "", player.ani, player.dnis, player.lang, self._state.queue, self._ports.clock())
