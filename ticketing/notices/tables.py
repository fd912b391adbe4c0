"""The table of messages that leave by text message or e-mail."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from ticketing.db import BigId, UtcDateTime, id_column, metadata

notice = Table(
    "notice",
    metadata,
    id_column(),
    #: random; the gateway's idempotency key
    Column("public_id", String(22), nullable=False, unique=True),
    #: what it tells of: the same fact makes one message for one address, however often it is delivered to us
    Column("source", String(80), nullable=False),
    Column("order_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), index=True),
    Column("kind", String(16), nullable=False),
    Column("means", String(8), nullable=False),
    Column("address", String(320), nullable=False),
    Column("text", Text, nullable=False),
    #: waiting, sent, refused, dead
    Column("state", String(8), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("last_error", String(200)),
    UniqueConstraint("source", "address"),
)
