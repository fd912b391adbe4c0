"""The hash chain over committed audit rows: one sealer, daily anchors, and the check of it all (S28)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Column, Date, Integer, Row, String, Table, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.audit import audit, digest_of, query_log
from ticketing.db import Database, UtcDateTime, for_update, metadata
from ticketing.errors import HotlineError

log = structlog.get_logger(__name__)

audit_head = Table(
    "audit_head",
    metadata,
    Column("chain", String(16), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("seal", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
"""Last link of each chain; its row lock keeps two sealers from forking it."""

audit_anchor = Table(
    "audit_anchor",
    metadata,
    Column("chain", String(16), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("seal", String(64), nullable=False),
)
"""Last link before the first sealing of each UTC day; the same line goes to a file outside the database."""

CHAINS: dict[str, Table] = {"audit": audit, "query_log": query_log}
_START = "0" * 64
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Anchor:
    """A link that was seen outside the database on a day."""

    chain: str
    #: ISO date, UTC
    day: str
    seq: int
    seal: str

    def line(self) -> str:
        """The anchor as one line of the anchor file."""
        return f"{self.day} {self.chain} {self.seq} {self.seal}"

    @classmethod
    def parse(cls, line: str) -> Anchor:
        """Reads a line of the anchor file; raises ValueError for anything else."""
        day, chain, seq, seal = line.split()
        return cls(chain, day, int(seq), seal)


@dataclass(frozen=True, slots=True)
class Fault:
    """One place where the log is not what was sealed."""

    chain: str
    seq: int
    #: missing | seal | payload | anchor | tail
    what: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the chains found."""

    sealed: int
    unsealed: int
    #: rows whose words were erased by rule; their digest is still in the chain
    erased: int
    faults: tuple[Fault, ...]

    @property
    def intact(self) -> bool:
        """True when nothing was changed or removed."""
        return not self.faults


class Sealer:
    """Chains committed rows; runs where the lease is held, and is safe where it is not."""

    def __init__(self, key: bytes, anchor_file: Path | None = None) -> None:
        if len(key) < 32:
            raise ValueError("the audit key has at least 32 bytes")
        self._key = key
        self._file = anchor_file

    async def seal(self, conn: AsyncConnection, now: datetime, limit: int = _BATCH) -> tuple[int, list[Anchor]]:
        """Chains up to `limit` committed rows of each log; returns how many and the anchors that fell due."""
        count, anchors = 0, []
        for chain in CHAINS:
            done, anchor = await self._seal_chain(conn, chain, now, limit)
            count += done
            if anchor:
                anchors.append(anchor)
        return count, anchors

    async def run(
        self,
        database: Database,
        clock: Callable[[], datetime],
        *,
        every_s: float = 1.0,
        holds: Callable[[], bool] = lambda: True,
    ) -> None:
        """Seals each second while the lease is held; a database that is away is tried again, not given up."""
        while True:
            if holds():
                try:
                    await self.seal_now(database, clock())
                except HotlineError as error:
                    log.warning("audit_not_sealed", code=error.code, reason=error.message)
            await asyncio.sleep(every_s)

    async def seal_now(self, database: Database, now: datetime) -> int:
        """Seals everything that is committed; writes due anchors to the file after the commit."""
        total = 0
        while True:
            count, anchors = await database.write_whole(lambda conn: self.seal(conn, now))
            if anchors and self._file:
                await asyncio.to_thread(_append, self._file, anchors)
            total += count
            if count < _BATCH:
                return total

    async def _seal_chain(
        self, conn: AsyncConnection, chain: str, now: datetime, limit: int
    ) -> tuple[int, Anchor | None]:
        table = CHAINS[chain]
        unsealed = select(table).where(table.c.seal_seq.is_(None)).order_by(table.c.id).limit(limit)
        if not (await conn.execute(unsealed.with_only_columns(table.c.id).limit(1))).first():
            return 0, None
        head = await _locked_head(conn, chain, now)
        anchor = await _anchor(conn, chain, head, now)
        seq, seal = head.seq, head.seal
        rows = (await conn.execute(unsealed)).all()
        links = []
        for row in rows:
            seq += 1
            seal = _link(self._key, seal, seq, row._mapping)
            links.append({"row_id": row.id, "seal_seq": seq, "seal": seal})
        if links:
            await conn.execute(_update_links(table), links)
            await conn.execute(update(audit_head).where(audit_head.c.chain == chain).values(seq=seq, seal=seal, at=now))
        return len(rows), anchor


