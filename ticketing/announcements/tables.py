"""Table of service announcements."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Table

from ticketing.db import Json, UtcDateTime, id_column, metadata

announcement = Table(
    "announcement",
    metadata,
    id_column(),
    #: random; the only id in addresses
    Column("public_id", String(22), nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    #: id of the recorded prompt
    Column("prompt", String(64), nullable=False),
    #: numbers dialled; an empty list = all
    Column("dnis", Json, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("off_at", UtcDateTime),
    Column("note", String(500)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(16), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    #: 工号 of the last change, told to whoever comes too late (F18)
    Column("changed_by", String(16), nullable=False),
    CheckConstraint("starts_at < ends_at", name="in_order"),
    Index("ix_announcement_ends", "ends_at"),
)
