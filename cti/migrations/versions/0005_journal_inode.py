"""Which file of a journal was read."""
# ruff: noqa

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Forward."""
    op.add_column("ami_offset", sa.Column("inode", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    """Back."""
    op.drop_column("ami_offset", "inode")
