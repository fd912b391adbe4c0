"""Schema of staff, teams, credentials, web sessions and agent states."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, ForeignKey, Index, Integer, SmallInteger, String, Table

from ticketing.db import BigId, UtcDateTime, id_column, metadata

team = Table(
    "team",
    metadata,
    id_column(),
    Column("code", String(32), nullable=False, unique=True),
    Column("name", String(64), nullable=False),
)

staff = Table(
    "staff",
    metadata,
    id_column(),
    Column("number", String(16), nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("team_id", BigId, ForeignKey("team.id"), index=True),
    #: leaf of taxonomy `unit`, for department staff
    Column("unit", String(64)),
    Column("phone_kind", String(8), nullable=False),
    Column("language", String(8), nullable=False),
    Column("vip_overflow", Boolean, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
)

staff_post = Table(
    "staff_post",
    metadata,
    Column("staff_id", BigId, ForeignKey("staff.id"), primary_key=True),
    Column("post", String(4), primary_key=True),
)

staff_qualification = Table(
    "staff_qualification",
    metadata,
    id_column(),
    Column("staff_id", BigId, ForeignKey("staff.id"), nullable=False, index=True),
    Column("post", String(4), nullable=False),
    #: certificate, examination, training
    Column("what", String(200), nullable=False),
    Column("obtained_on", Date, nullable=False),
    #: last day on which it counts
    Column("valid_to", Date),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("recorded_by", String(16), nullable=False),
)
"""On record before a post is granted (AD-04)."""

staff_skill = Table(
    "staff_skill",
    metadata,
    Column("staff_id", BigId, ForeignKey("staff.id"), primary_key=True),
    #: node of taxonomy `business`: it covers everything below
    Column("skill", String(64), primary_key=True),
    Column("level", SmallInteger, nullable=False),
    CheckConstraint("level BETWEEN 1 AND 5", name="level"),
)
"""Specialties of a person (AD-02)."""

credential = Table(
    "credential",
    metadata,
    Column("staff_id", BigId, ForeignKey("staff.id"), primary_key=True, autoincrement=False),
    Column("hash", String(200), nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
)
"""argon2id only; no row means nobody can sign in under this number."""

web_session = Table(
    "web_session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("staff_id", BigId, ForeignKey("staff.id"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("revoked_at", UtcDateTime),
    Column("address", String(64), nullable=False),
)
"""Server-side sessions: the browser holds the token, this table only its SHA-256."""

setup_token = Table(
    "setup_token",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    #: the one person whose password it sets; NULL: the first passwords of the installation
    Column("staff_id", BigId, ForeignKey("staff.id"), index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("spent_at", UtcDateTime),
)

sign_in_attempt = Table(
    "sign_in_attempt",
    metadata,
    #: account | address
    Column("kind", String(8), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime),
)
"""Attempts not yet shown to be right; counted before the password is looked at, so that a race gains nothing."""

post_queue = Table(
    "post_queue",
    metadata,
    Column("post", String(4), primary_key=True),
    Column("queue", String(64), primary_key=True),
)

team_queue = Table(
    "team_queue",
    metadata,
    Column("team_id", BigId, ForeignKey("team.id"), primary_key=True),
    Column("queue", String(64), primary_key=True),
)
"""Queues a signed-in agent joins: those of his posts and those of his team."""

agent_state = Table(
    "agent_state",
    metadata,
    Column("staff_id", BigId, ForeignKey("staff.id"), primary_key=True, autoincrement=False),
    Column("state", String(12), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("reason", String(64)),
    Column("call_id", String(80)),
    #: state to go back to after a call: ready | paused
    Column("resume", String(12), nullable=False),
    Column("wrap_up_until", UtcDateTime, index=True),
    #: time of the last fact the telephone told; older ones are stale
    Column("fact_at", UtcDateTime),
    Column("phone_kind", String(8)),
    Column("version", Integer, nullable=False),
)

agent_state_log = Table(
    "agent_state_log",
    metadata,
    id_column(),
    Column("staff_id", BigId, ForeignKey("staff.id"), nullable=False),
    Column("state", String(12), nullable=False),
    Column("reason", String(64)),
    Column("call_id", String(80)),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Index("ix_agent_state_log_staff_started", "staff_id", "started_at"),
    Index("ix_agent_state_log_staff_open", "staff_id", "ended_at"),
)
"""Every state an agent was in, for reports (TL-43)."""
