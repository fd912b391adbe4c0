"""Qualifications and skills of the staff."""
# ruff: noqa
# Written by `python -m cti.migrations`, then read by a person.

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from ticketing.db import UtcDateTime

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "staff_qualification",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("post", sa.String(length=4), nullable=False),
        sa.Column("what", sa.String(length=200), nullable=False),
        sa.Column("obtained_on", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_qualification_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_qualification")),
    )
    with op.batch_alter_table("staff_qualification", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_qualification_staff_id"), ["staff_id"], unique=False)
    op.create_table(
        "staff_skill",
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("skill", sa.String(length=64), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("level BETWEEN 1 AND 5", name=op.f("ck_staff_skill_level")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_skill_staff_id_staff")),
        sa.PrimaryKeyConstraint("staff_id", "skill", name=op.f("pk_staff_skill")),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("staff_skill")
    with op.batch_alter_table("staff_qualification", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_staff_qualification_staff_id"))
    op.drop_table("staff_qualification")
