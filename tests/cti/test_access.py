"""What service and Asterisk know each other by: our own secrets, or the files of a remote one's administrator."""

from __future__ import annotations

from pathlib import Path

import pytest

from cti.asterisk.secrets import Secrets
from cti.exchange import access
from cti.settings import Settings
from ticketing.errors import Invalid

FILES = {"ami_secret_file": "s3cret", "agi_secret_file": "menu", "event_token_file": "tok"}


def remote(folder: Path) -> dict[str, object]:
    """Settings of a remote Asterisk whose secrets lie in this folder."""
    for name, word in FILES.items():
        (folder / name).write_text(word + "\n", encoding="ascii")
        (folder / name).chmod(0o600)
    return {"asterisk": "remote", "spool": folder, **{name: folder / name for name in FILES}}


def test_a_remote_asterisk_is_known_by_what_the_settings_name(tmp_path: Path) -> None:
    given = {**remote(tmp_path), "home": tmp_path / "home", "ami_host": "10.0.0.9", "ami_username": "cti"}
    known = access(Settings.model_validate(given))
    assert (known.account.host, known.account.username, known.account.secret) == ("10.0.0.9", "cti", "s3cret")
    assert (known.agi, known.token) == ("menu", "tok")
    assert not (tmp_path / "home").exists(), "no secrets of our own are made"
    assert "s3cret" not in repr(known)
    assert "tok" not in repr(known).replace("token", "")


def test_our_own_asterisk_is_known_by_its_secrets(tmp_path: Path) -> None:
    settings = Settings.model_validate({"home": tmp_path, "ami_username": "ignored"})
    known, own = access(settings), Secrets(settings.secrets_dir)
    assert (known.account.username, known.account.secret) == ("bridge", own.ami_bridge)
    assert (known.agi, known.token) == (own.agi, own.token)


@pytest.mark.req("S24")
@pytest.mark.parametrize("name", FILES)
def test_a_secret_file_that_does_not_do_is_named(name: str, tmp_path: Path) -> None:
    settings = Settings.model_validate(remote(tmp_path))
    file = tmp_path / name

    def refused() -> str:
        with pytest.raises(Invalid) as caught:
            access(settings)
        assert caught.value.code == "bad_setting"
        assert caught.value.message.startswith(f"setting {name}: {file} ")
        return caught.value.message

    file.chmod(0o644)
    assert "can be read by everybody" in refused()
    file.chmod(0o640)
    access(settings)
    file.write_bytes(b"\xff\xfe")
    assert "no text" in refused()
    for wrong in ("", "\n", "two words", "a\nb"):
        file.write_text(wrong, encoding="ascii")
        assert "must hold one word" in refused()
    file.unlink()
    assert "No such file" in refused()
