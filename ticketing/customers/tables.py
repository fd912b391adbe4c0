"""Tables of customers, their numbers and their profile."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from ticketing.db import BigId, UtcDateTime, id_column, metadata

customer = Table(
    "customer",
    metadata,
    id_column(),
    Column("public_id", String(22), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("vip_class", String(40), index=True),
    Column("complainant_type", String(40)),
    Column("address", Text),
    Column("language", String(8)),
    Column("source", String(40), nullable=False),
    Column("external_id", String(64)),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("source", "external_id"),
)

customer_number = Table(
    "customer_number",
    metadata,
    id_column(),
    Column("customer_id", BigId, ForeignKey("customer.id", ondelete="CASCADE"), nullable=False),
    Column("e164", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("service", String(80)),
    Column("main", Boolean, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    #: given back or passed on: kept for the history, not for look-ups
    Column("ended_at", UtcDateTime),
    UniqueConstraint("customer_id", "e164", "kind"),
    Index("ix_customer_number_e164", "e164", "ended_at"),
)

customer_profile = Table(
    "customer_profile",
    metadata,
    Column("customer_id", BigId, ForeignKey("customer.id", ondelete="CASCADE"), primary_key=True),
    Column("field", String(40), primary_key=True),
    Column("value", Text, nullable=False),
    Column("source", String(40), nullable=False),
    Column("noted_at", UtcDateTime, nullable=False),
)
