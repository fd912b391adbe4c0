"""Secrets of the exchange: made at first run, one file each with mode 0600, never in the repository (S24)."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cti.asterisk.errors import AsteriskError

_HEX_BYTES: Final = 16  # 128 bits


def write_private(path: Path, text: str) -> None:
    """Replaces `path` by a file that only its owner can read; a crash leaves the old or the new one, never half."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        scratch.rename(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """The secrets folder. Values are read from their files each time, so a rotated one is seen by everybody."""

    folder: Path

    @classmethod
    def load_or_create(cls, folder: Path) -> Self:
        """Makes what is missing. Raises AsteriskError when a secret can be read by others: it must be made anew."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        made = cls(folder)
        for name in ("ami-bridge", "ami-dialler", "agi", "token", "trunk"):
            made._get(name)
        return made

    @property
    def ami_bridge(self) -> str:
        """Password of the manager account `bridge`."""
        return self._get("ami-bridge")

    @property
    def ami_dialler(self) -> str:
        """Password of the manager account `dialler`."""
        return self._get("ami-dialler")

    @property
    def agi(self) -> str:
        """Path element that shows the FastAGI server that Asterisk is calling (S08)."""
        return self._get("agi")

    @property
    def token(self) -> str:
        """CTI_TOKEN of the Asterisk that runs now (S03)."""
        return self._get("token")

    @property
    def trunk(self) -> str:
        """Password a trunk that registers with us uses."""
        return self._get("trunk")

    def phone(self, number: str) -> str:
        """Password of one agent's phone."""
        return self._get(f"phone-{_checked(number)}")

    def renew_token(self) -> str:
        """A new CTI_TOKEN: once for each start of Asterisk."""
        return self._renew("token")

    def renew_phone(self, number: str) -> str:
        """A new password for one phone; `phones.rotate` also tells Asterisk."""
        return self._renew(f"phone-{_checked(number)}")

    def _get(self, name: str) -> str:
        path = self.folder / name
        try:
            mode = path.stat().st_mode & 0o777
        except FileNotFoundError:
            return self._renew(name)
        if mode & 0o077:
            raise AsteriskError(f"{path} can be read by others (mode {mode:o}): delete it, a new secret will be made")
        text = path.read_text(encoding="utf-8").strip()
        if not text:
            raise AsteriskError(f"{path} is empty: delete it, a new secret will be made")
        return text

    def _renew(self, name: str) -> str:
        value = secrets.token_hex(_HEX_BYTES)
        write_private(self.folder / name, value)
        return value


def _checked(number: str) -> str:
    if not (number.isascii() and number.isdigit() and len(number) <= 8):
        raise ValueError("a phone number of ours is 3 to 8 digits")
    return number
