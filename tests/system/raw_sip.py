"""One SIP call made byte by byte, for requests no honest telephone would send."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Self

_SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
)


class _Socket(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.received: asyncio.Queue[str] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        self.received.put_nowait(data.decode("utf-8", "replace"))


@dataclass(slots=True)
class RawCall:
    """An INVITE with free choice of From, extra headers and request URI."""

    exchange: str
    transport: asyncio.DatagramTransport
    socket: _Socket
    from_value: str
    #: names the call and its transactions: a port may be given to the next call
    _call: str = field(default_factory=lambda: secrets.token_hex(8))
    _to: str = ""

    @classmethod
    async def invite(
        cls, exchange: str, *, from_user: str, dnis: str = "1860", headers: str = "", display: str = ""
    ) -> Self:
        """Sends the INVITE. `from_user`, `display` and `headers` (whole lines, closed by CR LF) go out as they are."""
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.create_datagram_endpoint(_Socket, local_addr=("127.0.0.1", 0))
        call = cls(exchange, transport, protocol, f"{display}<sip:{from_user}@127.0.0.1>;tag=raw1")
        call._send("INVITE", f"sip:{dnis}@{exchange}", headers=headers, body=_SDP.format(port=call.port + 1))
        return call

    @property
    def port(self) -> int:
        """Our UDP port."""
        return int(self.transport.get_extra_info("sockname")[1])

    async def final(self, *, within_s: float = 15.0) -> int:
        """The final answer's status, acknowledged."""
        async with asyncio.timeout(within_s):
            while True:
                answer = await self.socket.received.get()
                match = re.match(r"SIP/2\.0 (\d{3})", answer)
                if match and int(match[1]) >= 200 and "INVITE" in (_header(answer, "CSeq") or ""):
                    self._to = _header(answer, "To") or ""
                    self._send("ACK", f"sip:{self.exchange}", to=self._to)
                    return int(match[1])

    async def ended(self, *, within_s: float = 30.0) -> None:
        """Waits for the exchange's BYE and answers it."""
        async with asyncio.timeout(within_s):
            while not (request := await self.socket.received.get()).startswith("BYE"):
                pass
        kept = [f"{name}: {_header(request, name)}" for name in ("Via", "From", "To", "Call-ID", "CSeq")]
        self._write("\r\n".join(("SIP/2.0 200 OK", *kept, "Content-Length: 0", "", "")))

    async def hang_up(self, *, within_s: float = 30.0) -> None:
        """Ends the call that was answered, by an honest request, repeated until it is answered (UDP may lose it)."""
        self.from_value = "<sip:raw@127.0.0.1>;tag=raw1"
        async with asyncio.timeout(within_s):
            while True:
                self._send("BYE", f"sip:{self.exchange}", to=self._to, sequence=2)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.5):
                        while "BYE" not in (_header(answer := await self.socket.received.get(), "CSeq") or ""):
                            pass
                        assert answer.startswith(("SIP/2.0 200", "BYE")), answer
                        return

    def close(self) -> None:
        """Forgets the call."""
        self.transport.close()

    def _send(
        self, method: str, uri: str, *, to: str = "", headers: str = "", body: str = "", sequence: int = 1
    ) -> None:
        lines = (
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK-{self._call}-{method}",
            f"From: {self.from_value}",
            f"To: {to or f'<{uri}>'}",
            f"Call-ID: {self._call}",
            f"CSeq: {sequence} {method}",
            f"Contact: <sip:raw@127.0.0.1:{self.port}>",
            "Max-Forwards: 70",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        )
        self._write("\r\n".join(lines) + "\r\n" + headers + "\r\n" + body)

    def _write(self, text: str) -> None:
        host, _, port = self.exchange.partition(":")
        self.transport.sendto(text.encode("utf-8", "surrogateescape"), (host, int(port)))


def _header(message: str, name: str) -> str | None:
    match = re.search(rf"^{name}:\s*(.*?)\r$", message, re.MULTILINE | re.IGNORECASE)
    return match[1] if match else None
