"""The log of a service that runs inside a test's own process: written as the product writes it, so that it can be
looked through (S25)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from cti import logs


@contextmanager
def kept(folder: Path) -> Iterator[None]:
    """Everything goes to `hotline.jsonl` in this folder; afterwards logging is as it was, the test's own included."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    logs.configure(folder, "info")
    ours = root.handlers[:]
    root.handlers = [*before, *ours]
    try:
        yield
    finally:
        for handler in ours:
            root.removeHandler(handler)
            handler.close()
        root.setLevel(level)
        structlog.reset_defaults()
