"""What a test needs and this machine has not: skipped by name, but never when every test was asked for (PX-08)."""

from __future__ import annotations

import os
from typing import Final, NoReturn

import pytest

#: set by `make test`: nothing may be skipped
ALL: Final = "HOTLINE_TEST_ALL"
#: =1 runs every boundary, step or part of tests that otherwise take a sample
LONG: Final = "HOTLINE_TEST_LONG"
#: =1 looks for new examples; otherwise each run tries the same ones, and a slow machine fails none
SEARCH: Final = "HOTLINE_TEST_SEARCH"


def every_test() -> bool:
    """Whether every test was asked for."""
    return os.environ.get(ALL) == "1"


def missing(reason: str) -> NoReturn:
    """Ends the test that cannot run here: skipped with the reason, failed when every test was asked for."""
    if every_test():
        pytest.fail(reason)
    pytest.skip(reason)
