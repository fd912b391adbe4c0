"""Table of nuisance callers."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Table

from ticketing.db import UtcDateTime, id_column, metadata

nuisance_number = Table(
    "nuisance_number",
    metadata,
    id_column(),
    #: random; the only id in addresses
    Column("public_id", String(22), nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    #: as numbers are stored and compared
    Column("number", String(32), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    #: a person struck it off before its end
    Column("off_at", UtcDateTime),
    Column("created_by", String(16), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    #: 工号 of the last change, told to whoever comes too late (F18)
    Column("changed_by", String(16), nullable=False),
    CheckConstraint("starts_at < ends_at", name="in_order"),
    Index("ix_nuisance_number_number", "number", "ends_at"),
    Index("ix_nuisance_number_ends", "ends_at"),
)
