"""Which Asterisk is taken, and what is said when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from cti.asterisk.errors import ProvisionError
from cti.asterisk.provision import installed, provision, sandbox_folder


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any Asterisk; its PATH is an empty folder."""
    monkeypatch.setattr("cti.asterisk.provision._system", lambda: None)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def sandbox(cache: Path, says: str) -> Path:
    """A tree whose loader prints what a version of Asterisk would."""
    root = sandbox_folder(cache)
    script(root / "lib64" / "ld-linux-x86-64.so.2", f"echo '{says}'")
    (root / "usr/lib/x86_64-linux-gnu/asterisk/modules").mkdir(parents=True)
    return root


def test_nothing_is_installed_by_looking(bare: Path) -> None:
    assert installed(bare / "cache") is None


def test_a_sandbox_of_the_right_version_is_used_as_it_is(bare: Path) -> None:
    root = sandbox(bare, "Asterisk 22.10.1~dfsg")
    found = provision(bare)
    assert (found.version, found.system, found.root) == ("22.10.1", False, root)
    assert found.command[0] == str(root / "lib64" / "ld-linux-x86-64.so.2")


@pytest.mark.parametrize(
    ("says", "words"), [("Asterisk 18.10.0", "18.10.0, but 22 is needed"), ("Segmentation fault", "does not start")]
)
def test_a_sandbox_that_is_too_old_or_broken_is_named(bare: Path, says: str, words: str) -> None:
    root = sandbox(bare, says)
    with pytest.raises(ProvisionError, match=words) as told:
        provision(bare)
    assert str(root) in str(told.value)


def test_an_ordinary_user_is_told_in_one_sentence_what_to_install(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ProvisionError, match="install the package `asterisk`"):
        provision(bare / "cache")


def test_an_interrupted_installation_is_begun_anew_and_appears_whole(bare: Path) -> None:
    cache = bare / "cache"
    leftover = sandbox_folder(cache).with_name("asterisk-sandbox.partial") / "half"
    leftover.mkdir(parents=True)
    script(
        bare / "bin" / "mmdebstrap",
        'for last; do :; done\nPATH=/usr/bin:/bin\n[ -e "$last/half" ] && exit 1\necho "I: installing"\n'
        'mkdir -p "$last/lib64" "$last/usr/lib/x86_64-linux-gnu/asterisk/modules"\n'
        'printf "#!/bin/sh\\necho Asterisk 22.9.0\\n" > "$last/lib64/ld-linux-x86-64.so.2"\n'
        'chmod 755 "$last/lib64/ld-linux-x86-64.so.2"',
    )
    lines: list[str] = []
    assert provision(cache, lines.append).version == "22.9.0"
    assert "installing" in lines
    assert sandbox_folder(cache).is_dir()
    assert not leftover.parent.exists()


def test_a_failed_installation_leaves_no_sandbox_and_gives_its_reason(bare: Path) -> None:
    script(bare / "bin" / "mmdebstrap", 'echo "E: no network"; exit 1')
    with pytest.raises(ProvisionError, match="no network"):
        provision(bare / "cache")
    assert installed(bare / "cache") is None
