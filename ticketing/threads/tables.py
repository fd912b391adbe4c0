"""Tables of the threads of units."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, String, Table, Text, UniqueConstraint

from ticketing.db import BigId, UtcDateTime, id_column, metadata

thread_message = Table(
    "thread_message",
    metadata,
    id_column(),
    #: random; the only id in addresses
    Column("public_id", String(22), nullable=False, unique=True),
    #: leaf of taxonomy unit: whose thread it is in
    Column("unit", String(60), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("staff_id", BigId, ForeignKey("staff.id"), nullable=False),
    #: 工号 and name as they were
    Column("author_number", String(16), nullable=False),
    Column("author_name", String(80), nullable=False),
    #: somebody of the unit said it; else the centre
    Column("from_unit", Boolean, nullable=False),
    Column("text", Text, nullable=False),
    #: what it is about; the words outlive an order that is erased
    Column("order_id", BigId, ForeignKey("customer_order.id", ondelete="SET NULL"), index=True),
    Column("work_order_id", BigId, ForeignKey("work_order.id", ondelete="SET NULL"), index=True),
    Index("ix_thread_message_unit", "unit", "id"),
)
"""What was said in each unit's thread."""

thread_read = Table(
    "thread_read",
    metadata,
    id_column(),
    Column("staff_id", BigId, ForeignKey("staff.id", ondelete="CASCADE"), nullable=False),
    Column("unit", String(60), nullable=False),
    #: key of the last message he has read; no reference, so that he need not read again what was erased
    Column("message_id", BigId, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("staff_id", "unit"),
)
"""Up to where each person has read."""
