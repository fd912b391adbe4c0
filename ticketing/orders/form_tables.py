"""Tables of what the form is made of: templates of orders and common phrases."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, text

from ticketing.db import Json, UtcDateTime, id_column, metadata

order_template = Table(
    "order_template",
    metadata,
    id_column(),
    Column("code", String(40), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("complaint_type", String(60)),
    Column("business", String(60)),
    Column("zh", String(64), nullable=False),
    Column("en", String(64), nullable=False),
    Column("asks", Json, nullable=False),
    Column("prefill", Json, nullable=False),
    Column("prompts", Json, nullable=False),
    Column("retired", Boolean, nullable=False, server_default=text("false")),
    #: an administrator has written it: the data file changes it no more
    Column("edited", Boolean, nullable=False, server_default=text("false")),
    Column("version", Integer, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)
"""Orders keep what they were asked (`customer_order.form`): a template may change at any time (IN-05)."""

phrase = Table(
    "phrase",
    metadata,
    id_column(),
    Column("code", String(40), nullable=False, unique=True),
    #: element of the form it is offered for
    Column("field", String(40), nullable=False),
    #: leaf or branch; None: every type of complaint
    Column("complaint_type", String(60)),
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("retired", Boolean, nullable=False, server_default=text("false")),
    Column("edited", Boolean, nullable=False, server_default=text("false")),
    Column("version", Integer, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Index("ix_phrase_field", "field", "place"),
)
"""Common words of complaints, inserted with one click (IN-16)."""
