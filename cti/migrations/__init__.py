"""Alembic over the tables of all packages: the composition layer of the schema."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from types import ModuleType

import recordings
import ticketing

_SINGLE = ("cti.tables", "cti.lease")


def load_tables() -> list[ModuleType]:
    """Imports every module that declares tables, so that `ticketing.db.metadata` is whole."""
    names = [
        found.name
        for package in (ticketing, recordings)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if found.name.rpartition(".")[2] in {"tables", "audit", "sealing", "outbox", "serials", "taxonomy", "calendar"}
    ]
    names += [name for name in _SINGLE if importlib.util.find_spec(name)]
    return [importlib.import_module(name) for name in names]
