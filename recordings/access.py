"""Short-lived links to a recording, and the opening of its file without leaving the root (S18, S19)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import stat
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from recordings.model import Purpose
from ticketing.errors import Forbidden, NotFound

#: a link never lives longer (S19)
LONGEST = timedelta(minutes=5)

_PART = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z.-]{0,90}[0-9A-Za-z])?")


@dataclass(frozen=True, slots=True)
class Link:
    """A link as given to the person who asked."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """What a checked link allows."""

    public_id: str
    staff_id: int
    purpose: Purpose
    expires_at: datetime


def issue(
    key: bytes, public_id: str, staff_id: int, purpose: Purpose, *, now: datetime, life: timedelta = LONGEST
) -> Link:
    """Makes a link for one person, one recording, one purpose; ends after `life`, five minutes at most."""
    expires = (now + min(life, LONGEST)).astimezone(UTC).replace(microsecond=0)
    said = json.dumps([public_id, staff_id, int(expires.timestamp()), purpose.value], separators=(",", ":")).encode()
    return Link(f"{_text(said)}.{_text(_sign(key, said))}", expires)


def check(key: bytes, token: str, staff_id: int, now: datetime) -> Grant:
    """What the link allows to the person who brings it; raises Forbidden when forged, expired or another's."""
    try:
        said_text, _, seal_text = token.partition(".")
        said, seal = _bytes(said_text), _bytes(seal_text)
    except (ValueError, binascii.Error):
        raise Forbidden("bad_link", "this link is not valid") from None
    if not hmac.compare_digest(seal, _sign(key, said)):
        raise Forbidden("bad_link", "this link is not valid")
    public_id, owner, ends, purpose = json.loads(said)
    expires = datetime.fromtimestamp(ends, UTC)
    if now >= expires:
        raise Forbidden("link_expired", "this link has expired")
    if owner != staff_id:
        raise Forbidden("bad_link", "this link is not valid")
    return Grant(public_id, owner, Purpose(purpose), expires)


def open_inside(root: Path, path: str) -> int:
    """File descriptor of a regular file below the root, for reading; every folder on the way is opened without
    following links. Raises NotFound for every other form of path.
    """
    parts = path.split("/")
    if len(parts) > 8 or any(not _PART.fullmatch(part) or ".." in part for part in parts):
        raise NotFound("unknown_file")
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            os.close(folder)
            folder = below
        handle = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        raise NotFound("unknown_file") from None
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NotFound("unknown_file")
    return handle


def _sign(key: bytes, said: bytes) -> bytes:
    return hmac.digest(key, b"recording-link\n" + said, hashlib.sha256)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    if not re.fullmatch(r"[0-9A-Za-z_-]{1,400}", text):
        raise ValueError(text)
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
