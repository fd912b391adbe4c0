"""Sign-in by number: attempts counted before the password is looked at, one answer for all that is wrong (S14)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit
from ticketing.db import Database, for_update
from ticketing.errors import Forbidden, Invalid, NotFound, NotSignedIn, TooMany
from ticketing.roles import SYSTEM
from ticketing.staff import actions, sessions, store
from ticketing.staff.model import Staff
from ticketing.staff.passwords import Passwords
from ticketing.staff.rules import ACCOUNT, ADDRESS, BackOff, check_password, wait_until
from ticketing.staff.tables import credential, sign_in_attempt

_RULES: dict[str, BackOff] = {"account": ACCOUNT, "address": ADDRESS}


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a successful sign-in gives; the token goes into the cookie and nowhere else."""

    token: str
    csrf_token: str
    staff: Staff
    expires_at: datetime


class Door:
    """Sign-in, change of password and first set-up: the parts that hash between two transactions."""

    def __init__(self, database: Database, passwords: Passwords) -> None:
        self._database = database
        self._passwords = passwords

    async def sign_in(
        self, number: str, password: str, *, address: str, now: datetime, old_token: str | None = None
    ) -> SignedIn:
        """Opens a session under a new token and ends the one the browser brought (fixation).

        Raises NotSignedIn("wrong_sign_in") for anything wrong, the same and as slowly for numbers that do not exist;
        TooMany with `retry_after_s` when the account or the address must wait.
        """
        if not (number.isascii() and number.isdigit() and len(number) <= 16):
            number = ""  # cannot be anybody's; counted like the others
        keys = {"account": number, "address": address[:64]}
        async with self._database.write() as conn:
            wait = await _count(conn, keys, now)
            found = None if wait else await _stored(conn, number)
        if wait:
            raise TooMany("sign_in_wait", retry_after_s=max(1, round((wait - now).total_seconds())))
        person, stored = found or (None, None)
        good = await self._passwords.matches(stored, password)
        if not good or person is None or stored is None:
            raise NotSignedIn("wrong_sign_in", "number or password is wrong")
        fresh = await self._passwords.hash(password) if self._passwords.outdated(stored) else None
        async with self._database.write() as conn:
            await _forgive(conn, keys)
            if old_token:
                await sessions.revoke(conn, old_token, now)
            if fresh:
                await actions.store_hash(conn, person.id, fresh, now)
            token, expires = await sessions.create(conn, person.id, address, now)
            await audit.record(conn, person.actor, "staff.signed_in", "staff", number, {"address": address}, now)
        return SignedIn(token, sessions.csrf_of(token), person, expires)

    async def sign_out(self, session: sessions.Session, token: str, now: datetime) -> None:
        """Ends the session on the server."""
        async with self._database.write() as conn:
            await sessions.revoke(conn, token, now)
            person = session.staff
            await audit.record(conn, person.actor, "staff.signed_out", "staff", person.number, {}, now)

    async def check_setup(self, token: str, now: datetime) -> list[tuple[Staff, bool]]:
        """Whom the holder of the set-up token may give a password, and whether each has one."""
        async with self._database.read() as conn:
            people = await sessions.check_setup(conn, token, now)
            able = await store.with_password(conn)
            return [(person, person.id in able) for person in people]

    async def set_up(self, token: str, passwords: Mapping[str, str], now: datetime) -> None:
        """Sets the given passwords and spends the token, all or nothing.

        Raises Forbidden for a wrong token and for a person it is not for, Invalid naming the number whose password
        will not do.
        """
        async with self._database.read() as conn:
            people = {person.number: person for person in await sessions.check_setup(conn, token, now)}
        if not passwords:
            raise Invalid("missing", "at least one password", field="passwords")
        hashes: dict[str, str] = {}
        for number, password in passwords.items():
            if number not in people:
                raise Forbidden("bad_setup_token", f"this set-up token is not for {number!r}")
            name = people[number].name
            normal = check_password(password, number=number, name=name, field=f"passwords.{number}")
            hashes[number] = await self._passwords.hash(normal)
        async with self._database.write() as conn:
            await sessions.spend_setup(conn, token, hashes, now)
            for number, made in hashes.items():
                await actions.set_password_hash(conn, SYSTEM, number, made, now)

    async def change_password(self, person: Staff, old: str, new: str, *, address: str, now: datetime) -> None:
        """The person's own change; all sessions end. Wrong old passwords count as failed sign-ins."""
        keys = {"account": person.number, "address": address[:64]}
        normal = check_password(new, number=person.number, name=person.name, field="new")
        async with self._database.write() as conn:
            wait = await _count(conn, keys, now)
            found = await _stored(conn, person.number)
        if wait:
            raise TooMany("sign_in_wait", retry_after_s=max(1, round((wait - now).total_seconds())))
        if not await self._passwords.matches(found[1] if found else None, old):
            raise Invalid("wrong_password", "the old password is wrong", field="old")
        made = await self._passwords.hash(normal)
        async with self._database.write() as conn:
            await _forgive(conn, keys)
            await actions.set_password_hash(conn, person.actor, person.number, made, now)


async def sweep(conn: AsyncConnection, now: datetime) -> None:
    """Forgets counts that are old enough, so that guessing numbers does not fill the table."""
    await conn.execute(delete(sign_in_attempt).where(sign_in_attempt.c.last_at < now - ACCOUNT.forget))


async def _count(conn: AsyncConnection, keys: Mapping[str, str], now: datetime) -> datetime | None:
    """Counts the attempt as failed until shown otherwise; returns until when it must wait, if it must.

    A refused attempt is not counted, so that hammering cannot lock the owner out for longer.
    """
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    counted: list[tuple[str, str, int]] = []
    for kind, key in sorted(keys.items()):
        fresh = dialect.insert(sign_in_attempt).values(kind=kind, key=key, failures=0, last_at=now)
        await conn.execute(fresh.on_conflict_do_nothing())
        mine = select(sign_in_attempt).where(sign_in_attempt.c.kind == kind, sign_in_attempt.c.key == key)
        row = (await conn.execute(for_update(mine))).one()
        if row.until is not None and row.until > now:
            return row.until  # type: ignore[no-any-return]
        counted.append((kind, key, 1 if now - row.last_at > _RULES[kind].forget else row.failures + 1))
    for kind, key, failures in counted:
        await conn.execute(
            update(sign_in_attempt)
            .where(sign_in_attempt.c.kind == kind, sign_in_attempt.c.key == key)
            .values(failures=failures, last_at=now, until=wait_until(_RULES[kind], failures, now))
        )
    return None


async def _forgive(conn: AsyncConnection, keys: Mapping[str, str]) -> None:
    """A right password clears the account's count and takes its own attempt off the address."""
    mine = sign_in_attempt.c.key
    await conn.execute(delete(sign_in_attempt).where(sign_in_attempt.c.kind == "account", mine == keys["account"]))
    await conn.execute(
        update(sign_in_attempt)
        .where(sign_in_attempt.c.kind == "address", mine == keys["address"], sign_in_attempt.c.failures > 0)
        .values(failures=sign_in_attempt.c.failures - 1, until=None)
    )


async def _stored(conn: AsyncConnection, number: str) -> tuple[Staff, str] | None:
    try:
        person = await store.by_number(conn, number)
    except NotFound:
        return None
    query = select(credential.c.hash).where(credential.c.staff_id == person.id)
    stored = (await conn.execute(query)).scalar_one_or_none()
    return (person, stored) if stored is not None and person.active else None
