"""Schema of what the web keeps for itself: answers to repeated requests, and how fast pops were painted."""

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text, UniqueConstraint

from ticketing.db import BigId, UtcDateTime, id_column, metadata

__all__ = ["idempotency", "pop_latency"]

idempotency = Table(
    "idempotency",
    metadata,
    Column("staff_id", BigId, primary_key=True, autoincrement=False),
    Column("key", String(64), primary_key=True),
    Column("route", String(64), nullable=False),
    #: SHA-256 of the body, so that a key is not answered for another request
    Column("digest", String(64), nullable=False),
    Column("status", Integer),
    Column("answer", Text),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)

pop_latency = Table(
    "pop_latency",
    metadata,
    id_column(),
    Column("call_id", String(80), nullable=False),
    Column("agent", String(16), nullable=False),
    Column("event_at", UtcDateTime, nullable=False),
    Column("painted_at", UtcDateTime, nullable=False),
    Column("ms", Float, nullable=False),
    #: page = the browser's clock; server = its clock cannot be right, so the report's arrival counts
    Column("clock", String(8), nullable=False),
    UniqueConstraint("call_id", "agent"),
    Index("ix_pop_latency_event_at", "event_at"),
)
"""The first painting of each pop (TL-33)."""
