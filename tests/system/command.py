"""The `hotline` command as a process of its own, as an operator types it."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from cti.settings import Settings
from tests.system.conftest import free_ports
from tests.system.house import environment

ROOT: Final = Path(__file__).resolve().parents[2]
#: settings of the ports, in the order they are given out
PORTS: Final = ("http_port", "agi_port", "sip_port", "ami_port", "asterisk_http_port")


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a command."""

    code: int
    #: both streams, colours and line breaks of the terminal taken out
    said: str
    seconds: float


def free_settings(home: Path, **changes: object) -> Settings:
    """Settings on free ports in a folder of the test's own."""
    values: dict[str, object] = {"home": home, **dict(zip(PORTS, free_ports(len(PORTS)), strict=True))}
    return Settings.model_validate(values | changes)


def variables(settings: Settings, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment in which a command runs with these settings."""
    return {**os.environ, **environment(settings), "COLUMNS": "1000", "TERM": "dumb", "NO_COLOR": "1", **(more or {})}


async def hotline(
    settings: Settings,
    *words: str,
    within_s: float = 30.0,
    more: Mapping[str, str] | None = None,
    tree: Path | None = None,
) -> Done:
    """Runs a command to its end, in another tree if given. A traceback is never an answer."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "cti", *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=variables(settings, more),
        cwd=tree,
    )
    try:
        async with asyncio.timeout(within_s):
            out, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        out, _ = await process.communicate()
        raise AssertionError(f"hotline {' '.join(words)} took more than {within_s:g} s: {out.decode()}") from None
    said = out.decode()
    assert "Traceback" not in said, said
    assert process.returncode is not None
    return Done(process.returncode, said, loop.time() - began)


class Running:
    """A command that goes on while the test does something else.

    async with Running(settings, "demo") as demo:
        await demo.says("connected")
        done = await demo.ended()
    """

    def __init__(self, settings: Settings, *words: str) -> None:
        self._settings = settings
        self._words = words
        self._process: asyncio.subprocess.Process | None = None
        self._said = ""
        self._began = 0.0

    async def __aenter__(self) -> Self:
        self._began = asyncio.get_running_loop().time()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "cti", *self._words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=variables(self._settings),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.terminate()
            await self._process.communicate()

    async def says(self, words: str, *, within_s: float = 60.0) -> None:
        """Waits until it has printed this."""
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(within_s):
                while words not in self._said:
                    line = await self._process.stdout.readline()
                    assert line, f"it ended without saying {words!r}: {self._said}"
                    self._said += line.decode()
        except TimeoutError:
            raise AssertionError(f"it did not say {words!r} within {within_s:g} s: {self._said}") from None

    async def ended(self, *, within_s: float = 30.0) -> Done:
        """Waits for its end."""
        assert self._process is not None
        async with asyncio.timeout(within_s):
            out, _ = await self._process.communicate()
        self._said += out.decode()
        assert "Traceback" not in self._said, self._said
        assert self._process.returncode is not None
        return Done(self._process.returncode, self._said, asyncio.get_running_loop().time() - self._began)


def left_over(folder: Path) -> list[str]:
    """Command lines of processes that were started with this folder: nothing of a test may be left."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


def listening(settings: Settings) -> list[str]:
    """Settings whose TCP port somebody listens on."""
    found = []
    for name in PORTS:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", getattr(settings, name))) == 0:
                found.append(name)
    return found


def copied(folder: Path, source: Path) -> Path:
    """A copy of a folder of data files, to be spoilt."""
    target = folder / source.name
    shutil.copytree(source, target)
    return target


def own_tree(folder: Path) -> Path:
    """The product with prompts of its own, which may be spoilt; everything else is this checkout's."""
    tree = folder / "tree"
    tree.mkdir()
    for name in ("cti", "ticketing", "recordings", "asterisk-conf"):
        (tree / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "ivr", tree / "ivr", ignore=shutil.ignore_patterns("__pycache__", "voices"))
    return tree
