"""The HTTP adapter of the message port: text messages and e-mails handed to the operator's gateway (TL-25)."""

from dataclasses import asdict

import aiohttp

from ticketing.notices.model import NoticeRefused, Outgoing

__all__ = ["HttpGateway"]

#: the gateway knows this id: it has the message
_HAS_IT = 409
#: not an answer about the message: sign in, slow down, be patient
_LATER = frozenset({401, 403, 404, 405, 407, 408, 421, 423, 425, 429})


class HttpGateway:
    """POSTs each message as JSON with its id as `Idempotency-Key`; one connection pool for the service's life.

    2xx and 409 mean that the gateway has it; another 4xx about the message itself that it never will.
    """

    def __init__(self, url: str, token: str = "") -> None:
        self._url = url
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._session = aiohttp.ClientSession(headers=headers)

    async def send(self, message: Outgoing) -> None:
        """Raises NoticeRefused, ConnectionError for an answer that is none, or aiohttp's errors."""
        headers = {"Idempotency-Key": message.id}
        async with self._session.post(
            self._url, json=asdict(message), headers=headers, allow_redirects=False
        ) as answer:
            status = answer.status
        if status < 300 or status == _HAS_IT:
            return
        if 400 <= status < 500 and status not in _LATER:
            raise NoticeRefused(f"the gateway answered {status}")
        raise ConnectionError(f"the gateway answered {status}")

    async def close(self) -> None:
        """Ends its connections."""
        await self._session.close()
