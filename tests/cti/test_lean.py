"""The service's process holds what it needs: nothing that rare work alone imports, and one heap."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.benchmarks import _exchange
from tests.system.house import ServiceHouse

#: imported by what is rare, each by whoever needs it
RARE: Final = {
    "alembic": "an upgrade, in a process of its own",
    "mako": "the same",
    "cryptography": "a certificate that the service makes itself",
    "xlsxwriter": "an export",
    "soundfile": "the demo's caller",
    "baresip": "the same",
    "phonenumbers.geocoder": "nobody: 98 MB of names of places",
    "phonenumbers.carrier": "nobody",
    "unittest": "nobody",
    "multiprocessing": "nobody",
}
#: the service as `hotline up` runs it; at its end it says what it has imported
TELLS: Final = (
    "import atexit, sys; atexit.register(lambda: print('imported', *sys.modules)); from cti.cli import main; main()"
)

#: threads that allocate past Python's own allocator, and how many heaps of 64 MiB there are then
HEAPS: Final = """
import re, sys, threading
from cti import heap
if sys.argv[1] == "one" and not heap.one():
    sys.exit("another C library")
meet, kept = threading.Barrier(4), []
def fill():
    meet.wait()
    kept.extend(bytearray(5000) for _ in range(100))
    meet.wait()
threads = [threading.Thread(target=fill) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
spans = [[int(part, 16) for part in line.split()[0].split("-")] for line in open("/proc/self/maps")]
print(sum(1 for (a, b), (c, d) in zip(spans, spans[1:]) if b == c and a % 2**26 == 0 and d - a == 2**26))
"""


class TellingHouse(ServiceHouse):
    """Its service says at its end what it has imported."""

    program = ("-c", TELLS, "up")


async def test_a_service_has_not_imported_what_only_rare_work_needs(tmp_path: Path) -> None:
    """After a first start, which made the schema and filled it."""
    exchange = _exchange.Exchange()
    await exchange.start()
    (tmp_path / "voice").mkdir()
    house = TellingHouse(
        tmp_path, set_up=False, asterisk="remote", ami_host="127.0.0.1", ami_username="bridge", ami_port=exchange.port,
        spool=tmp_path / "voice", **_exchange.secrets(tmp_path),
    )  # fmt: skip
    try:
        await house.start()
        assert await house.interrupt() == 0
    finally:
        await exchange.stop()
    (told,) = [line for line in house.printed.splitlines() if line.startswith("imported ")]
    imported = set(told.split())
    assert {"cti.web.areas.exports", "numpy"} <= imported  # it is the whole service that tells
    assert {name: RARE[name] for name in imported & RARE.keys()} == {}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's own")
def test_threads_share_one_heap() -> None:
    def heaps(how: str) -> int:
        run = subprocess.run([sys.executable, "-c", HEAPS, how], capture_output=True, text=True, check=True)
        return int(run.stdout)

    assert heaps("many") > 0  # else this test would show nothing
    assert heaps("one") == 0
