"""All rules over one installation, and how an installation is found (N1 to N6)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import select

from cti.asterisk import control
from cti.asterisk.errors import AsteriskError
from cti.backfill import CEL, QUEUE_LOG, journal_files, rotation
from cti.existing import existing
from cti.lease import lease
from cti.settings import Settings
from cti.verify import accepted, calls, clocks, dialling, trail, voices
from cti.verify.model import Found, Place
from ticketing.callbacks import policy
from ticketing.db import Database

_RULES: Final = (accepted.check, calls.check, dialling.check, trail.check, voices.check, clocks.check)


async def check(place: Place) -> Found:
    """Every violation, rule after rule; each is read in one consistent view of the database."""
    for rule in _RULES:
        async for found in rule(place):
            yield found


@asynccontextmanager
async def installation(
    settings: Settings,
    clock: Callable[[], datetime],
    progress: Callable[[str, int], None] = lambda what, count: None,
) -> AsyncIterator[Place]:
    """The installation these settings name, whether its service runs or not. Raises Unavailable for its database,
    Invalid for a callback policy that cannot be read."""
    async with existing(settings) as database:
        run, here = settings.asterisk_run, settings.asterisk == "sandbox"
        journals = journal_files(settings.journals) if settings.journals is not None else {}
        key = settings.secrets_dir / "audit_key"
        yield Place(
            database=database,
            spool=settings.spool or (run / "voice" if here else None),
            recordings=settings.recordings_root,
            queue_logs=tuple(rotation(journals[QUEUE_LOG])) if journals else (),
            channel_logs=tuple(rotation(journals[CEL])) if journals else (),
            audit_key=bytes.fromhex(key.read_text(encoding="ascii").strip()) if key.is_file() else None,
            anchors=settings.home / "audit-anchors.txt",
            policy=policy.read(settings.callback_policy),
            now=clock(),
            live=await _channels(run / "run" / "asterisk.ctl") if here else None,
            running=await _running(database, clock()),
            progress=progress,
        )


async def _running(database: Database, now: datetime) -> bool:
    async with database.read() as conn:
        held = await conn.scalar(select(lease.c.holder).where(lease.c.expires_at > now, lease.c.holder != "").limit(1))
    return held is not None


async def _channels(console: Path) -> frozenset[str]:
    """Uniqueids of the channels of our own Asterisk; none when it does not run."""
    try:
        said = await control.run(console, "core show channels concise", timeout_s=5.0)
    except (AsteriskError, OSError):
        return frozenset()
    return frozenset(line.rpartition("!")[2].strip() for line in said.splitlines() if "!" in line)
