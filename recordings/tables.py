"""Schema of recordings."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Integer, String, Table

from ticketing.db import UtcDateTime, id_column, metadata

recording = Table(
    "recording",
    metadata,
    id_column(),
    Column("public_id", String(24), nullable=False, unique=True),
    Column("call_id", String(80), nullable=False, unique=True),
    Column("state", String(12), nullable=False, index=True),
    Column("alarm", String(24)),
    Column("seconds", Float),
    Column("expected_seconds", Float),
    Column("path", String(120)),
    Column("sha256", String(64)),
    Column("size", BigInteger),
    Column("caller_db", Float),
    Column("agent_db", Float),
    Column("scans", Integer, nullable=False),
    Column("next_scan_at", UtcDateTime, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
)
"""One row a call; the file is below the recordings' root and its digest says whether it is still the same."""
