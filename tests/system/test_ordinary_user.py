"""An ordinary user on a bare machine is told in one sentence what to have installed, by tools and by commands."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.system.command import ROOT, Done, free_settings, variables

pytestmark = pytest.mark.system

#: who has no rights at all on this machine
NOBODY: Final = 65534
#: programs of every Debian, without which not even a script runs; nothing that can install or build an Asterisk
BASICS: Final = ("bash", "env", "find", "grep", "head", "id", "ls", "rm", "sh", "touch", "uname", "dirname", "cat")

#: becomes nobody when root runs the tests (an ordinary user is one already), then is the `hotline` command. What is
#: imported later must be there before: the Python of these tests may lie where nobody may look.
AS_NOBODY: Final = f"""
import encodings.ascii, encodings.idna, encodings.latin_1, importlib.readers, os, pkgutil, sys
sys.path.insert(0, os.getcwd())
import aiosqlite, alembic.command, rich.panel, rich.markup, rich.console, sqlalchemy.dialects.sqlite.aiosqlite
import cti.asterisk, cti.migrations, cti.web, ivr, ivr.prompts, recordings, ticketing
for package in (cti, ivr, recordings, ticketing):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        name = module.name.rpartition(".")[2]
        if name not in ("__main__", "env", "make", "speech") and "versions" not in module.name:
            importlib.import_module(module.name)
from rich.console import Console
Console(file=open(os.devnull, "w")).print("[bold]warm[/] é")
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
sys.argv = ["hotline", *sys.argv[1:]]
cti.cli.main()
"""


def bare_path(folder: Path, *more: str) -> Path:
    """A folder with the basic programs only."""
    programs = folder / "bin"
    programs.mkdir()
    for name in (*BASICS, *more):
        found = shutil.which(name)
        assert found is not None, name
        (programs / name).symlink_to(found)
    return programs


def given_away(*folders: Path) -> None:
    """These belong to nobody, when it is ours to give."""
    if os.geteuid() == 0:
        for folder in folders:
            os.chown(folder, NOBODY, NOBODY)


def open_to_all(*paths: Path) -> None:
    """Everybody may read and run or enter these."""
    for path in paths:
        path.chmod(0o755)


async def ran(command: Sequence[str], folder: Path, environment: Mapping[str, str], *, within_s: float = 60.0) -> Done:
    """What a command said, as nobody when root runs the tests."""
    became = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"] if os.geteuid() == 0 else []
    setpriv = [shutil.which("setpriv") or "setpriv", *became[1:]] if became else []
    words = command if command[0] == sys.executable else [*setpriv, *command]
    loop = asyncio.get_running_loop()
    began = loop.time()
    process = await asyncio.create_subprocess_exec(
        *words,
        cwd=folder,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(within_s):
        out, _ = await process.communicate()
    assert process.returncode is not None
    said = out.decode()
    assert "Traceback" not in said, said
    return Done(process.returncode, said, loop.time() - began)


def readable(folder: Path) -> Path:
    """The product as files that everybody may read."""
    tree = folder / "tree"
    leave = shutil.ignore_patterns("__pycache__", "node_modules", "voices", ".vite")
    for name in ("cti", "ivr", "recordings", "ticketing", "asterisk-conf"):
        shutil.copytree(ROOT / name, tree / name, ignore=leave)
    for path in (folder, *tree.rglob("*"), tree):
        path.chmod(path.stat().st_mode | 0o444 | (0o111 if path.is_dir() else 0))
    return tree


@pytest.mark.parametrize("command", [("asterisk", "install"), ("asterisk", "start"), ("up",)], ids=" ".join)
async def test_without_an_asterisk_one_sentence_names_the_package(short_tmp: Path, command: tuple[str, ...]) -> None:
    home, cache = short_tmp / "h", short_tmp / "cache"
    home.mkdir()
    cache.mkdir()
    tree, programs = readable(short_tmp), bare_path(short_tmp)
    given_away(home, cache)
    settings = free_settings(home, cache_dir=cache)
    environment = variables(settings, {"PATH": str(programs), "HOME": str(short_tmp), "PYTHONDONTWRITEBYTECODE": "1"})
    done = await ran([sys.executable, "-c", AS_NOBODY, *command], tree, environment)
    assert done.code == 1, done.said
    wrong = [line for line in done.said.splitlines() if "✗" in line]
    assert len(wrong) == 1, done.said
    assert re.fullmatch(
        r"✗ Asterisk 22 or newer is needed: install the package `asterisk` of that version, "
        r"or `mmdebstrap` and `uidmap` so that it can be fetched into your cache folder, and start again",
        wrong[0],
    )
    assert not list(cache.iterdir())


@pytest.mark.parametrize(
    ("python", "words"),
    [
        ('#!/bin/sh\ncase "$*" in *venv*) exit 1;; esac\n', "As root: apt-get install python3-venv"),
        ('#!/bin/sh\ncase "$1" in --version) echo Python 3.9.2;; *) exit 1;; esac\n', "needs Python 3.11 or newer"),
    ],
    ids=["no venv", "old"],
)
async def test_bootstrap_names_what_its_python_lacks(short_tmp: Path, python: str, words: str) -> None:
    tree = short_tmp / "tree"
    shutil.copytree(ROOT / "tools", tree / "tools")
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tree / name)
    program = short_tmp / "python"
    program.write_text(python, encoding="ascii")
    open_to_all(program, short_tmp)
    given_away(tree)
    path = {"PATH": str(bare_path(short_tmp)), "PYTHON": str(program)}
    done = await ran([str(tree / "tools" / "bootstrap.sh")], tree, path)
    assert done.code == 2, done.said
    said = [line for line in done.said.splitlines() if not line.startswith("»")]
    assert len(said) == 1, done.said
    assert words in said[0]
    assert not (tree / ".venv").exists()


async def test_the_packages_of_the_tests_are_named(short_tmp: Path) -> None:
    shutil.copytree(ROOT / "tools", short_tmp / "tools")
    open_to_all(short_tmp)
    done = await ran([str(short_tmp / "tools" / "test-packages.sh")], short_tmp, {"PATH": str(bare_path(short_tmp))})
    assert done.code == 2, done.said
    (said,) = done.said.splitlines()
    assert said.startswith("The tests need these packages, please install them as root: apt-get install ")
    for name in ("sip-tester", "chromium", "mmdebstrap"):
        assert name in said
