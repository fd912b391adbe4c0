"""Table of the files put to work orders."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, String, Table, UniqueConstraint

from ticketing.db import BigId, UtcDateTime, id_column, metadata

work_order_file = Table(
    "work_order_file",
    metadata,
    id_column(),
    Column("public_id", String(22), nullable=False, unique=True),
    Column("order_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("work_order_id", BigId, ForeignKey("work_order.id", ondelete="CASCADE"), nullable=False),
    #: as its sender calls it; never part of a path
    Column("name", String(120), nullable=False),
    #: by its content
    Column("media_type", String(40), nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    #: name in the store, made by us
    Column("key", String(64), nullable=False, unique=True),
    Column("added_at", UtcDateTime, nullable=False),
    Column("added_by", String(16), nullable=False),
    UniqueConstraint("work_order_id", "sha256"),
)