async def verify(conn: AsyncConnection, key: bytes, anchors: Iterable[Anchor] = ()) -> Verdict:
    """Recomputes both chains; finds a changed byte, a removed row and a cut-off end (as far as anchors reach).

    `anchors` are those kept outside the database; the ones inside are always checked.
    """
    sealed = unsealed = erased = 0
    faults: list[Fault] = []
    outside = list(anchors)
    for chain, table in CHAINS.items():
        wanted = {a.seq: a.seal for a in outside if a.chain == chain and a.seq}
        inside = await conn.execute(select(audit_anchor).where(audit_anchor.c.chain == chain, audit_anchor.c.seq > 0))
        for row in inside:
            if wanted.setdefault(row.seq, row.seal) != row.seal:
                faults.append(Fault(chain, row.seq, "anchor"))
        last, seal = 0, _START
        async for row in _sealed(conn, table):
            faults += [Fault(chain, lost, "missing") for lost in range(last + 1, row.seal_seq)]
            if row.seal_seq == last + 1 and _link(key, seal, row.seal_seq, row._mapping) != row.seal:
                faults.append(Fault(chain, row.seal_seq, "seal"))
            if row.payload is None:
                erased += 1
            elif digest_of(row.payload, row.salt or "") != row.digest:
                faults.append(Fault(chain, row.seal_seq, "payload"))
            if wanted.pop(row.seal_seq, row.seal) != row.seal:
                faults.append(Fault(chain, row.seal_seq, "anchor"))
            last, seal = row.seal_seq, row.seal
            sealed += 1
        head = (await conn.execute(select(audit_head).where(audit_head.c.chain == chain))).one_or_none()
        if (head.seq, head.seal) != (last, seal) if head else last:
            faults.append(Fault(chain, last + 1, "tail"))
        faults += [Fault(chain, seq, "missing") for seq in sorted(wanted) if seq > last]
        waiting = select(func.count()).select_from(table).where(table.c.seal_seq.is_(None))
        unsealed += (await conn.execute(waiting)).scalar_one()
    return Verdict(sealed, unsealed, erased, tuple(faults))


def read_anchors(path: Path) -> list[Anchor]:
    """Anchors of a file, in order; an absent file has none."""
    if not path.exists():
        return []
    return [Anchor.parse(line) for line in path.read_text(encoding="ascii").splitlines() if line.strip()]


def _append(path: Path, anchors: list[Anchor]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "a", encoding="ascii") as file:
        file.writelines(f"{anchor.line()}\n" for anchor in anchors)
        file.flush()
        os.fsync(file.fileno())


def _insert(conn: AsyncConnection, table: Table) -> Any:
    """An insert that may be told to leave a row that is there as it is."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


async def _locked_head(conn: AsyncConnection, chain: str, now: datetime) -> Row[Any]:
    first = _insert(conn, audit_head).values(chain=chain, seq=0, seal=_START, at=now)
    await conn.execute(first.on_conflict_do_nothing())
    return (await conn.execute(for_update(select(audit_head).where(audit_head.c.chain == chain)))).one()


async def _anchor(conn: AsyncConnection, chain: str, head: Row[Any], now: datetime) -> Anchor | None:
    """Yesterday's last link, kept when the first row of a new UTC day is sealed; a day has one, also when the machine's
    clock was set back and comes to that day again."""
    day = now.astimezone(UTC).date()
    if head.seq == 0 or head.at.date() >= day:
        return None
    kept = _insert(conn, audit_anchor).values(chain=chain, day=day, seq=head.seq, seal=head.seal)
    if not (await conn.execute(kept.on_conflict_do_nothing())).rowcount:
        return None
    return Anchor(chain, day.isoformat(), head.seq, head.seal)


def _link(key: bytes, previous: str, seq: int, row: Mapping[Any, Any]) -> str:
    """Seal of a row: HMAC over the seal before it and everything the row says."""
    at = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    said = [row[name] for name in ("actor_id", "actor_number", "verb", "subject_kind", "subject_id", "digest")]
    text = "\x1f".join(map(str, [previous, seq, row["id"], at, *said]))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _update_links(table: Table) -> Any:
    return (
        update(table)
        .where(table.c.id == bindparam("row_id"))
        .values(seal_seq=bindparam("seal_seq"), seal=bindparam("seal"))
    )


async def _sealed(conn: AsyncConnection, table: Table) -> AsyncIterator[Row[Any]]:
    last = 0
    while True:
        page = select(table).where(table.c.seal_seq > last).order_by(table.c.seal_seq).limit(_BATCH)
        rows = (await conn.execute(page)).all()
        for row in rows:
            yield row
        if len(rows) < _BATCH:
            return
        last = rows[-1].seal_seq
