"""Messages recorded while this service or its database was away: taken in once, in their order (TL-24, F09).

Each voice file that nobody could take in has a sidecar of the same name with `.json`, as asterisk-conf/README.md says:
call_id, file, at, and if known ani, dnis, lang, queue, seconds, how, sorted_out; besides them `serial`, when one of
a reserved block was taken for it, which the caller may have been told.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from ticketing.changes import Change
from ticketing.db import Database
from ticketing.errors import HotlineError, Invalid, Unavailable
from ticketing.intake import actions
from ticketing.intake.model import NewMessage, Sorted
from ticketing.intake.rules import key_of
from ticketing.roles import SYSTEM

log = structlog.get_logger(__name__)

#: a sidecar is a few hundred bytes
_LARGEST = 16_384
#: ending of a sidecar that cannot be read: kept for a person, never dropped
UNREADABLE = ".unreadable"

#: the speaker has listened to it, or spoke until the limit and listened
_CONFIRMED = frozenset({"confirmed", "limit"})

#: told each message after its commit and before its sidecar goes: the voice file is taken over here
Taken = Callable[[NewMessage, Change], Awaitable[None]]
#: listens to a voice file of the spool and says why it says nothing; None = a person must hear it. Blocks
Hear = Callable[[Path], Sorted | None]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One readable sidecar."""

    path: Path
    message: NewMessage


async def import_spool(
    database: Database,
    spool: Path,
    now: datetime,
    taken: Taken,
    *,
    area_code: str | None = None,
    hear: Hear | None = None,
) -> list[Change]:
    """Takes in what waits in the spool, oldest first, each in a transaction of its own; returns what happened.

    Killed anywhere, it goes on where it was: a message already taken in is known by its file. A sidecar nobody can
    read is set aside beside its sound; what nobody confirmed is listened to first.
    Raises Unavailable when the database does not answer; the rest then waits.
    """
    changes = []
    for waiting in await asyncio.to_thread(_read_all, spool):
        try:
            message = await _heard(waiting.message, spool, hear)
            async with database.write() as conn:
                change = await actions.take(conn, SYSTEM, message, now, area_code=area_code)
            changes.append(change)
            await taken(message, change)
            await asyncio.to_thread(waiting.path.unlink, missing_ok=True)
        except Unavailable:
            raise
        except (HotlineError, OSError) as error:
            log.warning("message_waits", file=waiting.message.file, reason=str(error))
    return changes


async def _heard(message: NewMessage, spool: Path, hear: Hear | None) -> NewMessage:
    """The message with what the ear of the machine found; its speaker's own word, or an earlier ear's, counts more."""
    if hear is None or message.sorted_out is not None or message.how in _CONFIRMED:
        return message
    return replace(message, sorted_out=await asyncio.to_thread(hear, spool / message.file))


def _read_all(spool: Path) -> list[Waiting]:
    """Every readable sidecar in the order in which the callers spoke."""
    found = []
    for path in sorted(spool.glob("*-msg-*.json")) if spool.is_dir() else []:
        if path.is_symlink() or not path.is_file():
            continue
        try:
            found.append(Waiting(path, parse(_bounded(path))))
        except (ValueError, RecursionError, HotlineError) as error:
            log.error("sidecar_unreadable", file=path.name, reason=str(error))
            _set_aside(path)
        except OSError as error:
            log.warning("sidecar_waits", file=path.name, reason=str(error))
    return sorted(found, key=lambda each: (each.message.at, each.message.file))


def _set_aside(path: Path) -> None:
    try:
        path.rename(path.with_name(path.name + UNREADABLE))
    except OSError as error:
        log.warning("sidecar_waits", file=path.name, reason=str(error))


def _bounded(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        text = file.read(_LARGEST + 1)
    if len(text) > _LARGEST:
        raise Invalid("bad_sidecar", "too large")
    return text


def parse(text: str) -> NewMessage:
    """A sidecar's message; raises Invalid when call, file or time is missing or strange. All else may be missing."""
    said: Any = json.loads(text)
    if not isinstance(said, dict) or (said.get("version", 1), said.get("kind", "message")) != (1, "message"):
        raise Invalid("bad_sidecar", "version 1 of a message is expected")
    call_id, file = said.get("call_id"), said.get("file")
    if not isinstance(call_id, str) or not call_id or not isinstance(file, str):
        raise Invalid("bad_sidecar", "call_id and file are expected")
    key_of(file)
    sorted_out, serial, seconds = said.get("sorted_out"), said.get("serial"), said.get("seconds")
    return NewMessage(
        call_id=call_id,
        file=file,
        ani=_text(said, "ani"),
        dnis=_text(said, "dnis"),
        lang=_text(said, "lang") or "zh",
        queue=_text(said, "queue"),
        seconds=float(seconds) if isinstance(seconds, int | float) else None,
        how=_text(said, "how") or "rescue",
        at=_instant(said.get("at")),
        sorted_out=Sorted(sorted_out) if sorted_out in {each.value for each in Sorted} else None,
        serial=serial if isinstance(serial, str) else None,
    )


def _text(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    return str(value) if isinstance(value, str | int) else ""


def _instant(value: object) -> datetime:
    """ISO-8601 with a zone, or seconds since 1970 as a dialplan gives them."""
    if isinstance(value, int | float) and 0 < value < 1e11:
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, str):
        at = datetime.fromisoformat(value)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    raise Invalid("bad_sidecar", "at: a time with a zone is expected")
