"""Tables of what is asked, told, granted and watched beside the steps of an order."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Numeric, SmallInteger, String, Table, Text

from ticketing.db import BigId, UtcDateTime, id_column, metadata

order_coordination = Table(
    "order_coordination",
    metadata,
    id_column(),
    Column("order_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("staff_id", BigId, ForeignKey("staff.id")),
    Column("question", Text, nullable=False),
    #: 1 a leader, 2 the top of the company (PR-15)
    Column("level", SmallInteger, nullable=False),
    #: who had the order, and has it again afterwards
    Column("owner_id", BigId, ForeignKey("staff.id")),
    Column("owner_queue", String(40)),
    Column("ended_at", UtcDateTime),
    #: nobody: the work was done, or the order ended, before a leader decided
    Column("decided_by", BigId, ForeignKey("staff.id")),
    Column("decision", Text),
    Column("lead_unit", String(60)),
)
"""Questions to leaders and their decisions (PR-14)."""

order_response = Table(
    "order_response",
    metadata,
    id_column(),
    Column("order_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("staff_id", BigId, ForeignKey("staff.id")),
    Column("text", Text, nullable=False),
    #: answered, supplement, recall
    Column("outcome", String(16), nullable=False),
    Column("answer", Text),
    Column("work_order_id", BigId, ForeignKey("work_order.id")),
)
"""What was done about each thing a customer added (RT-07, RT-10)."""

order_agreement = Table(
    "order_agreement",
    metadata,
    id_column(),
    Column("order_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("staff_id", BigId, ForeignKey("staff.id")),
    Column("plan", Text, nullable=False),
    Column("told_due_at", UtcDateTime, nullable=False),
    Column("time_reason", Text, nullable=False),
    Column("agreed", Boolean, nullable=False),
)
"""What customers were told of plan and time, and whether they agreed (PR-20)."""

order_remedy = Table(
    "order_remedy",
    metadata,
    id_column(),
    Column("order_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("staff_id", BigId, ForeignKey("staff.id")),
    Column("remedy", String(40), nullable=False),
    Column("amount", Numeric(12, 2)),
    Column("reason", Text, nullable=False),
    #: granted, asked, refused
    Column("state", String(8), nullable=False),
    Column("decided_at", UtcDateTime),
    Column("decided_by", BigId, ForeignKey("staff.id")),
    Column("opinion", Text),
    CheckConstraint("amount >= 0", name="not_negative"),
)
"""Remedies, granted within the granter's limit or by a leader (PR-17)."""

tracking_task = Table(
    "tracking_task",
    metadata,
    id_column(),
    Column("public_id", String(22), nullable=False, unique=True),
    Column("order_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("work_order_id", BigId, ForeignKey("work_order.id", ondelete="CASCADE")),
    #: owner: follow a department's answer up (RP-07); unit: the department watches what it did (RP-08)
    Column("kind", String(8), nullable=False),
    Column("unit", String(60)),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    Column("done_by", BigId, ForeignKey("staff.id")),
    Column("note", Text),
    #: what is told to those above
    Column("upward", Text),
    Index("ix_tracking_task_open", "done_at", "due_at"),
)
"""Work that a finished work order leaves behind."""
