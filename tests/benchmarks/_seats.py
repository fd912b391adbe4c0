"""Agents' seats in a database, signed in to page and telephone, for benchmarks of the whole service."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete, insert, select

from ticketing.db import Database
from ticketing.staff import sessions
from ticketing.staff.tables import agent_state, agent_state_log, staff, staff_post, web_session

_FIRST = 50_000


def number(seat: int) -> str:
    """工号 of a seat, from 0."""
    return str(_FIRST + seat)


async def take(database: Database, count: int, *, phone: str = "browser", ready: bool = True) -> list[str]:
    """So many junior agents, ready for calls when wanted; their session tokens, by seat. May be said again."""
    now, tokens = datetime.now(UTC), []
    async with database.write() as conn:
        known = {row.number: row.id for row in await conn.execute(select(staff.c.number, staff.c.id))}
        for seat in range(count):
            key = known.get(number(seat))
            if key is None:
                row = {"number": number(seat), "name": f"座席{seat}", "phone_kind": phone, "language": "zh"}
                more = {"vip_overflow": False, "active": True, "created_at": now, "version": 1}
                key = (await conn.execute(insert(staff).values(**row, **more).returning(staff.c.id))).scalar_one()
                await conn.execute(insert(staff_post).values(staff_id=key, post="JA"))
            for table in (web_session, agent_state, agent_state_log):
                await conn.execute(delete(table).where(table.c.staff_id == key))
            tokens.append((await sessions.create(conn, key, "bench", now))[0])
            if ready:
                state = {"state": "ready", "since": now, "resume": "ready", "phone_kind": phone, "version": 1}
                await conn.execute(insert(agent_state).values(staff_id=key, **state))
    return tokens
