"""Tables of papers, their files and the register of originals."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from ticketing.db import BigId, UtcDateTime, id_column, metadata

paper = Table(
    "paper",
    metadata,
    id_column(),
    #: random; the only id in addresses
    Column("public_id", String(22), nullable=False, unique=True),
    #: number it is talked about by: same space as orders (PX-03)
    Column("serial", String(12), nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    # what arrived: never edited
    Column("channel", String(16), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("registered_by", String(16), nullable=False),
    Column("sender", String(200)),
    Column("number", String(32)),
    Column("unit", String(64)),
    Column("subject", String(500)),
    Column("mail_number", String(80)),
    Column("customer_id", BigId, ForeignKey("customer.id")),
    Column("contact_id", BigId, ForeignKey("contact.id"), nullable=False, unique=True),
    # who has it
    Column("owner_id", BigId, ForeignKey("staff.id")),
    Column("owner_queue", String(40)),
    Column("claimed_at", UtcDateTime),
    # the two hours (K3, K4, G5)
    Column("due_at", UtcDateTime, nullable=False),
    Column("warn_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("outcome", String(10)),
    Column("discard_reason", String(40)),
    Column("note", Text),
    # where the original is (KB-11)
    Column("original", String(8), nullable=False),
    Column("holder", String(80)),
    Column("place", String(200)),
    Column("handed_at", UtcDateTime),
    Column("changed_at", UtcDateTime, nullable=False),
    #: 工号 of the last change, told to whoever comes too late (F18)
    Column("changed_by", String(16), nullable=False),
    UniqueConstraint("channel", "mail_number"),
    CheckConstraint("ended_at IS NOT NULL OR (owner_id IS NULL) <> (owner_queue IS NULL)", name="one_owner"),
    CheckConstraint("state <> 'discarded' OR discard_reason IS NOT NULL", name="reasoned"),
    CheckConstraint("original NOT IN ('filed', 'lent') OR place IS NOT NULL", name="lies_somewhere"),
    Index("ix_paper_due", "state", "due_at", "id"),
    Index("ix_paper_original", "original", "due_at", "id"),
    Index("ix_paper_owner", "owner_id", "state"),
)

paper_file = Table(
    "paper_file",
    metadata,
    id_column(),
    Column("public_id", String(22), nullable=False, unique=True),
    Column("paper_id", BigId, ForeignKey("paper.id"), nullable=False),
    #: as its sender calls it; never part of a path
    Column("name", String(120), nullable=False),
    #: by its content
    Column("media_type", String(40), nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    #: name in the store, made by us
    Column("key", String(64), nullable=False, unique=True),
    Column("added_at", UtcDateTime, nullable=False),
    Column("added_by", String(16), nullable=False),
    UniqueConstraint("paper_id", "sha256"),
)

paper_custody = Table(
    "paper_custody",
    metadata,
    id_column(),
    Column("paper_id", BigId, ForeignKey("paper.id"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("move", String(12), nullable=False),
    Column("by", String(16), nullable=False),
    Column("to", String(80)),
    Column("place", String(200)),
    Column("note", String(500)),
)
"""Every hand the original went through, in order: lines are added, never changed (KB-11)."""
