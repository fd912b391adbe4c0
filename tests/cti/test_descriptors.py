"""The limit of files and sockets: widened at a start, and shared so that pages leave callers enough (F29)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cti import descriptors

_WIDENED = """
import resource
from cti import descriptors
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
print(descriptors.widen(), descriptors.for_pages(), resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.req("F29")
@pytest.mark.parametrize(
    ("soft", "hard", "told"),
    [(100, 400, "400 200 (400, 400)"), (400, 400, "400 200 (400, 400)")],
    ids=["widened", "as it was"],
)
def test_a_process_has_what_the_system_allows_and_pages_half_of_it(soft: int, hard: int, told: str) -> None:
    """In a process of its own: a limit that was lowered cannot be raised again."""
    asked = _WIDENED.format(soft=soft, hard=hard)
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == told


def test_what_is_open_is_counted() -> None:
    before, most = descriptors.now()
    with open("/dev/null", "rb"):
        assert descriptors.now() == (before + 1, most)
