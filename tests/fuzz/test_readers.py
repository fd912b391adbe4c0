"""Every reader with its kept corpus, and with what hypothesis makes of it (S03, S04, S23)."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings, target
from hypothesis import strategies as st

from tests.absent import LONG
from tests.fuzz.corpus import beginnings, kept
from tests.fuzz.targets import TARGETS

EXAMPLES = 20_000 if os.environ.get(LONG) == "1" else 150


@pytest.mark.req("S03", "S04", "S23")
@pytest.mark.parametrize("name", TARGETS)
def test_what_guided_runs_found(name: str) -> None:
    """Beginnings and finds alike."""
    assert len(kept(name)) >= 5, "the corpus is kept"
    for data in (b"", *beginnings(name), *kept(name)):
        TARGETS[name](data)


@pytest.mark.req("S03", "S04", "S23")
@pytest.mark.parametrize("name", TARGETS)
def test_what_is_made_of_it(name: str) -> None:
    """Pieces of what is known, cut, put together and changed; longer ones first."""
    known = [*beginnings(name), *kept(name)]
    piece = st.builds(
        lambda whole, start, end: whole[min(start, len(whole)) : end],
        st.sampled_from(known),
        st.integers(0, 60),
        st.integers(0, 600),
    )
    noise = st.binary(max_size=12) | st.sampled_from([b"\r\n", b"\r\n\r\n", b"\n", b": ", b"9" * 30, "²٣".encode()])

    @settings(max_examples=EXAMPLES, database=None)
    @given(st.lists(piece | noise, max_size=8).map(b"".join))
    def run(data: bytes) -> None:
        target(float(len(data)))
        TARGETS[name](data)

    run()
