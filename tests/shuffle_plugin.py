"""`--shuffle SEED`: the tests of a run in another order, drawn from the seed and across files (`make proof-order`).

Each test's place is drawn by its own name: a part of the tests keeps the order it had among all of them, so that a
failure which one order brings can be narrowed down by naming fewer files.
"""

from __future__ import annotations

import hashlib

import pytest


def place(seed: int, test: str) -> bytes:
    """What the tests are sorted by."""
    return hashlib.sha256(f"{seed} {test}".encode()).digest()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The seed."""
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run the tests in the order that this seed gives")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """After whoever else sorts: also tests that share what is set up once are taken apart."""
    seed: int | None = config.getoption("shuffle")
    if seed is not None:
        items.sort(key=lambda item: place(seed, item.nodeid))
