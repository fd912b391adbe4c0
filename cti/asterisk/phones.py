"""The agents' phones in a running Asterisk: their kind at sign-in, and a new secret for every browser phone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from cti.asterisk.errors import AsteriskError
from cti.asterisk.process import Asterisk
from cti.asterisk.render import phone_lines, phone_secrets
from cti.asterisk.secrets import write_private
from cti.asterisk.settings import Phone


@dataclass(slots=True)
class Phones:
    """Changes phones one at a time; calls and registrations of other phones are not touched."""

    asterisk: Asterisk
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _phones: dict[str, Phone] = field(default_factory=dict)
    #: phones this process has told Asterisk about; an Asterisk that outlived its last service may know them otherwise
    _sure: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._phones = {phone.number: phone for phone in self.asterisk.folder.settings.roster}

    async def rotate(self, number: str) -> str:
        """A new secret for one phone, known to Asterisk when this returns.

        Raises AsteriskError when the number is not on the roster or Asterisk does not take the secret.
        """
        folder = self.asterisk.folder
        self._known(number)
        async with self._turn:
            secret = folder.secrets.renew_phone(number)
            await self._take("pjsip_secrets.conf", phone_secrets(folder.settings, folder.secrets))
            return secret

    async def become(self, phone: Phone) -> None:
        """Makes the number a desk phone or a browser phone, as its agent signs in (TL-40); nothing when it is one.

        Raises AsteriskError when the number is not on the roster or Asterisk does not take the change.
        """
        self._known(phone.number)
        async with self._turn:
            if phone.number in self._sure and self._phones[phone.number] == phone:
                return
            changed = {**self._phones, phone.number: phone}
            await self._take("pjsip_phones.conf", (line for each in changed.values() for line in phone_lines(each)))
            self._phones = changed
            self._sure = set(changed)

    def _known(self, number: str) -> None:
        if number not in self._phones:
            raise AsteriskError(f"phone {number} is not on the roster: add it and restart the exchange")

    async def _take(self, name: str, lines: Iterable[str]) -> None:
        """Writes one rendered file and has Asterisk read it."""
        text = "\n".join(lines) + "\n"
        await asyncio.to_thread(write_private, self.asterisk.folder.rendered / name, text)
        answer = await self.asterisk.cli("module reload res_pjsip.so")
        if "eload" not in answer:
            raise AsteriskError(f"Asterisk did not reload its phones: {answer}")
