"""The service killed at random moments while eight people write: nothing confirmed is lost, doubled or unaudited (N1).

Each life ends by kill -9: mostly in full work, now and then before it is ready, so that what the death before left is
put right by a life that dies of it. `make test` runs one part of ten deaths, HOTLINE_TEST_LONG=1 fifty parts of forty
on SQLite and ten on PostgreSQL.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from tests.absent import LONG, SEARCH
from tests.kills.run import at_work, healed
from tests.postgresql import Cluster
from tests.proof.ledger import EXAMPLES

Recorder = Callable[[str, object], None]

_LONG: Final = os.environ.get(LONG) == "1"
_DEATHS: Final = 40 if _LONG else 10
_PARTS: Final = [("sqlite", part) for part in range(50)] + [("postgresql", part) for part in range(10)]
#: seconds of full work before a death, at most
_WORKS_S: Final = 1.0


@pytest.mark.req("N1", "N4", "F08")
@pytest.mark.parametrize(("database_kind", "part"), _PARTS if _LONG else _PARTS[:1])
async def test_nothing_confirmed_is_lost_doubled_or_unaudited(
    tmp_path: Path, database_kind: str, part: int, request: pytest.FixtureRequest, record_property: Recorder
) -> None:
    """A comparison at rest after each death; then a start that puts right what was left."""
    chance = random.Random(None if os.environ.get(SEARCH) == "1" else part)
    with ExitStack() as stack:
        changes: dict[str, Any] = {}
        if database_kind == "postgresql":
            cluster: Cluster = request.getfixturevalue("cluster")
            changes["database_url"] = stack.enter_context(cluster.fresh(template=None))
        async with at_work(tmp_path / "h", chance, **changes) as run:
            while run.deaths < _DEATHS:
                run.life.up.set()
                await run.dies(_WORKS_S)
                await run.rises()
            await healed(run.life, wholly=True)
            assert run.notes.confirmed > run.deaths
            record_property(EXAMPLES, run.deaths)
            record_property("confirmed", run.notes.confirmed)
            record_property("answered again", run.notes.replayed)
