"""A write that is sent twice happens once: the first answer is kept in the transaction that made it (N1).

A key belongs to the person who sent it and is kept, in a table, for 24 hours: the same request again has the same
answer, after a restart too, marked with `Idempotent-Replayed: true`; another request under the key is refused (422
`idempotency_key_reused`). A request that was refused has changed nothing and leaves its key free.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.web.masking import covered, reader_of
from cti.web.route import Call, Reply, Route
from cti.web.tables import idempotency
from ticketing.errors import Invalid

__all__ = ["HEADER", "REPLAYED", "Kept", "Key", "claim", "keep", "once", "read_key"]

HEADER = "Idempotency-Key"
#: of an answer that was given before
REPLAYED = "Idempotent-Replayed"
#: how long an answer is kept
KEPT_FOR = timedelta(hours=24)
_FORM = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True)
class Key:
    """One request that may come again."""

    staff_id: int
    value: str
    route: str
    digest: str


@dataclass(frozen=True)
class Kept:
    """The answer given the first time."""

    status: int
    answer: str


async def once(call: Call, route: Route) -> object:
    """Runs the handler, unless the request's key has an answer already: then that is the answer."""
    key = read_key(
        call.request.headers.get(HEADER),
        staff_id=call.actor.staff_id,
        route=route.name,
        raw=call.request.path_qs.encode() + b"\n" + (call.upload or await call.request.read()),
    )
    if key is None:
        return await route.handler(call)
    async with call.deps.database.write() as conn:
        kept = await claim(conn, key, call.now)
        if kept is not None:
            return Reply(kept.answer.encode(), kept.status, {REPLAYED: "true"})
        call.transaction = conn
        result = await route.handler(call)
        reply = result if isinstance(result, Reply) else Reply(result, route.status)
        body = route.encode(covered(reply.value, reader_of(call)))
        await keep(conn, key, reply.status, body)
    return replace(reply, value=body)


def read_key(value: str | None, *, staff_id: int, route: str, raw: bytes) -> Key | None:
    """The key of a request, or None when it has none; raises Invalid for a malformed one. `raw`: address and body."""
    if value is None:
        return None
    if not _FORM.fullmatch(value):
        raise Invalid("bad_idempotency_key", field=HEADER, allowed="1-64 of A-Z a-z 0-9 _ . -")
    return Key(staff_id, value, route, hashlib.sha256(raw).hexdigest())


async def claim(conn: AsyncConnection, key: Key | None, now: datetime) -> Kept | None:
    """Take the key in the caller's transaction, or give the answer it already has.

    Two at once: the second waits for the first one's commit. Raises Invalid when the key belongs to another request.
    """
    if key is None:
        return None
    await conn.execute(delete(idempotency).where(idempotency.c.created_at < now - KEPT_FOR))
    row = {"staff_id": key.staff_id, "key": key.value, "route": key.route, "digest": key.digest, "created_at": now}
    taken = await conn.execute(_insert_or_nothing(conn, row))
    if taken.rowcount:
        return None
    found = (
        await conn.execute(
            select(idempotency).where(idempotency.c.staff_id == key.staff_id, idempotency.c.key == key.value)
        )
    ).one()
    if (found.route, found.digest) != (key.route, key.digest) or found.answer is None:
        raise Invalid("idempotency_key_reused", field=HEADER, allowed="another key for another request")
    return Kept(found.status, found.answer)


async def keep(conn: AsyncConnection, key: Key | None, status: int, answer: bytes) -> None:
    """Keep the answer under the key claimed in this transaction."""
    if key is not None:
        await conn.execute(
            update(idempotency)
            .where(idempotency.c.staff_id == key.staff_id, idempotency.c.key == key.value)
            .values(status=status, answer=answer.decode())
        )


def _insert_or_nothing(conn: AsyncConnection, row: dict[str, Any]) -> Any:
    if conn.dialect.name == "postgresql":
        return postgresql.insert(idempotency).values(**row).on_conflict_do_nothing()
    return sqlite.insert(idempotency).values(**row).on_conflict_do_nothing()
