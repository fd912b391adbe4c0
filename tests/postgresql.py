"""A throw-away PostgreSQL server on a unix socket, started as `postgres` when the tests run as root."""

from __future__ import annotations

import asyncio
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.schema import load_all_tables
from ticketing.db import Database

#: where Debian keeps the servers, a folder for each version
PLACE = Path("/usr/lib/postgresql")


class NoServer(Exception):
    """No PostgreSQL server binaries on this machine."""


class Cluster:
    """One running server; databases are copied from a template that already has the tables."""

    def __init__(self, folder: Path, bin_dir: Path, as_user: list[str]) -> None:
        self._folder = folder
        self._bin = bin_dir
        self._as_user = as_user
        self._numbers = itertools.count(1)
        self._template: str | None = None

    @classmethod
    @contextmanager
    def start(cls, kept: Path | None = None) -> Iterator[Cluster]:
        """Makes a cluster and stops it at the end; raises NoServer with the reason.

        It is in a temporary folder, or in one that is kept with its databases, with a short name and never synced.
        """
        bin_dir, as_user = _binaries(), _as_user()
        folder = kept or Path(tempfile.mkdtemp(prefix="hotline-pg-", dir="/tmp"))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if as_user:
                account = pwd.getpwnam("postgres")
                os.chown(folder, account.pw_uid, account.pw_gid)
            cluster = cls(folder, bin_dir, as_user)
            if not (folder / "data").exists():
                cluster._run("initdb", "-D", str(folder / "data"), "-U", "hotline", "-A", "trust", "-E", "UTF8", "-N",
                             "--locale=C.UTF-8")  # fmt: skip
            cluster.again()
            try:
                yield cluster
            finally:
                cluster.crash(how="immediate" if kept is None else "fast")
        finally:
            if kept is None:
                shutil.rmtree(folder, ignore_errors=True)

    def again(self) -> None:
        """Starts its server."""
        folder = self._folder
        options = f"-k {folder} -c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=60"
        self._run("pg_ctl", "-D", str(folder / "data"), "-l", str(folder / "log"), "-w", "-o", options, "start")

    def crash(self, how: str = "immediate") -> None:
        """Its server and every session die in the middle of what they do; what was committed is found by `again`."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", how, "-w", "stop")

    def url(self, name: str) -> str:
        """Address of one of its databases."""
        return f"postgresql://hotline@/{name}?host={self._folder}"

    def template(self) -> str:
        """Name of the database that has every table, made at the first call."""
        if self._template is None:
            name = self.create("hotline_template")
            asyncio.run(_with_tables(self.url(name)))
            self._template = name
        return self._template

    @contextmanager
    def fresh(self, template: str | None) -> Iterator[str]:
        """Address of a new database, dropped at the end."""
        name = self.create(f"t{next(self._numbers)}", template)
        try:
            yield self.url(name)
        finally:
            self._sql(f"DROP DATABASE {name} WITH (FORCE)")

    def create(self, name: str, template: str | None = None) -> str:
        """Makes a database."""
        self._sql(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return name

    def _sql(self, statement: str) -> None:
        self._run("psql", "-h", str(self._folder), "-U", "hotline", "-d", "postgres", "-q", "-c", statement)

    def _run(self, program: str, *arguments: str) -> None:
        path = self._bin / program
        command = [*self._as_user, str(path if path.exists() else program), *arguments]
        done = subprocess.run(
            command,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} ended with {done.returncode}: {done.stdout}")


async def _with_tables(url: str) -> None:
    load_all_tables()
    database = await Database.open(url)
    try:
        await database.create_all()
    finally:
        await database.close()


def _binaries() -> Path:
    found = sorted(PLACE.glob("*/bin"), key=lambda path: int(path.parent.name.split(".")[0]))
    for path in (*reversed(found), *map(Path, filter(None, [_folder_of("initdb")]))):
        if (path / "initdb").exists() and (path / "postgres").exists():
            return path
    raise NoServer("no PostgreSQL server binaries (initdb, postgres) on this machine")


def _folder_of(program: str) -> str | None:
    found = shutil.which(program)
    return str(Path(found).resolve().parent) if found else None


def _as_user() -> list[str]:
    """Words before each command: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        raise NoServer("PostgreSQL refuses to run as root and there is no `postgres` user") from None
    if shutil.which("setpriv"):
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
    if shutil.which("runuser"):
        return ["runuser", "-u", "postgres", "--"]
    raise NoServer("neither setpriv nor runuser to leave root for the `postgres` user")
