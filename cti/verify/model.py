"""What is looked at, and what is found: one violation names its rule, its subject, what is wrong and what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Executable, Row
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.callbacks.policy import Policy
from ticketing.db import Database

#: what is younger may still be under way
SETTLES: Final = timedelta(seconds=60)


class Rule(StrEnum):
    """The invariants (docs: reliability)."""

    N1 = "N1"  #: what callers and pages were told is accepted exists exactly once
    N2 = "N2"  #: every call has one record, closed with a reason
    N3 = "N3"  #: a callback attempt is dialled at most once, and no callback is forgotten
    N4 = "N4"  #: one owner a version, each change audited, the audit chain whole
    N5 = "N5"  #: every order from a call shows its voice file as ready, partial or missing, and the file agrees
    N6 = "N6"  #: due times are a pure function of what happened and the calendar


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where an invariant does not hold."""

    rule: Rule
    #: kind and number as people see it: `call 2026…`, `order 482913557`, `audit 17`
    subject: str
    says: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One installation, as it lies there."""

    database: Database
    #: where Asterisk leaves voice files; None = not reached from here
    spool: Path | None
    #: root of the checked voice files
    recordings: Path
    #: Asterisk's journals, oldest first; empty = not reached from here
    queue_logs: tuple[Path, ...] = ()
    channel_logs: tuple[Path, ...] = ()
    #: None = there is none
    audit_key: bytes | None = None
    anchors: Path | None = None
    policy: Policy
    now: datetime
    #: uniqueids of the channels that live; None = cannot be known
    live: frozenset[str] | None = None
    #: whether a service acts on the database at this moment
    running: bool = False
    #: told what is being read and how many of it were
    progress: Callable[[str, int], None] = field(default=lambda what, count: None)

    @property
    def settled(self) -> datetime:
        """What happened before has had its time."""
        return self.now - SETTLES


Found = AsyncIterator[Violation]


async def rows(conn: AsyncConnection, query: Executable) -> AsyncIterator[Row[Any]]:
    """Rows one after the other, however many there are."""
    async with conn.stream(query) as result:
        async for row in result:
            yield row


@contextmanager
def scratch(*schema: str) -> Iterator[sqlite3.Connection]:
    """A throw-away index on disk for what does not fit in memory."""
    with closing(sqlite3.connect("", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=OFF")
        for statement in schema:
            connection.execute(statement)
        yield connection
