"""Alembic over the tables of all packages: the composition layer of the schema.

A new revision, after tables changed: `python -m cti.migrations "what changed"`; read it before it is committed.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import cti
import recordings
import ticketing

#: last part of the name of every module that declares tables
_DECLARES = frozenset(
    {"tables", "work_tables", "lease", "audit", "sealing", "outbox", "serials", "taxonomy", "calendar"}
)


def load_tables() -> list[ModuleType]:
    """Imports every module that declares tables, so that `ticketing.db.metadata` is whole."""
    names = sorted(
        found.name
        for package in (ticketing, recordings, cti)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if found.name.rpartition(".")[2] in _DECLARES
    )
    return [importlib.import_module(name) for name in names]
