"""Settings: where they come from, who wins, and what is said of a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cti.settings import Settings, default_cache, load
from ticketing.errors import Invalid

Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder without a hotline.toml."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes the settings file and names it."""

    def write(text: str) -> Path:
        file = tmp_path / "own.toml"
        file.write_text(text, encoding="utf-8")
        monkeypatch.setenv("HOTLINE_CONFIG", str(file))
        return file

    return write


def refusal(**given: object) -> str:
    with pytest.raises(Invalid) as caught:
        load(**given)
    assert caught.value.code == "bad_setting"
    return caught.value.message


def test_the_defaults_are_a_local_sandbox(tmp_path: Path) -> None:
    settings = load()
    assert (settings.http_host, settings.http_port, settings.asterisk, settings.tls) == (
        "127.0.0.1",
        8080,
        "sandbox",
        "off",
    )
    assert settings.database == f"sqlite+aiosqlite:///{tmp_path / 'var' / 'hotline.db'}"
    assert settings.asterisk_run == tmp_path / "var" / "asterisk"
    assert settings.secrets_dir == tmp_path / "var" / "secrets"
    assert settings.recordings_root == tmp_path / "var" / "recordings"
    assert settings.journal_dir == tmp_path / "var" / "journal"
    assert (settings.asterisk_conf / "queues.conf").is_file()
    assert (settings.ivr_data / "menus.toml").is_file()


def test_arguments_win_over_variables_and_these_over_the_file(toml: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    toml('http_port = 1001\nagi_port = 1002\nami_port = 1003\ndatabase_url = "postgresql://h/x"\n')
    monkeypatch.setenv("HOTLINE_HTTP_PORT", "2001")
    monkeypatch.setenv("HOTLINE_AGI_PORT", "2002")
    settings = load(http_port=3001)
    assert (settings.http_port, settings.agi_port, settings.ami_port) == (3001, 2002, 1003)
    assert settings.database == "postgresql://h/x"


def test_the_working_folders_file_is_read_unasked(tmp_path: Path) -> None:
    (tmp_path / "hotline.toml").write_text("http_port = 1001\n", encoding="utf-8")
    assert load().http_port == 1001


@pytest.mark.parametrize("name", ["trunk_hosts", "public_hosts"])
def test_several_words_are_a_list_in_the_file_and_commas_in_a_variable(
    name: str, toml: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml(f'{name} = ["10.0.0.1", "10.1.0.0/16"]\n')
    assert getattr(load(), name) == ("10.0.0.1", "10.1.0.0/16")
    monkeypatch.setenv(f"HOTLINE_{name.upper()}", " 10.2.0.1 ,, 10.3.0.0/16, ")
    assert getattr(load(), name) == ("10.2.0.1", "10.3.0.0/16")
    monkeypatch.setenv(f"HOTLINE_{name.upper()}", "")
    assert getattr(load(), name) == ()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("http_port", "eighty", "valid integer"),
        ("http_port", "70000", "less than or equal to 65535"),
        ("sip_port", "0", "greater than or equal to 1"),
        ("rtp_start", "80", "greater than or equal to 1024"),
        ("asterisk", "docker", "'sandbox' or 'remote'"),
        ("tls", "maybe", "'off', 'self' or 'files'"),
        ("ami_host", "pbx.example", "IPv4 or IPv6 address"),
        ("sip_host", "0.0.0", "IPv4 or IPv6 address"),
        ("trunk_hosts", "10.0.0.0/99", "IPv4 or IPv6 network"),
        ("answer_target_seconds", "0", "greater than 0"),
        ("misses_before_pause", "0", "greater than or equal to 1"),
        ("journal_bytes", "1", "greater than or equal to 1048576"),
        ("log_level", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("sample", "perhaps", "valid boolean"),
    ],
)
def test_a_bad_value_names_the_setting_and_its_source(
    name: str, value: str, reason: str, toml: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the command line, in a variable, and in the file with its line."""
    told = refusal(**{name: value})
    assert told.startswith(f"setting {name}")
    assert reason in told
    assert told.endswith("(set on the command line)")
    file = toml(f'home = "here"\n{name} = "{value}"\n')
    assert refusal().endswith(f"(set in {file}:2)")
    monkeypatch.setenv(f"HOTLINE_{name.upper()}", value)
    assert refusal().endswith(f"(set by the variable HOTLINE_{name.upper()})")


def test_a_setting_there_is_not_is_named(toml: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt one would else be believed to work."""
    file = toml("http_port = 1\nhtpp_port = 80\n")
    assert refusal() == f"setting htpp_port: there is no such setting (docs/settings.md) (set in {file}:2)"
    monkeypatch.setenv("HOTLINE_HTPP_PORT", "80")
    assert refusal() == "variable HOTLINE_HTPP_PORT: there is no such setting (docs/settings.md)"


def test_a_file_that_is_not_there_or_no_toml_is_named(
    toml: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = toml("http_port = \n")
    assert refusal().startswith(f"{file} is not readable TOML: ")
    assert "line 1" in refusal()
    monkeypatch.setenv("HOTLINE_CONFIG", str(tmp_path / "none.toml"))
    assert refusal() == f"HOTLINE_CONFIG names {tmp_path / 'none.toml'}, which does not exist"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"http_port": 15038}, "settings: http_port and ami_port are both 15038"),
        ({"agi_port": 9000, "http_port": 9000}, "settings: http_port and agi_port are both 9000"),
        ({"rtp_start": 20000, "rtp_end": 20002}, "settings: rtp_end must be at least rtp_start + 3"),
        (
            {"asterisk": "remote", "ami_secret_file": "x"},
            "settings: asterisk = remote needs spool, agi_secret_file, event_token_file",
        ),
        ({"tls": "files"}, "settings: tls = files needs tls_certificate and tls_key"),
    ],
)
def test_settings_that_do_not_fit_each_other_are_named(given: dict[str, object], told: str) -> None:
    assert refusal(**given).startswith(told)


def test_ports_of_a_remote_asterisk_may_equal_ours_and_port_0_is_any() -> None:
    files = dict.fromkeys(("spool", "ami_secret_file", "agi_secret_file", "event_token_file"), "x")
    load(asterisk="remote", http_port=15038, ami_port=15038, **files)
    load(http_port=0, agi_port=14573)


def test_localhost_is_an_address() -> None:
    assert load(ami_host="localhost", sip_host="::1").ami_host == "localhost"


def test_the_cache_follows_the_users_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "hotline"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert default_cache() == tmp_path / "me" / ".cache" / "hotline"
    assert load().cache_dir == default_cache()


def test_settings_are_not_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().http_port = 1
    assert isinstance(load(), Settings)
