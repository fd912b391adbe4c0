"""Tables of process templates; work orders and orders point to them."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ticketing.db import BigId, Json, UtcDateTime, id_column, metadata

process_template = Table(
    "process_template",
    metadata,
    id_column(),
    Column("code", String(60), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("name_zh", String(80), nullable=False),
    Column("name_en", String(80), nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
)

process_template_version = Table(
    "process_template_version",
    metadata,
    id_column(),
    Column("template_id", BigId, ForeignKey("process_template.id"), nullable=False),
    Column("version", Integer, nullable=False),
    #: empty: a draft
    Column("published_at", UtcDateTime),
    #: 工号
    Column("published_by", String(16)),
    #: from when newly registered orders follow it
    Column("effective_at", UtcDateTime),
    Column("retired_at", UtcDateTime),
    Column("note", Text),
    #: complaint_type, business and nature of each kind of order it is for
    Column("covers", Json, nullable=False, server_default=text("'[]'")),
    #: further required elements, follow-up yes or no, whole limit: read by rules, so that a template needs no deploy
    Column("settings", Json, nullable=False),
    UniqueConstraint("template_id", "version"),
)
"""Running orders keep the version they began with; a published one is never changed (DP-14)."""

Index(
    "ux_process_template_draft",
    process_template_version.c.template_id,
    unique=True,
    sqlite_where=text("published_at IS NULL"),
    postgresql_where=text("published_at IS NULL"),
)

process_node = Table(
    "process_node",
    metadata,
    id_column(),
    Column("version_id", BigId, ForeignKey("process_template_version.id", ondelete="CASCADE"), nullable=False),
    Column("code", String(60), nullable=False),
    Column("name_zh", String(80), nullable=False),
    Column("name_en", String(80), nullable=False),
    Column("position", SmallInteger, nullable=False),
    #: codes of the nodes that must be done before; none: starts at dispatch
    Column("after", Json, nullable=False),
    Column("unit", String(60)),
    #: code of taxonomy duty: the responsibility map says the unit on the day it starts
    Column("duty", String(60)),
    Column("workplace", String(60)),
    Column("task", Text),
    Column("limit_s", Integer),
    #: the limit counts the unit's working time, not every hour
    Column("working_time", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("version_id", "code"),
)
