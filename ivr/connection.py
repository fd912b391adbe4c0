"""One FastAGI connection: commands one at a time, each with its deadline and the dead-man's timer armed for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Final

from ivr import agi
from ivr.agi import HEADER_LIMIT, CallerHungUp, Command, Hangup, Header, HeaderReader, Reply, ReplyError, ReplyReader

#: Seconds the dead-man's timer leaves us after a command that takes time (F07).
TIMER_MARGIN_S: Final = 2.0
#: Seconds after a command's own length when its answer is overdue and the session is dropped (P25).
REPLY_GRACE_S: Final = 4.0
#: Every key a phone has.
ALL_KEYS: Final = "0123456789*#"

_CHUNK: Final = 4096


class AgiConnection:
    """What a step talks to. Every method raises `CallerHungUp` once the caller or Asterisk is gone.

    Nothing is sent ahead: Asterisk stops a sound when the next command arrives and never answers the first.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, header: Header) -> None:
        self.header = header
        self._reader = reader
        self._writer = writer
        self._replies = ReplyReader()
        self._waiting: deque[Reply | Hangup] = deque()
        self._gone = False
        self._deadline = _Deadline(lambda: reader.set_exception(TimeoutError()))

    async def command(self, command: Command) -> Reply:
        """Send one command and take its answer; raises `ReplyError` for one that is late or none at all."""
        if self._gone:
            raise CallerHungUp
        if self._waiting:
            self._drop_or_raise(self._waiting.popleft())
        try:
            self._writer.write(command.line)
            self._deadline.set(command.seconds + REPLY_GRACE_S)
            reply = await self._next()
        except TimeoutError as error:
            self._gone = True
            raise ReplyError("reply_overdue") from error
        except ConnectionError as error:
            self._gone = True
            raise CallerHungUp from error
        finally:
            self._deadline.clear()
        if reply.hung_up:
            self._gone = True
            raise CallerHungUp
        if reply.code != 200:
            raise ReplyError(f"code_{reply.code}")
        return reply

    async def _next(self) -> Reply:
        while not self._waiting:
            data = await self._reader.read(_CHUNK)
            if not data:
                self._gone = True
                raise CallerHungUp
            self._waiting.extend(self._replies.feed(data))
        item = self._waiting.popleft()
        if isinstance(item, Hangup):
            self._gone = True
            raise CallerHungUp
        return item

    def _drop_or_raise(self, item: Reply | Hangup) -> None:
        """Something came that nobody asked for: `HANGUP`, or an answer that would shift all that follow."""
        self._gone = True
        if isinstance(item, Hangup):
            raise CallerHungUp
        raise ReplyError("answer_without_command")

    async def variable(self, name: str) -> str:
        """The value of a channel variable; empty when it is not set."""
        reply = await self.command(agi.get_variable(name))
        return reply.data or "" if reply.result == "1" else ""

    async def set(self, name: str, value: str) -> None:
        await self.command(agi.set_variable(name, value))

    async def arm(self, seconds: float) -> None:
        """Arm the dead-man's timer: without another word from us the dialplan takes over after so many seconds."""
        await self.command(agi.arm_timer(seconds))

    async def timed(self, command: Command) -> Reply:
        """A command that takes time, with the timer armed for its own length and the margin."""
        await self.arm(command.seconds + TIMER_MARGIN_S)
        return await self.command(command)

    async def stream(self, sound: str, seconds: float, escape_keys: str = "") -> str:
        """Play a sound; the key that broke in, or empty."""
        reply = await self.timed(agi.stream_file(sound, escape_keys, seconds=seconds))
        return chr(int(reply.result)) if reply.result in _KEY_CODES else ""

    async def play_take(self, path: str, seconds: float, escape_keys: str) -> str:
        """Play a recorded message; the key that broke in, or empty."""
        reply = await self.timed(agi.stream_take(path, escape_keys, seconds=seconds))
        return chr(int(reply.result)) if reply.result in _KEY_CODES else ""

    async def record(self, path: str, limit_s: float, silence_s: int) -> Reply:
        """Record the caller to a WAV file; raises `CallerHungUp` also when the file cannot be written."""
        return await self.timed(agi.record_file(path, limit_s=limit_s, silence_s=silence_s))

    async def closed(self, within_s: float) -> None:
        """Wait until Asterisk has let go of the connection, and so of the file it was writing; at most so long."""
        self._gone = True
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(within_s):
                while await self._reader.read(_CHUNK):
                    pass

    def close(self) -> None:
        """The session is over."""
        self._deadline.cancel()

    async def finish(self, step: str) -> None:
        """The last words of a step: timer off, then the variable that tells the dialplan all went well."""
        await self.arm(0)
        await self.set("CTI_DONE", step)


class _Deadline:
    """One timer for all commands of a session: it is moved on when it fires, not with each command."""

    def __init__(self, passed: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._passed = passed
        self._at: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> None:
        """From now on so many seconds."""
        self._at = self._loop.time() + seconds
        if self._timer is not None and self._timer.when() > self._at:
            self.cancel()
        if self._timer is None:
            self._timer = self._loop.call_at(self._at, self._fired)

    def clear(self) -> None:
        """Nothing is waited for."""
        self._at = None

    def cancel(self) -> None:
        """It will not fire."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fired(self) -> None:
        self._timer = None
        if self._at is None:
            return
        if self._loop.time() < self._at:
            self._timer = self._loop.call_at(self._at, self._fired)
        else:
            self._passed()


_KEY_CODES: Final = frozenset(str(ord(key)) for key in ALL_KEYS)


async def read_header(reader: asyncio.StreamReader, limit: int = HEADER_LIMIT) -> Header | None:
    """The header Asterisk sends first; None when the peer goes away before it is complete. Raises `HeaderError`."""
    collector = HeaderReader(limit)
    while data := await reader.read(_CHUNK):
        header = collector.feed(data)
        if header is not None:
            return header
    return None
