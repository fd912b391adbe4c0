"""Secrets of the agents' phones in a running Asterisk: a browser phone gets a new one at every sign-in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from cti.asterisk.errors import AsteriskError
from cti.asterisk.process import Asterisk
from cti.asterisk.render import phone_secrets
from cti.asterisk.secrets import write_private


@dataclass(slots=True)
class Phones:
    """Rotates secrets one at a time; calls and registrations of other phones are not touched."""

    asterisk: Asterisk
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def rotate(self, number: str) -> str:
        """A new secret for one phone, known to Asterisk when this returns.

        Raises AsteriskError when the number is not on the roster or Asterisk does not take the secret.
        """
        folder = self.asterisk.folder
        if number not in {phone.number for phone in folder.settings.roster}:
            raise AsteriskError(f"phone {number} is not on the roster: add it and restart the exchange")
        async with self._turn:
            secret = folder.secrets.renew_phone(number)
            lines = phone_secrets(folder.settings, folder.secrets)
            await asyncio.to_thread(write_private, folder.rendered / "pjsip_secrets.conf", "\n".join(lines) + "\n")
            answer = await self.asterisk.cli("module reload res_pjsip.so")
            if "eload" not in answer:
                raise AsteriskError(f"Asterisk did not reload its phones: {answer}")
            return secret
