"""Every module that owns tables, imported so that `metadata` is whole before tables are made."""

from __future__ import annotations

from cti.migrations import load_tables


def load_all_tables() -> None:
    """Makes `ticketing.db.metadata` whole."""
    load_tables()
