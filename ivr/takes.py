"""What one caller records: each take, the one that is kept, and what he had said when he hung up (TL-07, TL-21, N1)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import structlog

from ivr import talk
from ivr.connection import AgiConnection
from ivr.model import Terms
from ivr.ports import HowRecorded, MessageSink, SortedOut
from ivr.reserve import Reserve
from ivr.sound import Sound, judge, measure
from ivr.spool import Message, Spool, file_name

log = structlog.get_logger(__name__)

#: Seconds Asterisk may take to close a file after a hang-up.
CLOSE_S: Final = 2.0
#: Seconds the sink may take for the message of somebody who has hung up; nobody waits for it.
SINK_S: Final = 10.0
#: Messages of one call; the names of those above are the rescue script's.
MOST: Final = 90
#: A recording shorter than the limit by less than this ran into it, seconds.
_LIMIT_SLACK_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Take:
    message: Message
    sound: Sound


class Takes:
    """The recordings of one call."""

    def __init__(
        self, line: AgiConnection, spool: Spool, sink: MessageSink, terms: Terms, clock: Callable[[], datetime]
    ) -> None:
        self._line = line
        self._spool = spool
        self._reserve = Reserve(spool.folder)
        self._sink = sink
        self._terms = terms
        self._clock = clock
        self._takes: list[Take] = []
        self._begun: Message | None = None
        self._held: set[str] = set()
        self._count = 0
        self._done = False
        #: Kept, and not yet taken in.
        self._waiting: Message | None = None
        #: The folder as Asterisk names it.
        self._folder = ""

    async def record(self, about: Message, limit_s: float, silence_s: int) -> talk.Recorded | talk.Failed:
        """One take. The sidecar is on the disk before the caller speaks. Raises `CallerHungUp`."""
        await self._numbered()
        if self._count > MOST:
            log.error("ivr.too_many_messages", call_id=about.call_id)
            return talk.Failed()
        self._begun = replace(about, file=file_name(about.call_id, self._count), at=self._clock())
        self._held.add(self._begun.file)
        self._spool.in_hand.add(self._begun.file)
        try:
            await asyncio.to_thread(self._spool.begin, self._begun)
        except OSError as error:
            log.error("ivr.spool_failed", call_id=about.call_id, error=type(error).__name__)
            return talk.Failed()
        reply = await self._line.record(self.path(self._begun), limit_s, silence_s)
        sound = await self._measured()
        if sound is None:
            return talk.Failed()
        at_limit = reply.data == "timeout" and sound.seconds >= limit_s - _LIMIT_SLACK_S
        return talk.Recorded(sound.seconds, sound.speech_s, at_limit)

    async def _numbered(self) -> None:
        """Each message of a call has a number of its own, also when he comes back to this dialogue."""
        if not self._folder:
            self._folder = await self._line.variable("CTI_SPOOL")
            begun = await self._line.variable("CTI_MESSAGES")
            self._count = int(begun) if begun.isdecimal() and len(begun) < 4 else 0
        self._count += 1
        await self._line.set("CTI_MESSAGES", str(self._count))

    async def _measured(self) -> Sound | None:
        """What was said; None when the disk does not give it back: what was begun is settled later."""
        assert self._begun is not None, "a take was begun"
        try:
            sound = await asyncio.to_thread(measure, self._spool.folder / self._begun.file)
        except OSError as error:
            log.error("ivr.spool_failed", call_id=self._begun.call_id, error=type(error).__name__)
            self._begun = None
            return None
        self._takes.append(Take(replace(self._begun, seconds=round(sound.seconds, 2)), sound))
        self._begun = None
        return sound

    @property
    def last(self) -> Take:
        """The take the caller listens to."""
        return self._takes[-1]

    def path(self, message: Message) -> str:
        """The file as Asterisk wants it: its own folder, no ending."""
        return f"{self._folder}/{message.file.removesuffix('.wav')}"

    async def keep(
        self, how: HowRecorded, within: Callable[[Coroutine[Any, Any, str]], Awaitable[str | None]]
    ) -> talk.Kept | talk.Failed:
        """Keep the last take: on the disk first, then offered to the sink as long as a caller can wait.

        The number is taken before, from those set aside, so that he is told the same one whether the sink answers,
        fails, or commits and is heard of too late (F09). When none is left, only the sink's answer tells one.
        """
        number = await asyncio.to_thread(self._reserve.take)
        message = replace(self.last.message, how=how, at=self._clock(), serial=number)
        try:
            await asyncio.to_thread(self._spool.keep, message)
        except OSError as error:
            log.error("ivr.spool_failed", call_id=message.call_id, error=type(error).__name__)
            return talk.Failed()
        self._done, self._waiting = True, message
        await asyncio.to_thread(self._drop_others, message)
        told = await within(self._offer(message))
        self._waiting = None
        return talk.Kept(told or number)

    async def _offer(self, message: Message) -> str:
        assert message.how != "rescue", "the dialplan's, not ours"
        number = await self._sink.take(
            message.call_id,
            ani=message.ani,
            dnis=message.dnis,
            lang=message.lang,
            queue=message.queue,
            file=message.file,
            seconds=message.seconds,
            how=message.how,
            sorted_out=message.sorted_out,
            serial=message.serial,
        )
        await asyncio.to_thread(self._spool.taken, message)
        return number

    async def give_up(self) -> None:
        """The caller has gone on to something else: the best of what he recorded waits in the spool, as what it is.

        He is told nothing of it and need not wait for it (TL-21): it is taken in from there.
        """
        if self._done or not self._takes:
            return
        message = self._best("given_up")
        try:
            if message is not None:
                await asyncio.to_thread(self._spool.keep, message)
                self._done = True
        except OSError as error:  # what was begun for it is still there: settled later
            log.error("ivr.spool_failed", call_id=self.last.message.call_id, error=type(error).__name__)
        await asyncio.to_thread(self._drop_others, message)

    async def hung_up(self) -> None:
        """The caller is gone: what he had said last is kept, if he had said anything (TL-07, F14)."""
        if self._begun is not None:
            await self._line.closed(CLOSE_S)
            await self._measured()
        message = self._waiting if self._done else self._best("hung_up")
        if message is None:
            if not self._done:
                await asyncio.to_thread(self._drop_others, None)
            return
        try:
            await asyncio.to_thread(self._spool.keep, message)
            await asyncio.to_thread(self._drop_others, message)
            async with asyncio.timeout(SINK_S):
                await self._offer(message)
        except Exception as error:  # the sidecar keeps it: taken in later
            log.warning("ivr.message_waits", call_id=message.call_id, error=type(error).__name__)

    def let_go(self) -> None:
        """The dialogue is over, however it ended: what it left on the disk may be settled."""
        self._spool.in_hand -= self._held

    def _best(self, how: HowRecorded) -> Message | None:
        """The last good take, else the last with any sound file at all, as what it is; else None."""
        spoken = [take for take in self._takes if take.sound.seconds > 0]
        if not spoken:
            return None
        chosen = ([take for take in spoken if self._judged(take.sound) is None] or spoken)[-1]
        return replace(chosen.message, how=how, at=self._clock(), sorted_out=self._judged(chosen.sound))

    def _judged(self, sound: Sound) -> SortedOut | None:
        return judge(sound, shortest_s=self._terms.shortest_s, speech_s=self._terms.speech_s)

    def _drop_others(self, kept: Message | None) -> None:
        for take in self._takes:
            if kept is None or take.message.file != kept.file:
                self._spool.drop(take.message)
