"""Server-side web sessions and the one-time set-up token: only hashes of tokens are stored (S13, S24)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit
from ticketing.errors import Forbidden, NotSignedIn
from ticketing.roles import SYSTEM, Post
from ticketing.staff import store
from ticketing.staff.model import Staff
from ticketing.staff.rules import ABSOLUTE, TOUCH, session_alive
from ticketing.staff.tables import credential, setup_token, staff, staff_post, web_session

_SETUP_LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Session:
    """A person signed in at one browser."""

    #: SHA-256 of the token: names the session in logs and in the database
    token_hash: str
    staff: Staff
    #: to be sent back in a header with every write
    csrf_token: str
    created_at: datetime
    expires_at: datetime
    #: True when its use should be written down with `touch`
    touch_due: bool


def hash_of(token: str) -> str:
    """What is stored of a token: it has 256 random bits, so one round of SHA-256 is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def csrf_of(token: str) -> str:
    """The session's CSRF token, derived so that nothing more needs to be stored."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()


async def create(conn: AsyncConnection, staff_id: int, address: str, now: datetime) -> tuple[str, datetime]:
    """Opens a session with a new token, always; returns the token (kept nowhere) and its last moment."""
    token, expires = secrets.token_urlsafe(32), now + ABSOLUTE
    await conn.execute(
        insert(web_session).values(
            token_hash=hash_of(token), staff_id=staff_id, created_at=now, seen_at=now, expires_at=expires,
            address=address[:64],
        )
    )  # fmt: skip
    return token, expires


_BY_TOKEN: Final = select(web_session).where(web_session.c.token_hash == bindparam("token_hash"))


async def look_up(conn: AsyncConnection, token: str | None, now: datetime) -> Session:
    """The living session of a token; raises NotSignedIn without saying why."""
    if not token:
        raise NotSignedIn()
    wanted = hash_of(token)
    row = (await conn.execute(_BY_TOKEN, {"token_hash": wanted})).one_or_none()
    if row is None or not session_alive(row.seen_at, row.expires_at, row.revoked_at is not None, now):
        raise NotSignedIn()
    person = await store.by_id(conn, row.staff_id)
    if not person.active:
        raise NotSignedIn()
    return Session(wanted, person, csrf_of(token), row.created_at, row.expires_at, now - row.seen_at >= TOUCH)


async def touch(conn: AsyncConnection, session: Session, now: datetime) -> None:
    """Writes down that the session is in use; a revoked one stays revoked."""
    await conn.execute(
        update(web_session)
        .where(web_session.c.token_hash == session.token_hash, web_session.c.seen_at < now)
        .values(seen_at=now)
    )


async def revoke(conn: AsyncConnection, token: str, now: datetime) -> None:
    """Ends a session at sign-out; an unknown token is no error."""
    await conn.execute(
        update(web_session)
        .where(web_session.c.token_hash == hash_of(token), web_session.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )


async def revoke_all(conn: AsyncConnection, staff_id: int, now: datetime) -> None:
    """Ends every session of a person: new password, new posts, left."""
    await conn.execute(
        update(web_session)
        .where(web_session.c.staff_id == staff_id, web_session.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )


async def revoke_everyone(conn: AsyncConnection, now: datetime) -> None:
    """Ends every session there is: a restored database does not know who has signed out since."""
    await conn.execute(update(web_session).where(web_session.c.revoked_at.is_(None)).values(revoked_at=now))


async def sweep(conn: AsyncConnection, now: datetime) -> int:
    """Removes sessions that ended a day ago; returns how many."""
    done = await conn.execute(delete(web_session).where(web_session.c.expires_at < now - timedelta(days=1)))
    return done.rowcount


async def first_run(conn: AsyncConnection) -> bool:
    """True while no active administrator can sign in: then a set-up token is printed at start."""
    able = (
        select(staff.c.id)
        .join(staff_post, staff_post.c.staff_id == staff.c.id)
        .join(credential, credential.c.staff_id == staff.c.id)
        .where(staff_post.c.post == Post.AD.value, staff.c.active.is_(True))
        .limit(1)
    )
    return (await conn.execute(able)).first() is None


async def new_setup_token(conn: AsyncConnection, now: datetime, staff_id: int | None = None) -> str:
    """A one-time token to print once, for one person's password or, without `staff_id`, for the first passwords.

    It lives a day. Earlier ones of the same scope are void, those of another are not (S24).
    """
    token = secrets.token_urlsafe(24)
    same = setup_token.c.staff_id.is_(None) if staff_id is None else setup_token.c.staff_id == staff_id
    await conn.execute(update(setup_token).where(setup_token.c.spent_at.is_(None), same).values(spent_at=now))
    await conn.execute(
        insert(setup_token).values(
            token_hash=hash_of(token), staff_id=staff_id, created_at=now, expires_at=now + _SETUP_LIFE
        )
    )
    await audit.record(conn, SYSTEM, "setup_token.made", "setup", "token", {"staff_id": staff_id}, now)
    return token


async def setup_needed(conn: AsyncConnection, now: datetime) -> bool:
    """True while a token waits to be used: the page then shows the set-up form."""
    return (await conn.execute(_open_tokens(now).limit(1))).first() is not None


async def check_setup(conn: AsyncConnection, token: str, now: datetime) -> list[Staff]:
    """Active staff whose passwords the token may set; raises Forbidden unless it is open.

    A person's own token: that person. The installation's: who has no password yet, and everybody only while no
    administrator can sign in.
    """
    query = _open_tokens(now).where(setup_token.c.token_hash == hash_of(token))
    found = (await conn.execute(query)).first()
    if found is None:
        raise _bad_setup_token()
    people = await store.everyone(conn)
    if found.staff_id is not None:
        return [person for person in people if person.id == found.staff_id]
    if await first_run(conn):
        return people
    able = await store.with_password(conn)
    return [person for person in people if person.id not in able]


async def spend_setup(conn: AsyncConnection, token: str, numbers: Collection[str], now: datetime) -> None:
    """Uses the token up for these people; Forbidden for anybody else's number, and for one of two who try at once."""
    if not {person.number for person in await check_setup(conn, token, now)}.issuperset(numbers):
        raise _bad_setup_token()
    done = await conn.execute(
        update(setup_token)
        .where(
            setup_token.c.token_hash == hash_of(token), setup_token.c.spent_at.is_(None), setup_token.c.expires_at > now
        )
        .values(spent_at=now)
    )
    if done.rowcount == 0:
        raise _bad_setup_token()


def _bad_setup_token() -> Forbidden:
    return Forbidden("bad_setup_token", "this set-up token is wrong, spent, too old or not for this person")


def _open_tokens(now: datetime) -> Select[tuple[int | None]]:
    return select(setup_token.c.staff_id).where(setup_token.c.spent_at.is_(None), setup_token.c.expires_at > now)
