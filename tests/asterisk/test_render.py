"""The run folder: secrets for their owner only, the machine's facts where the files expect them."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from cti.asterisk.conf import folder_reader, read
from cti.asterisk.errors import AsteriskError, PortTaken
from cti.asterisk.ports import check
from cti.asterisk.provision import Installation
from cti.asterisk.render import RunFolder, render
from cti.asterisk.secrets import Secrets
from cti.asterisk.settings import HOME, AsteriskSettings, Dnis, Phone
from ivr import variables
from tests.system.conftest import exchange_settings


def rendered(run: Path, **changes: object) -> RunFolder:
    tree = run / "tree"
    installation = Installation(tree, "22.10.1", False, tree / "asterisk", tree / "modules", tree / "documentation")
    settings = AsteriskSettings.model_validate({"run_dir": run / "run", "cache_dir": run, **changes})
    return render(installation, settings, Secrets.load_or_create(run / "run" / "secrets"))


def test_whatever_holds_a_secret_is_for_its_owner_only(tmp_path: Path) -> None:
    folder = rendered(tmp_path)
    texts = {path: path.read_text(encoding="utf-8") for path in folder.root.rglob("*.conf")}
    values = [folder.secrets.ami_bridge, folder.secrets.ami_dialler, folder.secrets.agi, folder.secrets.token]
    values += [folder.secrets.phone(phone.number) for phone in folder.settings.roster]
    assert len(set(values)) == len(values)
    for value in values:
        assert len(value) == 32
        holders = [path for path, text in texts.items() if value in text]
        assert len(holders) == 1
        assert stat.S_IMODE(holders[0].stat().st_mode) == 0o600
    for path in (folder.root / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.voice.stat().st_mode) == 0o700


def test_secrets_stay_the_same_and_renew_one_by_one(tmp_path: Path) -> None:
    first = Secrets.load_or_create(tmp_path / "s")
    kept, token = first.ami_bridge, first.token
    again = Secrets.load_or_create(tmp_path / "s")
    assert (again.ami_bridge, again.token) == (kept, token)
    assert again.renew_token() != token
    assert first.token == again.token
    assert kept not in repr(first)


def test_a_secret_others_can_read_is_refused(tmp_path: Path) -> None:
    Secrets.load_or_create(tmp_path / "s")
    (tmp_path / "s" / "agi").chmod(0o644)
    with pytest.raises(AsteriskError, match="can be read by others"):
        Secrets.load_or_create(tmp_path / "s")


def test_what_is_rendered_can_be_read_back(tmp_path: Path) -> None:
    folder = rendered(
        tmp_path, dnis=[Dnis(number="1861", language="en")], roster=[Phone(number="1001", kind="browser")]
    )
    etc = folder_reader(folder.conf.parent)
    values = {entry.key: entry.value for entry in read("extensions.conf", etc).named("globals")[0].entries}
    assert values["CTI_LANG_1861"] == "en"
    assert values["CTI_AGI"].endswith(folder.secrets.agi)
    assert values["CTI_SPOOL"] == str(folder.voice)
    pjsip = read("pjsip.conf", etc)
    assert {"type": "endpoint", "webrtc": "yes"}.items() <= {
        entry.key: entry.value for entry in pjsip.effective(pjsip.named("1001")[0])
    }.items()
    manager = read("manager.conf", etc)
    assert manager.options("general")["channelvars"].value == ",".join(variables.ON_EVENTS)


def test_rendering_again_keeps_voice_files_and_secrets(tmp_path: Path) -> None:
    first = rendered(tmp_path)
    (first.voice / "x-in.wav").write_bytes(b"RIFF")
    secret = first.secrets.ami_bridge
    again = rendered(tmp_path, step_seconds=5)
    assert (again.voice / "x-in.wav").read_bytes() == b"RIFF"
    assert again.secrets.ami_bridge == secret


def test_a_path_too_long_for_a_socket_is_named(tmp_path: Path) -> None:
    with pytest.raises(AsteriskError, match="too long"):
        rendered(tmp_path, run_dir=tmp_path / ("x" * 100))


def test_a_taken_port_is_named_with_its_holder(tmp_path: Path) -> None:
    settings = exchange_settings(tmp_path)
    check(settings)
    with socket.socket() as held:
        held.bind(("127.0.0.1", settings.ami_port))
        held.listen()
        with pytest.raises(PortTaken) as taken:
            check(settings)
    assert f"TCP port {settings.ami_port}" in str(taken.value)
    assert "(process " in str(taken.value)
    assert "ami_port" in str(taken.value)


@pytest.mark.parametrize(
    "change",
    [
        {"roster": [Phone(number="1001"), Phone(number="1001")]},
        {"rtp_start": 20000, "rtp_end": 20001},
        {"ami_port": 5000, "http_port": 5000},
        {"unheard_of": 1},
        {"dnis": [{"number": "18 60"}]},
        {"roster": [{"number": "1001\n[x]"}]},
        {"rescue_queue": "a\nb"},
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        AsteriskSettings.model_validate({"run_dir": tmp_path, "cache_dir": tmp_path, **change})


def test_the_handbook_lists_every_variable_and_event_of_the_contract() -> None:
    handbook = (HOME / "asterisk-conf" / "README.md").read_text(encoding="utf-8")
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in handbook.splitlines() if line.startswith("|")]
    rows = {row[0].strip("`"): row[-1] for row in cells}
    for variable in (*variables.GLOBALS, *variables.CHANNEL):
        assert rows.get(variable.name) == variable.meaning
    for event, headers in variables.USER_EVENTS.items():
        assert all(f"`{header}`" in rows[event] for header in headers)
    named = {name for name in rows if name.startswith("CTI_")}
    assert named == {variable.name for variable in (*variables.GLOBALS, *variables.CHANNEL)}
