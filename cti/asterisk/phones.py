"""The agents' phones in a running Asterisk: their kind at sign-in, and a new secret for every browser phone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import ValidationError

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
        """A new secret for one phone, known to Asterisk when this returns; one unknown so far becomes a browser phone.

        Raises AsteriskError when this cannot be a phone's number or Asterisk does not take the secret.
        """
        if number not in self._phones:
            await self.become(_phone(number))
        async with self._turn:
            secret = self.asterisk.folder.secrets.renew_phone(number)
            await self._write("pjsip_secrets.conf", phone_secrets(self._phones.values(), self.asterisk.folder.secrets))
            await self._reload()
            return secret

    async def become(self, phone: Phone) -> None:
        """Makes the number a desk phone or a browser phone, as its agent signs in (TL-40); nothing when it is one.

        A number unknown so far, somebody added while Asterisk runs, gets his phone and its secret now. Raises
        AsteriskError when Asterisk does not take the change.
        """
        async with self._turn:
            if phone.number in self._sure and self._phones[phone.number] == phone:
                return
            changed = {**self._phones, phone.number: phone}
            await self._write("pjsip_secrets.conf", phone_secrets(changed.values(), self.asterisk.folder.secrets))
            await self._write("pjsip_phones.conf", (line for each in changed.values() for line in phone_lines(each)))
            await self._reload()
            self._phones = changed
            self._sure = set(changed)

    async def expire(self, number: str) -> None:
        """Ends the secret of a browser phone by one that nobody is told (S24); a desk phone keeps its own."""
        phone = self._phones.get(number)
        if phone is not None and phone.kind == "browser":
            await self.rotate(number)

    async def _write(self, name: str, lines: Iterable[str]) -> None:
        text = "\n".join(lines) + "\n"
        await asyncio.to_thread(write_private, self.asterisk.folder.rendered / name, text)

    async def _reload(self) -> None:
        answer = await self.asterisk.cli("module reload res_pjsip.so")
        if "eload" not in answer:
            raise AsteriskError(f"Asterisk did not reload its phones: {answer}")


def _phone(number: str) -> Phone:
    try:
        return Phone(number=number, kind="browser")
    except ValidationError as error:
        raise AsteriskError(f"{number!r} cannot be a phone's number: 3 to 8 digits") from error
