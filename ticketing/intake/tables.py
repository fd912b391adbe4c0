"""Table of recorded complaints."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from ticketing.db import BigId, UtcDateTime, id_column, metadata

intake_item = Table(
    "intake_item",
    metadata,
    id_column(),
    #: random; the only id in addresses
    Column("public_id", String(22), nullable=False, unique=True),
    #: the number read to the caller: same space as orders (PX-03)
    Column("serial", String(12), nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    Column("sorted_out", String(12)),
    # what the telephone said: never edited
    #: stem of the voice file, `<call id>-msg-<n>`: the same message is never taken in twice
    Column("key", String(80), nullable=False, unique=True),
    Column("call_id", String(80), nullable=False, index=True),
    Column("caller_number", String(32)),
    Column("language", String(8), nullable=False),
    Column("dnis", String(32), nullable=False),
    Column("queue", String(40)),
    Column("seconds", Float),
    Column("how", String(16), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    # who it is about and where it belongs
    Column("customer_id", BigId, ForeignKey("customer.id")),
    Column("contact_id", BigId, ForeignKey("contact.id"), nullable=False),
    #: open callback of the same number when it came, or booked while it waited
    Column("callback_id", BigId, ForeignKey("callback.id"), index=True),
    # who has it
    Column("owner_id", BigId, ForeignKey("staff.id")),
    Column("owner_queue", String(40)),
    Column("claimed_at", UtcDateTime),
    # K3: one stretch from the receipt stamp to the end; the limit is derived and kept for the index
    Column("due_at", UtcDateTime, nullable=False),
    Column("warn_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("outcome", String(10)),
    Column("discard_reason", String(40)),
    Column("note", Text),
    Column("changed_at", UtcDateTime, nullable=False),
    #: 工号 of the last change, told to whoever comes too late (F18)
    Column("changed_by", String(16), nullable=False),
    CheckConstraint("ended_at IS NOT NULL OR (owner_id IS NULL) <> (owner_queue IS NULL)", name="one_owner"),
    CheckConstraint("state <> 'discarded' OR discard_reason IS NOT NULL", name="reasoned"),
    CheckConstraint("state <> 'sorted_out' OR sorted_out IS NOT NULL", name="says_why"),
    Index("ix_intake_item_due", "state", "due_at", "id"),
    Index("ix_intake_item_number", "caller_number", "received_at"),
    Index("ix_intake_item_owner", "owner_id", "state"),
)
