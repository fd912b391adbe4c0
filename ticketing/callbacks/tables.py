"""Tables of booked callbacks and of the attempts to reach the customer."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from ticketing.db import BigId, UtcDateTime, id_column, metadata

callback = Table(
    "callback",
    metadata,
    id_column(),
    #: random; the only id in addresses
    Column("public_id", String(22), nullable=False, unique=True),
    Column("serial", String(12), nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("mode", String(16), nullable=False),
    # who wants it, and when
    #: E.164; only such numbers are dialled
    Column("number", String(32), nullable=False),
    Column("customer_id", BigId, ForeignKey("customer.id")),
    #: of the call it was booked in
    Column("contact_id", BigId, ForeignKey("contact.id")),
    #: the last call that asked for it; the same call books once
    Column("call_id", String(80), index=True),
    Column("dnis", String(32), nullable=False),
    Column("language", String(8), nullable=False),
    Column("queue", String(40), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("joined_at", UtcDateTime, nullable=False),
    Column("booked_at", UtcDateTime, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("window", String(40), nullable=False),
    Column("window_start", UtcDateTime),
    Column("window_end", UtcDateTime),
    #: where it stands in the one line: the later of joining and the window's opening
    Column("place_at", UtcDateTime, nullable=False),
    # K17, derived from booking, window and calling hours; kept for the index
    Column("due_at", UtcDateTime, nullable=False),
    Column("warn_at", UtcDateTime, nullable=False),
    # dialling
    Column("next_at", UtcDateTime, nullable=False),
    #: attempts ever made: numbers the next one, so that channel ids never repeat
    Column("attempts", Integer, nullable=False),
    #: attempts used up of those allowed; a new request or a person's "call now" gives some back
    Column("used", Integer, nullable=False),
    Column("lease_holder", String(64)),
    Column("lease_until", UtcDateTime),
    #: one more with every claim: what an earlier holder still does is refused
    Column("lease_epoch", Integer, nullable=False),
    #: 工号 of the agent kept for it
    Column("agent", String(16)),
    # who answers for it
    Column("owner_id", BigId, ForeignKey("staff.id")),
    Column("owner_queue", String(40)),
    # how it ended
    Column("order_id", BigId, ForeignKey("customer_order.id")),
    Column("end_reason", String(40)),
    Column("outcome", String(10)),
    Column("note", Text),
    Column("ended_at", UtcDateTime),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", String(16), nullable=False),
    CheckConstraint("(ended_at IS NULL) = (state NOT IN ('connected', 'cancelled'))", name="ended"),
    CheckConstraint("ended_at IS NOT NULL OR (owner_id IS NULL) <> (owner_queue IS NULL)", name="one_owner"),
    CheckConstraint("requests > 0 AND used >= 0 AND used <= attempts", name="counts"),
    Index("ix_callback_number", "number", "booked_at"),
    Index("ix_callback_list", "state", "due_at", "id"),
)

Index(
    "uq_callback_open",
    callback.c.number,
    unique=True,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)
"""One open callback for a number, whoever books at the same time (F28, P35)."""

Index(
    "ix_callback_next",
    callback.c.next_at,
    sqlite_where=text("state = 'pending'"),
    postgresql_where=text("state = 'pending'"),
)

Index(
    "ix_callback_lease",
    callback.c.lease_until,
    sqlite_where=text("lease_until IS NOT NULL"),
    postgresql_where=text("lease_until IS NOT NULL"),
)

callback_attempt = Table(
    "callback_attempt",
    metadata,
    id_column(),
    Column("callback_id", BigId, ForeignKey("callback.id", ondelete="CASCADE"), nullable=False),
    Column("n", Integer, nullable=False),
    #: chosen by us before the exchange hears of it; never used twice
    Column("channel_id", String(80), nullable=False, unique=True),
    Column("call_id", String(80), nullable=False, unique=True),
    Column("agent", String(16)),
    #: holder and epoch that began it
    Column("holder", String(64), nullable=False),
    Column("epoch", Integer, nullable=False),
    #: dialling, answered, confirmed, queued, connected, failed or unknown
    Column("state", String(16), nullable=False),
    Column("outcome", String(16)),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    UniqueConstraint("callback_id", "n"),
)
"""Each row is one attempt, committed in state `dialling` before anything is dialled (F19, N3)."""
