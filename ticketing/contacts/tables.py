"""Tables of contacts and of the orders each was about (IN-13, TL-54)."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text, UniqueConstraint

from ticketing.db import BigId, UtcDateTime, id_column, metadata

contact = Table(
    "contact",
    metadata,
    id_column(),
    Column("public_id", String(22), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("direction", String(8), nullable=False),
    #: call id, message id; one contact each
    Column("external_id", String(80)),
    Column("customer_id", BigId, ForeignKey("customer.id")),
    Column("number", String(32)),
    Column("at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("staff_id", BigId, ForeignKey("staff.id")),
    Column("disposition", String(40)),
    Column("queue", String(40)),
    Column("note", Text),
    UniqueConstraint("kind", "external_id"),
    Index("ix_contact_customer_at", "customer_id", "at"),
    Index("ix_contact_number_at", "number", "at"),
)

contact_order = Table(
    "contact_order",
    metadata,
    Column("contact_id", BigId, ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True),
    Column("order_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), primary_key=True, index=True),
    #: first, repeat, reply, survey …
    Column("role", String(16), nullable=False),
    Column("joined_at", UtcDateTime, nullable=False),
)
