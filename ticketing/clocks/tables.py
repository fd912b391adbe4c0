"""Tables of clocks, the stretches in which each ran, changed limits and cards."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from ticketing.db import BigId, Json, UtcDateTime, id_column, metadata

clock = Table(
    "clock",
    metadata,
    id_column(),
    Column("order_id", BigId, ForeignKey("customer_order.id", ondelete="CASCADE"), nullable=False),
    Column("work_order_id", BigId, ForeignKey("work_order.id", ondelete="CASCADE")),
    Column("code", String(8), nullable=False),
    Column("anchor", String(1), nullable=False),
    #: dispatch and reply cycle it belongs to
    Column("cycle", Integer, nullable=False),
    Column("target_s", Integer),
    #: absolute limit, where one was given: a promise, a requested end
    Column("given_due_at", UtcDateTime),
    Column("lead_s", Integer, nullable=False),
    #: working calendar with its version, `office@2`: a later version moves no running deadline
    Column("calendar", String(40)),
    #: the limit was set anew then: what ran before does not count
    Column("counts_from", UtcDateTime),
    Column("started_at", UtcDateTime, nullable=False),
    Column("stopped_at", UtcDateTime),
    Column("outcome", String(10)),
    Column("paused_s", Integer, nullable=False),
    #: derived from the segments, kept for the index; empty while it stands still
    Column("due_at", UtcDateTime),
    Column("warn_at", UtcDateTime),
    #: when its next card is due; empty when both were given, or it stands still
    Column("next_card_at", UtcDateTime),
    Index("ix_clock_order", "order_id", "code"),
    Index("ix_clock_started", "code", "started_at"),
)

#: due work is found here, never by looking at what is open
Index(
    "ix_clock_due",
    clock.c.due_at,
    sqlite_where=text("stopped_at IS NULL AND due_at IS NOT NULL"),
    postgresql_where=text("stopped_at IS NULL AND due_at IS NOT NULL"),
)
#: cards are found here: neither what is open nor what is long overdue makes a look longer
Index(
    "ix_clock_next_card",
    clock.c.next_card_at,
    sqlite_where=text("stopped_at IS NULL AND next_card_at IS NOT NULL"),
    postgresql_where=text("stopped_at IS NULL AND next_card_at IS NOT NULL"),
)

clock_segment = Table(
    "clock_segment",
    metadata,
    id_column(),
    Column("clock_id", BigId, ForeignKey("clock.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("stopped_at", UtcDateTime),
    Column("start_reason", String(40), nullable=False),
    Column("stop_reason", String(40)),
)

clock_change = Table(
    "clock_change",
    metadata,
    id_column(),
    Column("clock_id", BigId, ForeignKey("clock.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("old_due_at", UtcDateTime),
    Column("new_due_at", UtcDateTime),
    Column("reason", Text, nullable=False),
    Column("actor", String(16), nullable=False),
)
"""A limit that was changed keeps its old deadline (DP-08)."""

clock_card = Table(
    "clock_card",
    metadata,
    Column("clock_id", BigId, ForeignKey("clock.id", ondelete="CASCADE"), primary_key=True),
    Column("card", String(8), primary_key=True),
    Column("fired_at", UtcDateTime, nullable=False),
)
"""Each card fires once, also after a crash: the key says so (MN-07)."""

work_calendar = Table(
    "work_calendar",
    metadata,
    id_column(),
    Column("code", String(30), nullable=False),
    Column("version", Integer, nullable=False),
    #: shifts, holidays and make-up workdays as a data file or the page gives them
    Column("fields", Json, nullable=False),
    Column("published_at", UtcDateTime, nullable=False),
    Column("published_by", String(16), nullable=False),
    UniqueConstraint("code", "version"),
)
"""Working calendars; a version is never changed, so that old deadlines can be computed again (N6)."""

unit_calendar = Table(
    "unit_calendar",
    metadata,
    #: code of taxonomy unit, a branch speaks for its leaves; `*` for everybody else
    Column("unit", String(60), primary_key=True),
    Column("calendar", String(30), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", String(16), nullable=False),
)
"""Which calendar a unit works by."""

clock_setting = Table(
    "clock_setting",
    metadata,
    Column("code", String(8), primary_key=True),
    #: empty: as the data file says
    Column("target_s", Integer),
    Column("lead_s", Integer),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", String(16), nullable=False),
)
"""Limits and leads an administrator changed; clocks that run keep theirs (MN-08)."""
