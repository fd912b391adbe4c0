"""Findings of the doctor without anything running: files, folders, disk, certificate, ports, a scripted manager."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cti import app, doctor, page
from cti.doctor import Finding
from cti.settings import Settings
from tests.ami.fake_server import SECRET, FakeAmi, serving


def clock() -> datetime:
    return datetime(2026, 3, 10, 1, 30, tzinfo=UTC)


Make = Callable[..., Settings]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Settings of an installation that does not exist yet, beside no Asterisk."""

    def made(**changes: object) -> Settings:
        ports = {"http_port": 0, "agi_port": 1, "ami_port": 2, "sip_port": 3, "asterisk_http_port": 4}
        return Settings.model_validate({"home": tmp_path / "home", "cache_dir": tmp_path / "cache"} | ports | changes)

    return made


def bad(findings: list[Finding]) -> list[str]:
    return [found.where for found in findings if found.bad]


def test_the_shipped_files_are_in_order(make: Make) -> None:
    assert bad(doctor.check_files(make())) == []


@pytest.mark.req("TL-23", "TL-62")
def test_a_broken_policy_of_callbacks_is_named(make: Make, tmp_path: Path) -> None:
    file = tmp_path / "callbacks.toml"
    for text, reason in ((None, "No such file"), ("[dialling\n", "callbacks.toml"), ("[dialling]\n", "callbacks.toml")):
        if text is not None:
            file.write_text(text, encoding="utf-8")
        (found,) = [one for one in doctor.check_files(make(callback_policy=file)) if one.bad]
        assert found.where == "callback_policy"
        assert reason in found.reason
        assert str(file) in found.reason


