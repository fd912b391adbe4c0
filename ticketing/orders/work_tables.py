"""Tables of what departments must do: work orders, their amendments, and reviews."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ticketing.db import BigId, Json, UtcDateTime, id_column, metadata

work_order = Table(
    "work_order",
    metadata,
    id_column(),
    Column("public_id", String(22), nullable=False, unique=True),
    Column("order_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), nullable=False),
    #: 1..n within the order; printed as serial-n
    Column("number", SmallInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("cycle", SmallInteger, nullable=False),
    #: work, field (a head's sub-task), verify (an appeal's sheet)
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("control", String(8), nullable=False),
    Column("node_id", BigId, ForeignKey("process_node.id")),
    #: head of the sub-task, or the work order this one was transferred from
    Column("parent_id", BigId, ForeignKey("work_order.id")),
    # to whom
    Column("unit", String(60), nullable=False),
    Column("workplace", String(60)),
    Column("team_id", BigId, ForeignKey("team.id")),
    Column("owner_id", BigId, ForeignKey("staff.id")),
    Column("owner_queue", String(40)),
    # what
    Column("task", Text),
    Column("dispatch_opinion", Text, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("limit_s", Integer),
    #: the limit counts the unit's working time (K9), not every hour
    Column("working_time", Boolean, nullable=False, server_default=text("false")),
    #: the limit of its stage clock, kept here for lists; empty while it stands still
    Column("due_at", UtcDateTime),
    Column("dispatched_by", BigId, ForeignKey("staff.id")),
    # times
    Column("created_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("delivered_at", UtcDateTime),
    Column("accepted_at", UtcDateTime),
    Column("working_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("changed_at", UtcDateTime, nullable=False),
    # what came of it (PR-02…PR-09, PR-17, PR-18)
    Column("process_notes", Text),
    Column("result", Text),
    Column("cause", String(60)),
    Column("opinion", Text),
    Column("service_number", String(40)),
    Column("handled_at", UtcDateTime),
    Column("overtime_reason", Text),
    Column("end_reason", Text),
    Column("liability", String(16)),
    Column("apology", Boolean),
    Column("remedy", String(40)),
    Column("remedy_amount", Numeric(12, 2)),
    #: the further fields of a return, a transfer or a verification sheet
    Column("form", Json, nullable=False),
    UniqueConstraint("order_id", "number"),
    CheckConstraint("ended_at IS NOT NULL OR (owner_id IS NULL) <> (owner_queue IS NULL)", name="one_owner"),
    CheckConstraint("remedy_amount >= 0", name="remedy"),
    Index("ix_work_order_team", "team_id", "state"),
    Index("ix_work_order_owner", "owner_id", "state"),
    #: a unit's inbox, and the orders it may see
    Index("ix_work_order_unit", "unit", "state", "order_id"),
)

work_order_amendment = Table(
    "work_order_amendment",
    metadata,
    id_column(),
    Column("work_order_id", BigId, ForeignKey("work_order.id", ondelete="CASCADE"), nullable=False, index=True),
    #: supplement 追单, recall 退单, extension 延期, chase 催单
    Column("kind", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("staff_id", BigId, ForeignKey("staff.id")),
    Column("review_id", BigId, ForeignKey("review.id")),
    Column("contact_id", BigId, ForeignKey("contact.id")),
    Column("reason", Text, nullable=False),
    Column("old_task", Text),
    Column("new_task", Text),
    Column("old_due_at", UtcDateTime),
    Column("new_due_at", UtcDateTime),
    #: of a chase: customer or centre
    Column("asked_by", String(16)),
    #: of a chase: 工号 or unit whom it reached
    Column("reached", String(60)),
    Column("decided_at", UtcDateTime),
    Column("decided_by", BigId, ForeignKey("staff.id")),
    #: whoever holds the work order must say that he has read it (DP-08, DP-09, SV-03)
    Column("acknowledged_at", UtcDateTime),
    Column("acknowledged_by", BigId, ForeignKey("staff.id")),
)

review = Table(
    "review",
    metadata,
    id_column(),
    Column("public_id", String(22), nullable=False, unique=True),
    Column("order_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("work_order_id", BigId, ForeignKey("work_order.id")),
    Column("kind", String(16), nullable=False),
    #: open, approved, sent_back, invalid, withdrawn
    Column("state", String(16), nullable=False),
    Column("author_id", BigId, ForeignKey("staff.id")),
    Column("created_at", UtcDateTime, nullable=False),
    #: departments, opinion, limits and class as proposed
    Column("proposal", Json, nullable=False),
    Column("reviewer_id", BigId, ForeignKey("staff.id")),
    Column("decided_at", UtcDateTime),
    Column("opinion", Text),
    #: each check of RV-04 with its result
    Column("checks", Json, nullable=False),
    Column("error_codes", Json, nullable=False),
    #: number of the written warning that goes with a second dispatch (RE-08)
    Column("warning_document", String(40)),
    CheckConstraint(
        "reviewer_id IS NULL OR author_id IS NULL OR reviewer_id <> author_id OR state = 'withdrawn'",
        name="second_person",
    ),
)
"""A second person's look at what a first one proposes (RV-01, RV-02)."""
