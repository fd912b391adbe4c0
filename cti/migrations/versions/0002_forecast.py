"""The expected wait that a caller was told (TL-14)."""
# ruff: noqa

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from ticketing.db import UtcDateTime

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Forward."""
    with op.batch_alter_table("call", schema=None) as batch_op:
        batch_op.add_column(sa.Column("forecast_s", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("forecast_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("forecast_place", sa.Integer(), nullable=True))
