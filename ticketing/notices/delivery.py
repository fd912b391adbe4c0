"""Messages leave by the gateway: a receiver of the outbox with its own courier: a dead gateway holds up nothing else.

At least once: what the gateway acknowledged is written down and never sent again; when the service dies between the
acknowledgement and the note, it is sent again under the same id, which the gateway knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from ticketing.db import Database
from ticketing.notices import store
from ticketing.notices.model import Means, NoticeGateway, NoticeRefused, NoticeState, Outgoing
from ticketing.outbox import GIVE_UP, Message

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """`ticketing.outbox.Receiver` of the topic `notice`."""

    database: Database
    gateway: NoticeGateway
    clock: Callable[[], datetime]
    #: seconds the gateway may take
    timeout_s: float

    async def deliver(self, message: Message) -> None:
        """Sends one message and writes down how it went; raises what the gateway raised, so that it is tried again."""
        public_id = str(message.payload["notice"])
        async with self.database.read() as conn:
            row = await store.find(conn, public_id)
        if row is None or row["state"] != NoticeState.WAITING.value:
            return
        try:
            async with asyncio.timeout(self.timeout_s):
                await self.gateway.send(Outgoing(public_id, Means(row["means"]), row["address"], row["text"]))
        except NoticeRefused as refused:
            log.warning("notice_refused", notice=public_id, reason=str(refused))
            await self._note(public_id, NoticeState.REFUSED, str(refused))
        except Exception as error:  # a gateway may fail in any way; the courier tries again
            over = self.clock() - message.created_at >= GIVE_UP
            await self._note(public_id, NoticeState.DEAD if over else NoticeState.WAITING, _said(error))
            raise
        else:
            await self._note(public_id, NoticeState.SENT, None)

    async def _note(self, public_id: str, state: NoticeState, error: str | None) -> None:
        now = self.clock()
        ended = None if state is NoticeState.WAITING else now
        async with self.database.write() as conn:
            await store.note(conn, public_id, state, ended_at=ended, last_error=error[:200] if error else None)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")
