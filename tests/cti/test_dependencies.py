"""What is installed is what was tested, and nothing of it is older than the mending of a known fault (S29)."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT: Final = Path(__file__).resolve().parents[2]
#: package -> (oldest version, what was mended in it)
FLOORS: Final = {
    "aiohttp": ("3.14.4", "memory of WebSocket messages in pieces; requests in a pipeline; a Host sent twice"),
}
#: packages that we stand in front of: their faults are worked around by version
EXACT: Final = {"panoramisk": "1.4", "pyst2": "0.5.1"}


def locked() -> dict[str, str]:
    """Package -> version, of requirements.lock."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = [re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.+!_-]+)", line) for line in lines]
    assert all(found), [line for line, fits in zip(lines, found, strict=True) if not fits]
    pinned = {str(canonicalize_name(fits[1])): fits[2] for fits in found if fits}
    assert len(pinned) == len(lines), "a package is named twice"
    return pinned


def declared() -> list[Requirement]:
    """What the project itself needs, with every extra that is locked."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [each for name in ("postgresql", "test", "check") for each in project["optional-dependencies"][name]]
    return [Requirement(each) for each in (*project["dependencies"], *extras)]


@pytest.mark.req("S29")
def test_every_package_is_pinned_and_fits_what_is_asked_for() -> None:
    pinned = locked()
    for need in declared():
        name = canonicalize_name(need.name)
        assert name in pinned, need
        assert need.specifier.contains(pinned[name], prereleases=True), (need, pinned[name])


@pytest.mark.req("S29")
def test_what_runs_here_is_what_is_pinned() -> None:
    assert {name: metadata.version(name) for name in locked()} == locked()


@pytest.mark.req("S29")
def test_no_package_is_older_than_its_mending() -> None:
    """Neither pinned nor allowed: whoever installs without the lock gets none of them either."""
    pinned = locked()
    asked = {str(canonicalize_name(need.name)): need.specifier for need in declared()}
    for name, (floor, why) in FLOORS.items():
        assert Version(pinned[name]) >= Version(floor), why
        major, minor, patch = Version(floor).release
        assert not asked[name].contains(f"{major}.{minor}.{patch - 1}"), why
    for name, version in EXACT.items():
        assert str(asked[name]) == f"=={version}"
        assert pinned[name] == version
