"""Finds or installs an Asterisk of version 22 or newer: the system's own, else a sandbox in the user's cache folder.

The sandbox is a small Debian tree that is never entered by chroot: its programs run through its own loader, so that
configuration, voice files and sockets lie on the ordinary file system, for any user.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cti.asterisk.errors import ProvisionError

MINIMUM_VERSION: Final = 22
_SUITE: Final = "forky"
_PACKAGES: Final = "asterisk,ca-certificates"
_VERSION: Final = re.compile(r"^Asterisk (?:certified[/-])?(\d+)\.(\d+)")

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Installation:
    """An Asterisk that was found to be new enough."""

    #: root of the tree: `/`, or the sandbox
    root: Path
    #: as it says itself, for example `22.10.1`
    version: str
    #: True: the system's own
    system: bool
    binary: Path
    modules: Path
    documentation: Path

    @property
    def command(self) -> tuple[str, ...]:
        """How the program is started, without its options."""
        return _command(self.root, self.binary, self.system)


def sandbox_folder(cache_dir: Path) -> Path:
    """Where the sandbox of this user lies."""
    return cache_dir / "asterisk-sandbox"


def provision(cache_dir: Path, progress: Progress = lambda line: None) -> Installation:
    """The system's Asterisk if new enough, else the sandbox, installed if needed (about half a minute, 370 MB).

    Raises ProvisionError with one sentence that says what to do.
    """
    if (found := installed(cache_dir)) is not None:
        return found
    target = sandbox_folder(cache_dir)
    progress(f"installing Asterisk into {target} (once, about 370 MB)")
    _install(target, progress)
    return _sandbox(target)


def installed(cache_dir: Path) -> Installation | None:
    """What is there already, without installing anything."""
    if (system := _system()) is not None:
        return system
    target = sandbox_folder(cache_dir)
    return _sandbox(target) if target.is_dir() else None


def _system() -> Installation | None:
    path = shutil.which("asterisk") or shutil.which("asterisk", path="/usr/sbin:/usr/local/sbin")
    if path is None:
        return None
    binary = Path(path).resolve()
    version = _version_of((str(binary),))
    candidates = [*sorted(Path("/usr/lib").glob("*/asterisk/modules")), Path("/usr/lib/asterisk/modules")]
    modules = next((folder for folder in candidates if folder.is_dir()), None)
    if version is None or _major(version) < MINIMUM_VERSION or modules is None:
        return None
    documents = (Path("/usr/share/asterisk/documentation"), Path("/var/lib/asterisk/documentation"))
    documentation = next((folder for folder in documents if folder.is_dir()), documents[0])
    return Installation(Path("/"), version, True, binary, modules, documentation)


def _sandbox(root: Path) -> Installation:
    binary = root / "usr/sbin/asterisk"
    version = _version_of(_command(root, binary, False))
    if version is None:
        raise ProvisionError(f"the Asterisk in {root} does not start: delete that folder and try again")
    if _major(version) < MINIMUM_VERSION:
        raise ProvisionError(
            f"the Asterisk in {root} is {version}, but {MINIMUM_VERSION} is needed: delete that folder"
        )
    modules = next(root.glob("usr/lib/*/asterisk/modules"), root / "usr/lib/asterisk/modules")
    return Installation(root, version, False, binary, modules, root / "usr/share/asterisk/documentation")


def _command(root: Path, binary: Path, system: bool) -> tuple[str, ...]:
    if system:
        return (str(binary),)
    loader = next(root.glob("lib64/ld-linux-*.so.*"), None) or next(
        root.glob("lib/ld-linux-*.so.*"), root / "no-loader"
    )
    libraries = ":".join(str(folder) for folder in sorted(root.glob("usr/lib/*-linux-gnu*")))
    return (str(loader), "--library-path", libraries, str(binary))


def _version_of(command: tuple[str, ...]) -> str | None:
    try:
        done = subprocess.run((*command, "-V"), capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.match(done.stdout)
    return done.stdout.split()[1].partition("~")[0] if match else None


def _major(version: str) -> int:
    match = re.search(r"\d+", version)
    return int(match[0]) if match else 0


def _install(target: Path, progress: Progress) -> None:
    builder = _builder(progress)
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f"{target.name}.partial")
    if scratch.exists():
        progress("removing what an interrupted installation left")
        shutil.rmtree(scratch)
    command = (
        builder,
        "--variant=minbase",
        f"--mode={'root' if os.geteuid() == 0 else 'unshare'}",
        f"--include={_PACKAGES}",
        '--aptopt=APT::Install-Recommends "false"',
        '--aptopt=Acquire::Check-Valid-Until "false"',
        _SUITE,
        str(scratch),
    )
    started = time.monotonic()
    _follow(command, progress)
    scratch.rename(target)
    progress(f"Asterisk installed in {time.monotonic() - started:.0f} s")


def _builder(progress: Progress) -> str:
    if (found := shutil.which("mmdebstrap")) is not None:
        return found
    apt = shutil.which("apt-get")
    if os.geteuid() != 0 or apt is None:
        raise ProvisionError(
            f"Asterisk {MINIMUM_VERSION} or newer is needed: install the package `asterisk` of that version, "
            "or `mmdebstrap` and `uidmap` so that it can be fetched into your cache folder, and start again"
        )
    progress("installing mmdebstrap")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (("update", "-q"), ("install", "-q", "-y", "--no-install-recommends", "mmdebstrap")):
        done = subprocess.run((apt, *step), capture_output=True, text=True, env=environment, check=False)  # noqa: S603
    if done.returncode != 0 or (found := shutil.which("mmdebstrap")) is None:
        raise ProvisionError(f"`apt-get install mmdebstrap` failed: {_last_line(done.stderr)}")
    return found


def _follow(command: tuple[str, ...], progress: Progress) -> None:
    """Runs the builder and passes its lines on. Raises ProvisionError with its last line when it fails."""
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:  # noqa: S603
        for line in process.stdout or ():
            text = line.strip()
            if text.startswith(("I:", "E:", "W:")):
                last = text
                progress(text[2:].strip())
    if process.returncode != 0:
        hint = "" if os.geteuid() == 0 else " (as an ordinary user this needs the packages mmdebstrap and uidmap)"
        raise ProvisionError(f"Asterisk could not be installed: {last or 'mmdebstrap failed'}{hint}")


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"
