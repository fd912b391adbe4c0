"""Tables of grades and of the follow-up of bad ones."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text

from ticketing.db import BigId, UtcDateTime, id_column, metadata

survey_result = Table(
    "survey_result",
    metadata,
    id_column(),
    #: a call is graded once
    Column("call_id", String(80), nullable=False, unique=True),
    #: how it was asked: `ivr` = by key after the talk
    Column("channel", String(8), nullable=False),
    Column("grade", String(4), nullable=False),
    #: 工号 of who talked with the customer
    Column("agent", String(16), nullable=False),
    #: the order the call was about when it was graded
    Column("order_id", BigId, ForeignKey("customer_order.id"), index=True),
    Column("graded_at", UtcDateTime, nullable=False),
    Index("ix_survey_result_agent", "agent", "graded_at"),
)

follow_up = Table(
    "follow_up",
    metadata,
    id_column(),
    #: random; the only id in addresses
    Column("public_id", String(22), nullable=False, unique=True),
    #: one for each bad grade
    Column("result_id", BigId, ForeignKey("survey_result.id"), nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    Column("owner_id", BigId, ForeignKey("staff.id")),
    Column("owner_queue", String(40)),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("claimed_at", UtcDateTime),
    Column("done_at", UtcDateTime),
    Column("opinion", Text),
    Column("final_grade", String(4)),
    Column("changed_at", UtcDateTime, nullable=False),
    #: 工号 of the last change, told to whoever comes too late (F18)
    Column("changed_by", String(16), nullable=False),
    CheckConstraint("done_at IS NOT NULL OR (owner_id IS NULL) <> (owner_queue IS NULL)", name="one_owner"),
    CheckConstraint("state <> 'done' OR opinion IS NOT NULL", name="says_what"),
    Index("ix_follow_up_due", "state", "due_at", "id"),
    Index("ix_follow_up_owner", "owner_id", "state"),
)
