"""Order numbers set aside on disk: each is taken once, by the menus and by the rescue script, whatever is killed."""

from __future__ import annotations

import fcntl
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ivr import reserve
from ivr.reserve import Reserve

HOME = Path(__file__).resolve().parents[2]
SCRIPT = HOME / "asterisk-conf" / "agi-bin" / "rescue.py"
NUMBERS = [f"{100000000 + each}" for each in range(120)]

#: takes until none is left, as the service does and as the script does
_OURS = "from ivr.reserve import Reserve; take = Reserve(folder).take"
_SCRIPTS = f"import runpy; number_of = runpy.run_path({str(SCRIPT)!r})['number_of']; take = lambda: number_of(folder)"


@pytest.mark.req("TL-24", "F09", "N1")
def test_two_processes_at_a_time_take_each_number_once(tmp_path: Path) -> None:
    Reserve(tmp_path).fill(NUMBERS)
    begin = f"import sys, pathlib; folder = pathlib.Path({str(tmp_path)!r}); sys.path.insert(0, {str(HOME)!r}); "
    takers = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"{begin}{how}\nprint('here', flush=True)\ninput()\nwhile number := take(): print(number)",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for how in (_OURS, _SCRIPTS)
    ]
    for taker in takers:  # both are there before either begins
        assert taker.stdout is not None
        assert taker.stdout.readline() == "here\n"
    for taker in takers:
        assert taker.stdin is not None
        taker.stdin.write("go\n")
        taker.stdin.flush()
    said = [taker.communicate(timeout=60)[0].splitlines() for taker in takers]
    # who waits long for the lock says so in his log, and comes again
    taken = [[line for line in each if line.isdecimal()] for each in said]
    assert sorted(number for each in taken for number in each) == NUMBERS
    assert Reserve(tmp_path).left() == 0


@pytest.mark.req("TL-24")
def test_numbers_are_given_in_their_order_and_filled_up_behind(tmp_path: Path) -> None:
    kept = Reserve(tmp_path)
    assert (kept.take(), kept.left()) == (None, 0)
    assert list(tmp_path.iterdir()) == []
    kept.fill(NUMBERS[:2])
    kept.fill(NUMBERS[2:3])
    assert [kept.take() for _ in range(4)] == [*NUMBERS[:3], None]


@pytest.mark.parametrize("who", ["service", "script"])
def test_a_holder_who_stands_still_costs_half_a_second_and_the_number(tmp_path: Path, who: str) -> None:
    Reserve(tmp_path).fill(NUMBERS)
    with (tmp_path / reserve.LOCK).open("a") as held, capture_logs() as logs:
        fcntl.flock(held, fcntl.LOCK_EX)
        script = runpy.run_path(str(SCRIPT))
        assert (Reserve(tmp_path).take() if who == "service" else script["number_of"](tmp_path)) is None
    assert [entry["event"] for entry in logs] == (["ivr.reserve_failed"] if who == "service" else [])
    assert Reserve(tmp_path).take() == NUMBERS[0]


def test_what_is_no_number_is_never_told(tmp_path: Path) -> None:
    (tmp_path / reserve.FILE).write_bytes(b"12345\n\xff\xfe\n<rm>\n123456782\n1234567890\n")
    assert [Reserve(tmp_path).take() for _ in range(2)] == ["123456782", None]


@pytest.mark.req("TL-24")
def test_the_handbook_says_what_both_do() -> None:
    """File, lock and patience of the contract are those of the service and of the script."""
    script = runpy.run_path(str(SCRIPT))
    assert (script["FILE"], script["LOCK"], script["LOCK_S"]) == (reserve.FILE, reserve.LOCK, reserve.LOCK_S)
    handbook = (HOME / "asterisk-conf" / "README.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip(): line for line in handbook.splitlines() if line.startswith("| `numbers")}
    assert set(rows) == {f"`{reserve.FILE}`", f"`{reserve.LOCK}`"}
    assert f"at most {reserve.LOCK_S} seconds" in rows[f"`{reserve.LOCK}`"]
