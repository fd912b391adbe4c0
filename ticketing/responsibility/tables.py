"""Table of the responsibility map."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text

from ticketing.db import BigId, UtcDateTime, id_column, metadata

responsibility = Table(
    "responsibility",
    metadata,
    id_column(),
    Column("public_id", String(22), nullable=False, unique=True),
    #: code of taxonomy duty
    Column("duty", String(60), nullable=False),
    #: which orders: a branch covers what is below it, empty covers all
    Column("complaint_type", String(60)),
    Column("business", String(60)),
    Column("nature", String(60)),
    #: leaf of taxonomy unit
    Column("unit", String(60), nullable=False),
    #: from this moment to just before that one
    Column("valid_from", UtcDateTime, nullable=False),
    Column("valid_until", UtcDateTime),
    #: the line whose unit it took the duty from
    Column("replaces_id", BigId, ForeignKey("responsibility.id")),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name="span"),
    Index("ix_responsibility_duty", "duty", "valid_from"),
)
"""A line is closed, never changed: who was responsible at a past moment stays readable."""
