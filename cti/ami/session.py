"""One AMI connection on panoramisk: its login, ActionID matching and answers, its measured defects shut out.

panoramisk's own reading, encoding, pinging, re-sending and reconnecting are replaced; `link` opens a new session
for every connection, so nothing that was asked on an old one can be sent again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from datetime import datetime
from time import monotonic
from typing import Any, Final

import structlog
from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager
from panoramisk.message import Message

from cti.ami.commands import Answer, Command, encode, ping
from cti.ami.frames import Frame, Splitter
from cti.ami.guard import Why, check_answer
from ticketing.errors import Refused, Unavailable

log = structlog.get_logger(__name__)

_IDS_KEPT: Final = 10_000


class LinkDown(Unavailable):
    """There is no connection to Asterisk."""

    default_code = "link_down"


class NoAnswer(Unavailable):
    """Asterisk did not answer in time; whether it acted is not known."""

    default_code = "no_answer"


class ActionRefused(Refused):
    """Asterisk refused the action."""

    default_code = "action_refused"


class ActionIds:
    """Makes ids that nobody can guess, 128 random bits, and knows the latest ones again.

    Share one between the links of a process: OriginateResponse goes to every account that may read `call`.
    """

    def __init__(self) -> None:
        self._order: deque[str] = deque()
        self._known: set[str] = set()

    def new(self) -> str:
        """A fresh id."""
        made = secrets.token_hex(16)
        self._order.append(made)
        self._known.add(made)
        if len(self._order) > _IDS_KEPT:
            self._known.discard(self._order.popleft())
        return made

    def __contains__(self, action_id: object) -> bool:
        return action_id in self._known


class Reply(Message):  # type: ignore[misc]  # panoramisk has no types
    """A frame as panoramisk's parsed message."""

    def __init__(self, frame: Frame) -> None:
        super().__init__({key: frame.get(key) for key in frame.form.keys})
        self.frame = frame


class Asked(Action):  # type: ignore[misc]  # panoramisk has no types
    """A command on its way: panoramisk's action with our encoder, our id and our idea of when the answer is whole."""

    def __init__(self, command: Command, action_id: str) -> None:
        super().__init__({"Action": command.name, "ActionID": action_id})
        self.command = command

    def __str__(self) -> str:
        return encode(self.command, str(self.id))

    @property
    def multi(self) -> bool:
        """True when more than one frame is to come."""
        if any("event" not in reply and not reply.success for reply in self.responses):
            return False
        return self.command.answer is not Answer.ONE

    @property
    def completed(self) -> bool:
        """True when the last frame has come."""
        if not self.multi:
            return True
        events = [str(reply.event) for reply in (self.responses[-1], self.responses[0])]
        if self.command.answer is Answer.ORIGINATE:
            return "OriginateResponse" in events
        return events[0].endswith("Complete")


