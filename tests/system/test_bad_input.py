"""What is wrong at a start is named with its place, its reason and its remedy, and nothing half-starts."""

from __future__ import annotations

import os
import re
import socket
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from cti.settings import Settings
from tests.ami.fake_server import FakeAmi, serving
from tests.system.command import (
    PORTS,
    ROOT,
    Done,
    copied,
    free_settings,
    hotline,
    left_over,
    listening,
    own_tree,
)
from tests.system.conftest import free_ports

pytestmark = pytest.mark.system

#: two seconds are Python's, the rest is patience with what does not answer
QUICKLY_S = 12.0


async def refused(settings: Settings, tree: Path | None = None, more: dict[str, str] | None = None) -> str:
    """`hotline up` ends with code 1 in one go, and leaves neither a process nor a port nor an Asterisk folder."""
    done: Done = await hotline(settings, "up", within_s=QUICKLY_S, tree=tree, more=more)
    assert done.code == 1, done.said
    assert "Ctrl-C" not in done.said
    assert "connected to Asterisk" not in done.said
    assert not settings.asterisk_run.exists()
    assert not left_over(settings.asterisk_run)
    return done.said


@pytest.mark.parametrize("name", PORTS)
async def test_a_port_that_is_taken_names_port_setting_and_holder(short_tmp: Path, name: str) -> None:
    settings = free_settings(short_tmp / "h")
    port = getattr(settings, name)
    with socket.create_server(("127.0.0.1", port)):
        said = await refused(settings)
    assert re.search(rf"✗ {name}: TCP port {port} on 127.0.0.1 is held by .+ \(process {os.getpid()}\)", said), said
    assert f"or set HOTLINE_{name.upper()}" in said
    assert said.count("✗") == 1
    assert not listening(settings)


async def test_the_sip_port_over_udp_counts_too(short_tmp: Path) -> None:
    settings = free_settings(short_tmp / "h")
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", settings.sip_port))
        said = await refused(settings)
    assert f"sip_port: UDP port {settings.sip_port} on 127.0.0.1 is held by " in said


async def test_media_ports_that_are_all_taken_are_named(short_tmp: Path) -> None:
    """Asterisk would start and answer without a sound."""
    first = free_ports(1)[0] // 2 * 2 + 4000
    settings = free_settings(short_tmp / "h", rtp_start=first, rtp_end=first + 5)
    with ExitStack() as held:
        for port in (first, first + 3):  # of three pairs one is left: not enough for caller and agent
            held.enter_context(socket.socket(type=socket.SOCK_DGRAM)).bind(("127.0.0.1", port))
        said = await refused(settings)
    words = rf"✗ rtp_start: the UDP ports {first}-{first + 5} for the calls' media are held, the first by .+ "
    assert re.search(words + rf"\(process {os.getpid()}\)", said), said
    assert "HOTLINE_RTP_START" in said
    assert said.count("✗") == 1


def remote(folder: Path, port: int, secret: str) -> Settings:
    """Settings of an Asterisk that is run elsewhere, with its secrets in files."""
    files = {name: folder / name for name in ("ami_secret_file", "agi_secret_file", "event_token_file")}
    for file in files.values():
        file.touch(0o600)
        file.write_text(secret, encoding="ascii")
    return free_settings(folder / "h", asterisk="remote", ami_port=port, spool=folder, **files)


async def test_a_wrong_ami_secret_is_one_login_one_error_and_a_stop(short_tmp: Path) -> None:
    """At the moment of the login nothing of ours listens yet."""
    ami = FakeAmi(secret="another")
    open_then: list[list[str]] = []

    def login(_action: dict[str, str]) -> str:
        open_then.append([name for name in listening(settings) if name != "ami_port"])
        return "Response: Error\r\nMessage: Authentication failed"

    ami.answers["Login"] = login
    async with serving(ami):
        settings = remote(short_tmp, ami.port, "right")
        said = await refused(settings)
    assert f"✗ asterisk: Asterisk at 127.0.0.1:{ami.port} does not accept the name or secret" in said
    assert "'bridge'" in said
    assert f"{settings.ami_secret_file}" in said
    assert "hotline asterisk stop" not in said
    assert said.count("✗") == 1
    assert (ami.logins, open_then) == (1, [[]])


async def test_a_remote_asterisk_that_is_too_old_is_not_used(short_tmp: Path) -> None:
    ami = FakeAmi(version="20.5.0")
    async with serving(ami):
        settings = remote(short_tmp, ami.port, ami.secret)
        said = await refused(settings)
    assert "✗ asterisk: Asterisk 20.5.0 found, 22 or newer needed" in said
    assert "install a newer one" in said
    assert ami.logins == 1


def program(path: Path, text: str) -> None:
    """A program that prints one line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{text}'\n", encoding="ascii")
    path.chmod(0o700)


async def test_an_installed_asterisk_that_is_too_old_is_not_used(short_tmp: Path) -> None:
    """Neither the system's nor the sandbox in the cache folder."""
    program(short_tmp / "bin" / "asterisk", "Asterisk 18.9.0")
    cache = short_tmp / "cache"
    sandbox = cache / "asterisk-sandbox"
    program(sandbox / "lib64" / "ld-linux-x86-64.so.2", "Asterisk 20.5.0")
    program(sandbox / "usr" / "sbin" / "asterisk", "Asterisk 20.5.0")
    settings = free_settings(short_tmp / "h", cache_dir=cache)
    said = await refused(settings, more={"PATH": f"{short_tmp / 'bin'}:{os.environ['PATH']}"})
    assert f"✗ asterisk: the Asterisk in {sandbox} is 20.5.0, but 22 is needed: delete that folder" in said


