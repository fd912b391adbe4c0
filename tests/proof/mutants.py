"""How many changes of the code the tests notice: `make proof-mutants`, or `python -m tests.proof.mutants [ROOM ...]`.

Runs mutmut on the pure rooms, each in a copy of the committed tree under `artefacts/proof/mutants`, with those tests of
the room that need no server. Said again, it goes on where it stopped: functions that were changed begin anew, and what
nobody noticed is tried again when tests were changed. mutmut lives in an environment of its own (`tools/aside.sh`).
Exit code 1 when a room is below its floor or cannot be run, 3 when the time was over before the end. What no test
noticed stands in the room's `survivors.txt`; what changes nothing at all (`equivalent.py`) counts for neither side.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sysconfig
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.proof.equivalent import why_same

ROOT: Final = Path(__file__).resolve().parents[2]
WORK: Final = ROOT / "artefacts" / "proof" / "mutants"
MUTMUT: Final = ROOT / ".venv-mutants" / "bin" / "mutmut"


@dataclass(frozen=True)
class Room:
    """What is changed, and whose tests must notice."""

    sources: tuple[str, ...]
    tests: tuple[str, ...]
    #: share of the changes that must be noticed
    floor: float = 0.9


ROOMS: Final = {
    "clocks": Room(("ticketing/clocks/rules.py", "ticketing/clocks/model.py"), ("tests/clocks",)),
    "reducer": Room(
        tuple(f"cti/calls/{name}.py" for name in ("reducer", "record", "clocks", "agents", "beside", "twins")),
        ("tests/calls",),
    ),
    "workflow": Room(
        tuple(f"ticketing/orders/{name}.py" for name in ("workflow", "transitions", "rules", "settle", "nodes")),
        (
            *("tests/orders/test_workflow.py", "tests/orders/test_rules.py", "tests/orders/test_intake.py"),
            "tests/processes/test_rules.py",
        ),
    ),
    "flows": Room(
        tuple(f"ivr/{name}.py" for name in ("flow", "overflow", "booking", "choice", "callback", "message", "survey")),
        tuple(
            f"tests/ivr/test_{name}.py"
            for name in ("dialogues", "rules", "overflow_flow", "overflow_booking", "overflow_paths")
        ),
    ),
    "codec": Room(
        (*(f"cti/ami/{name}.py" for name in ("frames", "commands", "guard", "decode", "journals")), "ivr/agi.py"),
        (
            *(f"tests/ami/test_{name}.py" for name in ("frames", "commands", "guard", "journals")),
            *("tests/calls/test_decode.py", "tests/ivr/test_agi.py", "tests/ivr/test_agi_commands.py"),
        ),
        1.0,
    ),
    "permissions": Room(
        ("ticketing/roles.py", "cti/web/policy.py"), ("tests/core/test_roles.py", "tests/web/test_policy.py"), 1.0
    ),
}
#: mutmut's codes of a change that no test noticed, and of one that no test runs
_UNNOTICED: Final = frozenset({0, 33})
_CONFIG: Final = """
[tool.mutmut]
source_paths = {sources}
only_mutate = {sources}
also_copy = ["ticketing", "cti", "ivr", "recordings", "tests", "asterisk-conf", "docs", "README.md"]
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-k", "not postgresql", "-p", "no:cacheprovider", "-m", "not system"]
"""


def run(name: str, seconds: float) -> dict[str, int]:
    """One room for so long at most; mutmut's own counts so far."""
    room, folder = ROOMS[name], WORK / name
    folder.mkdir(parents=True, exist_ok=True)
    tree = subprocess.run(["git", "-C", str(ROOT), "archive", "HEAD"], capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=tree.stdout, check=True)
    config = folder / "pyproject.toml"
    lists = {"sources": json.dumps(room.sources), "tests": json.dumps(room.tests)}
    config.write_text(config.read_text(encoding="utf-8") + _CONFIG.format(**lists), encoding="utf-8")
    _try_again(folder)
    environment = os.environ | {"PYTHONPATH": sysconfig.get_paths()["purelib"]}
    with (folder / "mutmut.log").open("w") as log:
        process = subprocess.Popen(
            [str(MUTMUT), "run", "--max-children", "1"], cwd=folder, env=environment, stdout=log, stderr=log
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
    subprocess.run([str(MUTMUT), "export-cicd-stats"], cwd=folder, env=environment, capture_output=True, check=False)
    try:
        counts: dict[str, int] = json.loads((folder / "mutants" / "mutmut-cicd-stats.json").read_text())
    except FileNotFoundError:
        return {}
    counts["same"] = _look_at_survivors(folder, environment)
    return counts


def _look_at_survivors(folder: Path, environment: Mapping[str, str]) -> int:
    """Writes what no test noticed into the room's `survivors.txt`; how many of it change nothing."""
    shown, same = [], 0
    for path in sorted((folder / "mutants").rglob("*.meta")):
        codes = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        for name in (name for name, code in codes.items() if code in _UNNOTICED):
            command = [str(MUTMUT), "show", name]
            said = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, check=False
            ).stdout
            why = why_same(name, said)
            same += why is not None
            shown.append(f"{name}: {why or 'not noticed'}\n{said}")
    (folder / "survivors.txt").write_text("\n".join(shown), encoding="utf-8")
    return same


def _try_again(folder: Path) -> None:
    """Where tests were changed since, what nobody noticed is forgotten, and which test runs which function."""
    tests = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD:tests"], capture_output=True, check=True).stdout
    seen, made = folder / "tests.seen", folder / "mutants"
    if seen.exists() and seen.read_bytes() != tests:
        for path in made.rglob("*.meta"):
            kept = json.loads(path.read_text(encoding="utf-8"))
            codes = kept["exit_code_by_key"]
            kept["exit_code_by_key"] = {key: None if code in _UNNOTICED else code for key, code in codes.items()}
            path.write_text(json.dumps(kept), encoding="utf-8")
        (made / "mutmut-stats.json").unlink(missing_ok=True)
    seen.write_bytes(tests)


def main(arguments: list[str] | None = None) -> int:
    """Runs what was asked for; the exit code."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("rooms", nargs="*", metavar="ROOM", help=", ".join(ROOMS))
    given.add_argument("--minutes", type=float, default=60.0)
    asked = given.parse_args(arguments)
    subprocess.run([ROOT / "tools" / "aside.sh", "mutants"], check=True)
    until, code, rows = time.monotonic() + 60 * asked.minutes, 0, []
    for name in asked.rooms or ROOMS:
        found = run(name, max(1.0, until - time.monotonic()))
        tried = found.get("killed", 0) + found.get("survived", 0) + found.get("timeout", 0) + found.get("no_tests", 0)
        noticed = found.get("killed", 0) + found.get("timeout", 0)
        same = found.get("same", 0)
        share = noticed / (tried - same) if tried > same else 0.0
        rows.append(f"{name:11} {found.get('total', 0):6} {tried:6} {noticed:8} {same:5} {share:7.1%}")
        if tried < found.get("total", 1):
            code = code or 3
        if share < ROOMS[name].floor:
            code = 1
    print(f"{'room':11} {'made':>6} {'tried':>6} {'noticed':>8} {'same':>5} {'share':>7}", *rows, sep="\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
