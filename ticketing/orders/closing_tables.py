"""Tables of how an order ends: answers given to the customer, what the surveyor heard, and where it is filed."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, SmallInteger, String, Table, Text

from ticketing.db import BigId, UtcDateTime, id_column, metadata

order_reply = Table(
    "order_reply",
    metadata,
    id_column(),
    Column("order_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), nullable=False),
    Column("cycle", SmallInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("staff_id", BigId, ForeignKey("staff.id")),
    #: answered inside the call, without a work order (IN-02)
    Column("on_the_spot", Boolean, nullable=False),
    Column("opinion", Text, nullable=False),
    Column("result", Text),
    #: leaf of taxonomy reply_mode; another one than the customer asked for has its reason (RP-05)
    Column("channel", String(40)),
    Column("channel_reason", Text),
    #: leaf of taxonomy satisfaction, "refused" and "later" among them
    Column("satisfaction", String(40), nullable=False),
    Column("final", Boolean, nullable=False),
    #: company, customer, third_party, none (PR-18)
    Column("liability", String(16)),
    Column("apology", Boolean),
    #: what quality must look at: no_apology
    Column("quality_flag", String(24)),
    Index("ix_order_reply_order", "order_id", "id"),
)
"""Every answer to the customer, each cycle's kept (RP-03)."""

order_survey = Table(
    "order_survey",
    metadata,
    id_column(),
    Column("order_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), nullable=False),
    Column("cycle", SmallInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("staff_id", BigId, ForeignKey("staff.id")),
    #: satisfied, dissatisfied, unreachable
    Column("outcome", String(16), nullable=False),
    Column("grade", String(40)),
    Column("opinion", Text),
    Column("cause", String(60)),
    Column("wanted", Text),
    #: surveyor, or department: it may call back as well (SV-10); the surveyor's counts
    Column("source", String(12), nullable=False, server_default="surveyor"),
    #: what was done for who complained again: apologised, explained, remedied (SV-04)
    Column("handled", String(20)),
    #: the department's work order
    Column("work_order_id", BigId, ForeignKey("work_order.id")),
    Index("ix_order_survey_order", "order_id", "id"),
)
"""What the customer said when he was called back (SV-05)."""

survey_attempt = Table(
    "survey_attempt",
    metadata,
    id_column(),
    Column("order_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), nullable=False),
    Column("cycle", SmallInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("staff_id", BigId, ForeignKey("staff.id")),
    Column("why", String(20), nullable=False),
    Column("note", Text),
    #: he asked to be called at this time
    Column("not_before", UtcDateTime),
    Index("ix_survey_attempt_order", "order_id", "cycle", "id"),
)
"""Call-backs in vain."""

order_filing = Table(
    "order_filing",
    metadata,
    Column(
        "order_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("at", UtcDateTime, nullable=False),
    Column("staff_id", BigId, ForeignKey("staff.id")),
    Column("content", String(200), nullable=False),
    Column("customer_nature", String(40), nullable=False),
    Column("department", String(60), nullable=False),
    #: shelf of the paper originals
    Column("originals", String(200)),
)
"""The archive's index (KB-09)."""