async def test_a_missing_prompt_is_named(short_tmp: Path) -> None:
    """With the line that lists it; `check` says the same."""
    tree = own_tree(short_tmp)
    (tree / "ivr" / "prompts" / "zh" / "menu-main.wav").unlink()
    settings = free_settings(short_tmp / "h")
    said = await refused(settings, tree)
    listed = tree / "ivr" / "prompts" / "manifest.toml"
    line = listed.read_text(encoding="utf-8").splitlines().index("[prompt.menu-main.zh]") + 1
    assert f"✗ {listed}:{line}: zh/menu-main.wav is missing" in said
    assert "Restore the file" in said
    checked = await hotline(settings, "check", tree=tree)
    assert checked.code == 1
    assert f"✗ {listed}:{line}: zh/menu-main.wav is missing" in checked.said


def _no_toml(text: str) -> str:
    return text.replace("[menu.progress]", "[menu.progress", 1)


def _nowhere(text: str) -> str:
    return text.replace('go = "suggestion"', 'go = "sugestion"', 1)


def _unknown_word(text: str) -> str:
    return text.replace('back = "main"', 'bakc = "main"', 1)


@pytest.mark.req("TL-03")
@pytest.mark.parametrize(
    ("spoil", "sign"), [(_no_toml, "[menu.progress"), (_nowhere, '"sugestion"'), (_unknown_word, "bakc")]
)
async def test_a_broken_menu_file_is_named_with_its_line(
    short_tmp: Path, spoil: Callable[[str], str], sign: str
) -> None:
    data = copied(short_tmp, ROOT / "ivr" / "data")
    file = data / "menus.toml"
    file.write_text(spoil(file.read_text(encoding="utf-8")), encoding="utf-8")
    line = next(n for n, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if sign in text)
    settings = free_settings(short_tmp / "h", ivr_data=data)
    said = await refused(settings)
    assert f"✗ {file}:{line}: " in said
    assert "→" in said
    checked = await hotline(settings, "check")
    assert checked.code == 1
    assert f"✗ {file}:{line}: " in checked.said


async def test_a_fault_in_asterisks_files_is_named_with_its_line(short_tmp: Path) -> None:
    conf = copied(short_tmp, ROOT / "asterisk-conf")
    file = conf / "queues.conf"
    file.write_text(file.read_text(encoding="utf-8").replace("retry = 1", "retry = 5"), encoding="utf-8")
    line = file.read_text(encoding="utf-8").splitlines().index("timeout = 8") + 1
    said = await refused(free_settings(short_tmp / "h", asterisk_conf=conf))
    assert f"✗ {file}:{line}: " in said
    assert "→" in said


async def test_a_database_that_does_not_answer_is_named(short_tmp: Path) -> None:
    """No server; then a file that another program holds."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        url = f"postgresql://hotline@127.0.0.1:{port}/hotline"
        said = await refused(free_settings(short_tmp / "h", database_url=url))
    assert "✗ database: " in said
    assert str(port) in said
    assert "check HOTLINE_DATABASE_URL" in said

    file = short_tmp / "held.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("PRAGMA journal_mode=WAL")
        holder.execute("BEGIN IMMEDIATE")
        said = await refused(free_settings(short_tmp / "h", database_url=f"sqlite:///{file}"))
    assert "✗ database: the database does not answer in time (database is locked)" in said
    assert f"end the program that holds {file}" in said


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://hotline@localhost/hotline", "unknown database 'mysql': use sqlite or postgresql"),
        ("nonsense", "cannot read the database address"),
        ("sqlite:///{tmp}/file/hotline.db", "cannot be made"),
    ],
)
async def test_a_wrong_database_address_is_named(short_tmp: Path, url: str, reason: str) -> None:
    (short_tmp / "file").touch()
    said = await refused(free_settings(short_tmp / "h", database_url=url.format(tmp=short_tmp)))
    assert "✗ database: " in said
    assert reason in said
    assert "HOTLINE_DATABASE_URL" in said


async def test_a_disk_without_room_is_named(short_tmp: Path) -> None:
    settings = free_settings(short_tmp / "h", disk_floor_mib=10**9)
    said = await refused(settings)
    assert re.search(r"✗ disk of \S+: \d+ MiB are free: too little", said), said
    assert "at least 1000000000 MiB, or set HOTLINE_HOME" in said


async def test_a_folder_that_cannot_be_written_is_named(short_tmp: Path) -> None:
    (short_tmp / "file").touch()
    settings = free_settings(short_tmp / "file" / "home")
    done = await hotline(settings, "up", within_s=QUICKLY_S)
    assert done.code == 1
    assert f"nothing can be written in {settings.home}" in done.said
    assert "set HOTLINE_HOME" in done.said


async def test_a_certificate_that_is_not_there_is_named(short_tmp: Path) -> None:
    pem = short_tmp / "hotline.pem"
    said = await refused(free_settings(short_tmp / "h", tls="files", tls_certificate=pem, tls_key=pem))
    assert f"✗ tls: certificate {pem} with key {pem} cannot be used" in said


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("HOTLINE_HTTP_PORT", "eighty", "setting http_port: Input should be a valid integer"),
        ("HOTLINE_HTPP_PORT", "80", "variable HOTLINE_HTPP_PORT: there is no such setting"),
        ("HOTLINE_CONFIG", "/none.toml", "HOTLINE_CONFIG names /none.toml, which does not exist"),
    ],
)
async def test_a_wrong_setting_is_named(short_tmp: Path, name: str, value: str, reason: str) -> None:
    settings = free_settings(short_tmp / "h")
    for words in (("up",), ("check",), ("doctor",)):
        done = await hotline(settings, *words, more={name: value})
        assert done.code == 1
        assert reason in done.said
        assert done.said.count("\n") == 1
