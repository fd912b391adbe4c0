"""Run by Alembic: hands over the connection it was given and the metadata of all packages."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import CreateIndexOp, DropIndexOp, MigrationScript
from sqlalchemy import JSON, ColumnElement, text

from cti.migrations import load_tables
from ticketing.db import UtcDateTime, metadata


def render_item(kind: str, item: Any, generated: AutogenContext) -> str | Literal[False]:
    """Our own column type by its own name; everything else as Alembic writes it."""
    if kind == "type" and isinstance(item, UtcDateTime):
        generated.imports.add("from ticketing.db import UtcDateTime")
        return "UtcDateTime()"
    if kind == "type" and isinstance(item, JSON):
        generated.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def partial_indexes_as_text(_context: object, _revision: object, scripts: list[MigrationScript]) -> None:
    """The condition of a partial index may be a column in the metadata; a revision needs it in words."""
    for script in scripts:
        for operations in (*script.upgrade_ops_list, *script.downgrade_ops_list):
            _write_conditions(operations)


def _write_conditions(operation: Any) -> None:
    for below in getattr(operation, "ops", ()):
        _write_conditions(below)
    if isinstance(operation, CreateIndexOp | DropIndexOp):
        for name, value in operation.kw.items():
            if name.endswith("_where") and isinstance(value, ColumnElement):
                written = value.compile(compile_kwargs={"include_table": False, "literal_binds": True})
                operation.kw[name] = text(str(written))


load_tables()
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
    render_item=render_item,
    process_revision_directives=partial_indexes_as_text,
)
with context.begin_transaction():
    context.run_migrations()
