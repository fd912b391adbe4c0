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
from cti.existing import existing
from cti.lease import lease
from cti.settings import Settings
from cti.verify import accepted, calls, clocks, dialling, trail, voices
from cti.verify.model import Found, Place
from ticketing.callbacks.policy import Policy
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
    policy: Policy,
    clock: Callable[[], datetime],
    progress: Callable[[str, int], None] = lambda what, count: None,
) -> AsyncIterator[Place]:
    """The installation these settings name, whether its service runs or not. Raises Unavailable for its database."""
    async with existing(settings) as database:
        run, here = settings.asterisk_run, settings.asterisk == "sandbox"
        key = settings.secrets_dir / "audit_key"
        yield Place(
            database=database,
            spool=settings.spool or (run / "voice" if here else None),
            recordings=settings.recordings_root,
            queue_logs=_rotated(run / "log" / "queue_log") if here else (),
            channel_logs=_rotated(run / "log" / "cel-custom" / "hotline.csv") if here else (),
            audit_key=bytes.fromhex(key.read_text(encoding="ascii").strip()) if key.is_file() else None,
            anchors=settings.home / "audit-anchors.txt",
            policy=policy,
            now=clock(),
            live=await _channels(run / "run" / "asterisk.ctl") if here else None,
            running=await _running(database, clock()),
            progress=progress,
        )


def _rotated(file: Path) -> tuple[Path, ...]:
    """A journal with its rotated parts, the oldest first: `.2`, `.1`, then the one in use."""
    parts = [path for path in file.parent.glob(f"{file.name}.*") if path.suffix[1:].isdigit()]
    older = sorted(parts, key=lambda path: int(path.suffix[1:]), reverse=True)
    return (*older, *([file] if file.is_file() else []))


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