class Wire(AMIProtocol):  # type: ignore[misc]  # panoramisk has no types
    """The connection's bytes: whole frames out, one encoded action in."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.splitter = Splitter()
        self.writable = asyncio.Event()
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        """Cut, tell answers from events, pass events on. Nothing raised by a receiver gets out of here."""
        session = self._session
        now = session.clock()
        for raw in self.splitter.feed(data):
            session.frames += 1
            try:
                if b"\r\nActionID:" in raw or raw.startswith(b"Response:"):
                    self._answer(Frame(raw))
                else:
                    session.on_frame(raw, now)
            except Exception:
                session.faults += 1
                log.exception("ami_receiver_failed", link=session.name)

    def _answer(self, frame: Frame) -> None:
        action_id = frame.get("ActionID")
        why = check_answer(frame)
        if action_id in self.responses and why is None:
            self.handle_message(Reply(frame))
        elif action_id not in self._session.ids or why is not None:
            self._session.on_refused(why or Why.FOREIGN_ANSWER, frame)
            self._session.on_frame(frame.raw, self._session.clock())  # forged: the guard must know where it ended
        else:
            self._session.late += 1

    def send(self, data: Asked | dict[str, str], as_list: bool | None = None) -> asyncio.Future[Any]:
        """Write one action; the login that panoramisk makes itself takes the same way."""
        if not isinstance(data, Asked):
            fields = tuple((key, value) for key, value in data.items() if key != "Action")
            data = Asked(Command(data["Action"], fields), self._session.ids.new())
        future: asyncio.Future[Any] = super().send(data, as_list=as_list)
        return future

    def pause_writing(self) -> None:
        """Asterisk does not read: senders wait."""
        self.writable.clear()

    def resume_writing(self) -> None:
        """Asterisk reads again."""
        self.writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self.close()
        self._session.lose("connection closed by Asterisk" if exc is None else f"connection lost: {exc}")

    def close(self) -> None:
        """Give up: what was asked and not answered fails now, and is never asked again."""
        self.closed = True
        for asked in list(self.responses.values()):
            if not asked.future.done():
                asked.future.set_exception(LinkDown())
                asked.future.exception()
        self.responses.clear()
        self.writable.set()
        self.transport.abort()


class Session(Manager):  # type: ignore[misc]  # panoramisk has no types
    """One connection from dial to end."""

    pinger: asyncio.TimerHandle | None

    def __init__(
        self,
        *,
        name: str,
        host: str,
        port: int,
        username: str,
        secret: str,
        ids: ActionIds,
        clock: Callable[[], datetime],
        on_frame: Callable[[bytes, datetime], None],
        on_refused: Callable[[Why, Frame], None],
        on_pong: Callable[[datetime, float, float], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(
            host=host, port=port, username=username, secret=secret, loop=loop, protocol_factory=lambda: Wire(self)
        )
        self.name = name
        self.ids = ids
        self.clock = clock
        self.on_frame = on_frame
        self.on_refused = on_refused
        self.on_pong = on_pong
        #: frames seen, receivers that raised, answers that came too late or were another link's
        self.frames = self.faults = self.late = 0
        self.pings_unanswered = 0
        #: resolves to the reason when the connection is gone
        self.lost: asyncio.Future[str] = loop.create_future()

    async def open(self, connect_s: float, answer_s: float) -> Reply:
        """Connect and log in; returns the answer to the login. Raises OSError, LinkDown, NoAnswer."""
        try:
            async with asyncio.timeout(connect_s):
                await self.connect()
        except TimeoutError:
            raise NoAnswer(message="no connection in time") from None
        try:
            async with asyncio.timeout(answer_s):
                reply: Reply = await asyncio.shield(self.authenticated_future)
                return reply
        except TimeoutError:
            raise NoAnswer(message="no answer to Login", action="Login") from None

    async def ask(self, command: Command, answer_s: float) -> list[Frame]:
        """Send and wait for the whole answer; raises LinkDown, NoAnswer, ActionRefused."""
        wire = self.protocol
        asked = Asked(command, self.ids.new())
        try:
            async with asyncio.timeout(answer_s):
                await wire.writable.wait()
                if wire.closed:
                    raise LinkDown
                result = await wire.send(asked)
        except TimeoutError:
            raise NoAnswer(action=command.name) from None
        finally:
            wire.responses.pop(asked.id, None)
        replies: list[Reply] = result if isinstance(result, list) else [result]
        for reply in replies:
            if "event" not in reply and not reply.success:
                raise ActionRefused(message=str(reply.message) or None, action=command.name)
        return [reply.frame for reply in replies]

    def ping(self) -> None:
        """Ask for a sign of life without waiting; `pings_unanswered` falls to 0 with any answer."""
        self.pings_unanswered += 1
        asked = monotonic()
        future = self.protocol.send(Asked(ping(), self.ids.new()))
        future.add_done_callback(lambda done: self._pong(done, asked))

    def _pong(self, future: asyncio.Future[Any], asked: float) -> None:
        if not future.cancelled() and future.exception() is None:
            self.pings_unanswered = 0
            self.tell_pong(future.result().frame, asked)

    def tell_pong(self, frame: Frame, asked: float) -> None:
        """Pass on what the answer to a ping says of Asterisk's clock."""
        if frame.at is not None:
            self.on_pong(frame.at, asked, monotonic())

    def lose(self, reason: str) -> None:
        """Tell once that the connection is gone."""
        if not self.lost.done():
            self.lost.set_result(reason)

    def close(self) -> None:
        """End the connection now."""
        if self.protocol is not None:
            self.protocol.close()
        self.lose("closed by us")

    # what panoramisk calls on its own

    def connection_made(self, f: asyncio.Future[Any]) -> None:
        """Connected: panoramisk logs in. Failure is told by `open`, and nobody dials again behind our back."""
        if f.cancelled() or f.exception() is not None:
            return
        super().connection_made(f)
        if self.pinger is not None:
            self.pinger.cancel()
            self.pinger = None
        if self.lost.done():
            self.protocol.close()

    def login(self, future: asyncio.Future[Any]) -> bool:
        """Keep the outcome for panoramisk's own flag; `open` judges it."""
        self.authenticated = not future.cancelled() and future.exception() is None and bool(future.result().success)
        return self.authenticated
