"""Why work changes hands: the coded reason and the words of whoever hands it to somebody else (PX-04, MN-02)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import taxonomy
from ticketing.days import day_of
from ticketing.errors import Invalid
from ticketing.text import checked

#: characters of the words beside the code
LONGEST_NOTE: Final = 500


async def reason(conn: AsyncConnection, code: str, note: str | None, now: datetime) -> dict[str, Any]:
    """What audit and trail say of it: a living leaf of `reassign_reason`, and the words if there are any.

    Raises Invalid `missing` and `unknown_code` with the field `reason`, Invalid for words that cannot be.
    """
    if not code:
        raise Invalid("missing", "say why it changes hands", field="reason", missing=["reason"])
    await taxonomy.leaf(conn, "reassign_reason", code, day_of(now), field="reason")
    words = checked("note", note, LONGEST_NOTE, lines=True) if note else None
    return {"reason": code, **({"note": words} if words else {})}