@pytest.mark.req("TL-62")
def test_each_broken_menu_file_is_named_with_line_reason_and_remedy(make: Make, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for file in make().ivr_data.glob("*.toml"):
        (data / file.name).write_bytes(file.read_bytes())
    routing = data / "routing.toml"
    routing.write_text(
        routing.read_text(encoding="utf-8").replace("[intent.person]", "[intent.person"), encoding="utf-8"
    )
    line = next(
        n for n, text in enumerate(routing.read_text(encoding="utf-8").splitlines(), 1) if text == "[intent.person"
    )
    (found,) = [one for one in doctor.check_files(make(ivr_data=data)) if one.bad]
    assert found.where == f"{routing}:{line}"
    assert found.reason
    assert found.remedy


def test_a_folder_without_menus_or_configuration_is_named(make: Make, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert any("menus.toml" in where for where in bad(doctor.check_files(make(ivr_data=empty))))
    named = bad(doctor.check_files(make(asterisk_conf=empty)))
    assert any("queues.conf" in where for where in named)
    assert any("extensions.conf" in where for where in named)


@pytest.mark.req("TL-62")
async def test_a_start_that_would_fail_starts_nothing(make: Make, tmp_path: Path) -> None:
    """`up` in this process: the findings are raised before a folder is made."""
    settings = make(disk_floor_mib=10**9, home=tmp_path / "not-there")
    with pytest.raises(app.ChecksFailed) as caught:
        async with app.service(settings):
            pytest.fail("started")
    assert [found.where for found in caught.value.findings if "disk" in found.where] == [f"disk of {tmp_path}"]
    assert not settings.home.exists()


async def test_a_fresh_place_is_fine(make: Make, unused_tcp_port_factory: Callable[[], int]) -> None:
    ports = ("agi_port", "ami_port", "sip_port", "asterisk_http_port")
    settings = make(**{name: unused_tcp_port_factory() for name in ports})
    assert bad(await doctor.before_start(settings, clock)) == []
    assert not settings.home.exists()


async def test_a_folder_under_a_file_is_named(make: Make, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = bad(await doctor.before_start(make(home=tmp_path / "file" / "home"), clock))
    assert "home" in found
    assert "database" in found


async def test_a_path_too_long_for_a_socket_is_named(make: Make, tmp_path: Path) -> None:
    """Linux would not bind Asterisk's console there, and say nothing helpful."""
    found = await doctor.before_start(make(home=tmp_path / ("x" * 100)), clock)
    (home,) = [one for one in found if one.where == "home"]
    assert "longer than 107 bytes" in home.reason
    assert "shorter path" in home.remedy


def fake(make: Make, ami: FakeAmi, **changes: object) -> Settings:
    """Beside a scripted manager, with its secret."""
    return remote(make, ami.port, **changes)


def remote(make: Make, port: int, **changes: object) -> Settings:
    """Beside an Asterisk that is run elsewhere."""
    home = make().home
    home.mkdir(exist_ok=True)
    files = {name: home / name for name in ("ami_secret_file", "agi_secret_file", "event_token_file")}
    for file in files.values():
        file.touch(0o600)
        file.write_text(SECRET, encoding="ascii")
    return make(asterisk="remote", ami_port=port, spool=home, **files, **changes)


def with_queues(ami: FakeAmi, *events: str) -> FakeAmi:
    """Answers QueueStatus with these."""

    def answer(_action: dict[str, str]) -> str:
        start = "Response: Success\r\nEventList: start\r\nMessage: Queue status will follow"
        return "\r\n\r\n".join([start, *events, "Event: QueueStatusComplete\r\nEventList: Complete\r\nListItems: 1"])

    ami.answers["QueueStatus"] = answer
    ami.answers["Setvar"] = lambda _: "Response: Success\r\nMessage: Variable Set"
    return ami


PARAMS = "Event: QueueParams\r\nQueue: complaint"
MEMBER = "Event: QueueMember\r\nQueue: complaint\r\nLocation: PJSIP/1001"


async def asterisk(settings: Settings) -> list[Finding]:
    found = await doctor.examine(settings, clock)
    return [
        one
        for one in found
        if one.where in {"asterisk", "clock", "queues", "event filter"} or one.where.startswith("queue ")
    ]


@pytest.mark.req("TL-62")
async def test_queues_without_members_and_no_queues_at_all(make: Make) -> None:
    ami = with_queues(FakeAmi(), PARAMS, MEMBER, "Event: QueueParams\r\nQueue: senior")
    async with serving(ami):
        found = await asterisk(fake(make, ami))
        assert [(one.level, one.where) for one in found] == [
            ("ok", "asterisk"),
            ("warning", "queue senior"),
            ("ok", "event filter"),
        ]
        with_queues(ami)
        assert [one.where for one in await asterisk(remote(make, ami.port)) if one.bad] == ["queues"]


@pytest.mark.req("S01", "TL-62")
async def test_an_event_filter_that_is_not_in_force_is_named(make: Make) -> None:
    """It shows by the event that was provoked; callers are served all the same, so it does not keep from starting."""
    ami = with_queues(FakeAmi(), PARAMS, MEMBER)
    async with serving(ami):
        settings = fake(make, ami)
        assert [one.level for one in await asterisk(settings) if one.where == "event filter"] == ["ok"]

        def unfiltered(asked: dict[str, str]) -> str:
            ami.say(f"Event: VarSet\r\nChannel: none\r\nVariable: {asked['Variable']}\r\nValue: {asked['Value']}")
            return "Response: Success\r\nMessage: Variable Set"

        ami.answers["Setvar"] = unfiltered
        (open_,) = [one for one in await asterisk(settings) if one.where == "event filter"]
        assert (open_.level, "account bridge every event" in open_.reason) == ("error", True)
        (open_,) = [one for one in await doctor.before_start(settings, clock) if one.where == "event filter"]
        assert open_.level == "warning"


@pytest.mark.req("TL-62")
@pytest.mark.parametrize(("off_s", "bad_clock"), [(0, False), (1.9, False), (2.1, True), (-3600, True)])
async def test_asterisks_clock_beside_ours(make: Make, off_s: float, bad_clock: bool) -> None:
    stamp = (clock() + timedelta(seconds=off_s)).timestamp()
    ami = with_queues(FakeAmi(), PARAMS, MEMBER)
    ami.answers["Ping"] = lambda _: f"Response: Success\r\nPing: Pong\r\nTimestamp: {stamp:.6f}"
    async with serving(ami):
        settings = fake(make, ami)
        assert ([one.where for one in await asterisk(settings) if one.bad] == ["clock"]) is bad_clock
        before = await doctor.before_start(settings, clock)
        assert [one.level for one in before if one.where == "clock"] == ["warning"] * bad_clock, (
            "no reason not to start"
        )


async def test_an_account_without_rights_is_named(make: Make) -> None:
    ami = FakeAmi()
    async with serving(ami):
        (*_, last) = await asterisk(fake(make, ami))
    assert (last.level, last.where) == ("error", "asterisk")
    assert last.remedy


async def test_who_accepts_and_says_nothing_does_not_hold_the_doctor_up(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_PATIENCE_S", 0.2)
    held: list[asyncio.StreamWriter] = []

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        settings = remote(make, server.sockets[0].getsockname()[1])
        (found,) = await asterisk(settings)
        for writer in held:
            writer.close()
    assert (found.level, found.reason) == ("error", "Asterisk did not let us in within 0.2 s")


async def test_the_remedies_of_a_remote_asterisk_are_not_those_of_our_own(make: Make) -> None:
    ami = FakeAmi(secret="another")
    async with serving(ami):
        settings = fake(make, ami, ami_username="cti")
        (found,) = await asterisk(settings)
        assert "'cti'" in found.reason
        assert str(settings.ami_secret_file) in found.remedy
        assert "HOTLINE_AMI_USERNAME" in found.remedy
        assert "hotline asterisk stop" not in found.remedy
        ami.secret = SECRET
        ami.answers["QueueStatus"] = lambda _: "Response: Error\r\nMessage: Permission denied"
        refused = [one for one in await asterisk(settings) if one.bad]
        assert refused
        assert not [one for one in refused if "hotline asterisk stop" in one.remedy]


async def test_a_secret_file_others_can_read_stops_a_start_with_a_remote_asterisk(make: Make) -> None:
    """Also while that Asterisk is not there."""
    settings = remote(make, 2)
    assert settings.event_token_file is not None
    settings.event_token_file.chmod(0o644)
    (found,) = [one for one in await doctor.before_start(settings, clock) if one.where == "secrets"]
    assert found.bad
    assert found.reason.startswith(f"setting event_token_file: {settings.event_token_file} can be read by everybody")
    assert "mode 0600" in found.remedy


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "pbx.example"])
async def test_a_page_for_the_network_needs_tls(make: Make, host: str) -> None:
    """Else passwords cross it in clear text, and browsers give the page no microphone."""
    (found,) = [one for one in await doctor.before_start(make(http_host=host), clock) if "clear text" in one.reason]
    assert (found.level, found.where) == ("error", "http_host")
    assert "microphone" in found.reason
    assert "HOTLINE_TLS=self" in found.remedy
    secured = await doctor.before_start(make(http_host=host, tls="self"), clock)
    assert not [one for one in secured if "clear text" in one.reason]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
async def test_a_page_for_this_machine_needs_none(make: Make, host: str) -> None:
    assert not [one for one in await doctor.before_start(make(http_host=host), clock) if "clear text" in one.reason]


def test_the_address_that_is_printed_can_be_opened(make: Make) -> None:
    """Of a page on all addresses it is the machine's own, never 0.0.0.0."""
    for host in ("0.0.0.0", "::"):
        url = urlsplit(page.address(make(http_host=host, tls="self"), 8080))
        assert (url.scheme, url.port) == ("https", 8080)
        assert url.hostname not in {"0.0.0.0", "::", None, ""}
        named = make(http_host=host, tls="self", public_hosts=("hotline.lan",))
        assert page.address(named, 8080) == "https://hotline.lan:8080/"
    assert page.address(make(), 8080) == "http://localhost:8080/"
    assert page.address(make(http_host="192.0.2.7", tls="self"), 1) == "https://192.0.2.7:1/"
    assert page.address(make(http_host="2001:db8::7", tls="self"), 1) == "https://[2001:db8::7]:1/"


@pytest.mark.req("S24")
async def test_the_home_is_its_owners_alone(make: Make) -> None:
    settings = make()
    old = os.umask(0)
    try:
        await (await app.open_database(settings)).close()
    finally:
        os.umask(old)
    assert settings.home.stat().st_mode & 0o777 == 0o700


def test_only_errors_stop_a_start() -> None:
    found = Finding("warning", "here", "so")
    assert not found.bad
    assert replace(found, level="error").bad
