"""Tables of the telephone side: calls, offers, and how far the journals of Asterisk were read.

What pages search stands in columns; what is only shown with a call stands in JSON.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, UniqueConstraint, desc

from ticketing.db import Json, UtcDateTime, id_column, metadata

call = Table(
    "call",
    metadata,
    id_column(),
    Column("call_id", String, nullable=False, unique=True),
    Column("dnis", String, nullable=False),
    Column("ani", String, nullable=False),
    Column("lang", String, nullable=False),
    Column("notice", String, nullable=False),
    Column("customer", String, nullable=False),
    Column("match", String, nullable=False),
    Column("vip", String, nullable=False),
    Column("queue", String, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("reason", String, nullable=False),
    Column("entered_at", UtcDateTime, nullable=False),
    Column("asked_at", UtcDateTime),
    Column("joined_at", UtcDateTime),
    Column("answered_at", UtcDateTime),
    Column("answered_by", String, nullable=False),
    Column("talk_ended_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("left_status", String, nullable=False),
    Column("outcome", String),
    Column("refusal", String, nullable=False),
    Column("end_reason", String, nullable=False),
    Column("end_step", String, nullable=False),
    Column("rescued", Boolean, nullable=False),
    Column("rescue_why", String, nullable=False),
    Column("recording", String, nullable=False),
    Column("grade", String, nullable=False),
    #: expected wait he was told, seconds (TL-14)
    Column("forecast_s", Integer),
    Column("forecast_at", UtcDateTime),
    Column("forecast_place", Integer),
    Column("version", Integer, nullable=False),
    #: true until the call has its outcome
    Column("open", Boolean, nullable=False),
    Column("path", Json, nullable=False),
    Column("stays", Json, nullable=False),
    Column("offers", Json, nullable=False),
    Column("clocks", Json, nullable=False),
    Column("legs", Json, nullable=False),
    Column("unseen", Json, nullable=False),
)
Index("ix_call_entered_at", desc(call.c.entered_at))
Index("ix_call_ani", call.c.ani, desc(call.c.entered_at))
Index("ix_call_answered_by", call.c.answered_by, desc(call.c.entered_at))
Index("ix_call_outcome", call.c.outcome, desc(call.c.entered_at))
Index("ix_call_open", call.c.call_id, sqlite_where=call.c.open, postgresql_where=call.c.open)

#: verb of the audit row that says that a clock was set
CLOCK_STEP: Final = "clock.step"

call_offer = Table(
    "call_offer",
    metadata,
    id_column(),
    Column("call_id", String, nullable=False),
    Column("interface", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("queue", String, nullable=False),
    #: when the phone began to ring
    Column("at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("result", String, nullable=False),
    Column("ring_ms", Integer),
    UniqueConstraint("call_id", "interface", "at"),
    Index("ix_call_offer_agent_at", "agent", "at"),
)

ami_offset = Table(
    "ami_offset",
    metadata,
    #: journal of Asterisk: `queue_log`, `cel`
    Column("name", String, primary_key=True),
    #: the file they were read from: another one after a rotation
    Column("inode", BigInteger, nullable=False, server_default="0"),
    #: bytes read
    Column("offset", BigInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
