"""Orders are searched by words (TL-72): the index of terms, filled from what orders say already."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

# The function the service writes the index with: what is read by it later must have been cut by it.
from ticketing.text import index_terms

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None

_TEXTS = (
    "contact_name",
    "contact_address",
    "event_place",
    "description",
    "verbatim",
    "wanted_result",
    "promise_text",
    "end_note",
)
#: orders read and written at a time
_BATCH = 500


def upgrade() -> None:
    """Forward."""
    big_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    table = op.create_table(
        "order_term",
        sa.Column("term", sa.String(40).with_variant(sa.String(40, collation="C"), "postgresql"), nullable=False),
        sa.Column("order_id", big_id, nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["customer_order.id"], name=op.f("fk_order_term_order_id_customer_order"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("term", "order_id", name=op.f("pk_order_term")),
    )
    op.create_index(op.f("ix_order_term_order_id"), "order_term", ["order_id"])
    _fill(op.get_bind(), table)


def _fill(conn: sa.Connection, table: sa.Table) -> None:
    order = sa.table("customer_order", sa.column("id"), sa.column("customer_id"), *map(sa.column, _TEXTS))
    customer = sa.table("customer", sa.column("id"), sa.column("name"))
    addendum = sa.table("order_addendum", sa.column("order_id"), sa.column("text"))
    last = 0
    while True:
        rows = conn.execute(
            sa.select(order.c.id, customer.c.name, *(order.c[name] for name in _TEXTS))
            .select_from(order.outerjoin(customer, customer.c.id == order.c.customer_id))
            .where(order.c.id > last)
            .order_by(order.c.id)
            .limit(_BATCH)
        ).all()
        if not rows:
            return
        first, last = rows[0].id, rows[-1].id
        texts = {row.id: [text for text in row[1:] if text] for row in rows}
        said = sa.select(addendum.c.order_id, addendum.c.text).where(addendum.c.order_id.between(first, last))
        for row in conn.execute(said):
            texts[row.order_id].append(row.text)
        terms = [
            {"term": term, "order_id": id_} for id_, parts in texts.items() for term in index_terms("\n".join(parts))
        ]
        if terms:
            conn.execute(sa.insert(table), terms)


def downgrade() -> None:
    """Back."""
    op.drop_index(op.f("ix_order_term_order_id"), "order_term")
    op.drop_table("order_term")
