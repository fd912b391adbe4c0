"""The network behind the trunk, byte by byte: every INVITE is counted, and answered as the test says."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

_SDP: Final = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
)
#: 20 ms of a 500 Hz square tone in A-law: loud, and easily told from silence
_TONE: Final = (b"\xaa" * 8 + b"\x2a" * 8) * 10

#: `waits`: rings until the test answers or declines
Manner = Literal["rings", "answers", "busy", "waits"]


@dataclass(slots=True)
class Invite:
    """One call that arrived."""

    text: str
    addr: tuple[str, int]
    to_tag: str = "far1"
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    over: asyncio.Event = field(default_factory=asyncio.Event)
    #: everything that was said to the customer, A-law
    heard: bytearray = field(default_factory=bytearray)
    #: keys he is about to press
    keys: list[str] = field(default_factory=list)

    @property
    def samples(self) -> NDArray[np.int16]:
        """What he has heard."""
        return _PCM[np.frombuffer(bytes(self.heard), np.uint8)]

    def press(self, key: str) -> None:
        """Presses a key."""
        self.keys.append(key)

    def header(self, name: str) -> str:
        """The first header of that name."""
        return header(self.text, name)

    @property
    def caller(self) -> str:
        """The number the customer sees."""
        found = re.search(r"sip:([^@>]*)@", self.header("From"))
        return found[1] if found else ""

    @property
    def called(self) -> str:
        """The number that was dialled."""
        found = re.match(r"INVITE sip:([^@]*)@", self.text)
        return found[1] if found else ""


class FarEnd(asyncio.DatagramProtocol):
    """A customer's telephone on a port of its own."""

    def __init__(self, port: int, manner: Manner = "rings") -> None:
        self.port = port
        self.manner: Manner = manner
        #: every call that ever arrived, by Call-ID
        self.calls: dict[str, Invite] = {}
        self._arrived: asyncio.Queue[Invite] = asyncio.Queue()
        self._transport: asyncio.DatagramTransport | None = None
        self._talks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", self.port))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        if self._transport is not None:
            self._transport.close()

    @property
    def trunk(self) -> str:
        """What the setting `trunk_out` is."""
        return f"sip:127.0.0.1:{self.port}"

    async def rings(self, *, within_s: float = 30.0) -> Invite:
        """The next call that arrives."""
        async with asyncio.timeout(within_s):
            return await self._arrived.get()

    def answer(self, invite: Invite) -> None:
        """Picks up, and speaks until the call is over."""
        self._talks.append(asyncio.create_task(self._talk(invite)))

    def decline(self, invite: Invite, status: str) -> None:
        """Does not take the call."""
        self._reply(invite.text, invite.addr, status)

    def hang_up(self, invite: Invite) -> None:
        """Ends an answered call from this side."""
        contact = re.search(r"<(sip:[^>]+)>", invite.header("Contact"))
        assert contact is not None
        lines = (
            f"BYE {contact[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK-bye-{len(self.calls)}",
            f"From: {invite.header('To')};tag={invite.to_tag}",
            f"To: {invite.header('From')}",
            f"Call-ID: {invite.header('Call-ID')}",
            "CSeq: 1 BYE",
            "Max-Forwards: 70",
            "Content-Length: 0",
        )
        self._send("\r\n".join(lines) + "\r\n\r\n", invite.addr)
        invite.over.set()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """One message of the exchange."""
        text = data.decode("utf-8", "replace")
        method, call = text.split(" ", 1)[0], header(text, "Call-ID")
        if method == "INVITE" and call not in self.calls:
            self._invited(Invite(text, addr), call)
        elif method == "OPTIONS":
            self._reply(text, addr, "200 OK")
        elif method in {"BYE", "CANCEL"} and call in self.calls:
            self._reply(text, addr, "200 OK")
            invite = self.calls[call]
            if method == "CANCEL":
                self._reply(invite.text, addr, "487 Request Terminated")
            invite.over.set()

    def _invited(self, invite: Invite, call: str) -> None:
        self.calls[call] = invite
        if self.manner == "busy":
            self._reply(invite.text, invite.addr, "486 Busy Here")
        else:
            self._reply(invite.text, invite.addr, "180 Ringing")
            if self.manner == "answers":
                self.answer(invite)
        self._arrived.put_nowait(invite)

    def _reply(self, text: str, addr: tuple[str, int], status: str, body: str = "") -> None:
        lines = [f"SIP/2.0 {status}"]
        lines += [
            line
            for line in text.split("\r\n\r\n", maxsplit=1)[0].split("\r\n")
            if line.startswith(("Via:", "Record-Route:"))
        ]
        to = header(text, "To")
        lines += [f"From: {header(text, 'From')}", f"To: {to}" + ("" if ";tag=" in to else ";tag=far1")]
        lines += [f"Call-ID: {header(text, 'Call-ID')}", f"CSeq: {header(text, 'CSeq')}"]
        lines += [f"Contact: <sip:far@127.0.0.1:{self.port}>"]
        lines += ["Content-Type: application/sdp"] if body else []
        lines += [f"Content-Length: {len(body)}"]
        self._send("\r\n".join(lines) + "\r\n\r\n" + body, addr)

    def _send(self, text: str, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        self._transport.sendto(text.encode(), addr)

    async def _talk(self, invite: Invite) -> None:
        """Voice both ways, and keys as events (RFC 4733) in between."""
        found = re.search(r"m=audio (\d+)", invite.text)
        assert found is not None
        loop, there = asyncio.get_running_loop(), ("127.0.0.1", int(found[1]))
        rtp, _ = await loop.create_datagram_endpoint(lambda: Ear(invite), local_addr=("127.0.0.1", 0))
        try:
            self._reply(invite.text, invite.addr, "200 OK", _SDP.format(port=rtp.get_extra_info("sockname")[1]))
            count = 0
            while not invite.over.is_set():
                if invite.keys:
                    count = await _key(rtp, there, invite.keys.pop(0), count)
                rtp.sendto(_packet(8, count, count * 160) + _TONE, there)
                count += 1
                await asyncio.sleep(0.02)
        finally:
            rtp.close()


class Ear(asyncio.DatagramProtocol):
    """Keeps what one customer hears."""

    def __init__(self, invite: Invite) -> None:
        self._invite = invite

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """One packet of voice; everything else is no sound."""
        if len(data) > 12 and data[1] & 0x7F == 8:
            self._invite.heard += data[12:]


async def _key(rtp: asyncio.DatagramTransport, there: tuple[str, int], key: str, count: int) -> int:
    """Five packets of a key held down and three of its end; the number of the next packet."""
    event, start = "0123456789*#".index(key), count * 160
    for at in range(8):
        held = min(at + 1, 5) * 160
        pressed = bytes([event, 0x8A if at >= 5 else 0x0A]) + held.to_bytes(2, "big")
        rtp.sendto(_packet(101, count, start, first=at == 0) + pressed, there)
        count += 1
        await asyncio.sleep(0.02)
    return count


def _packet(kind: int, count: int, stamp: int, *, first: bool = False) -> bytes:
    """The header of one packet."""
    head = bytes([0x80, kind | (0x80 if first else 0)])
    return head + (count % 65536).to_bytes(2, "big") + stamp.to_bytes(4, "big") + b"fare"


def _alaw() -> NDArray[np.int16]:
    """What each A-law byte stands for."""
    values = []
    for byte in range(256):
        turned = byte ^ 0x55
        exponent, mantissa = (turned & 0x70) >> 4, turned & 0x0F
        size = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << (exponent - 1)
        values.append(size if turned & 0x80 else -size)
    return np.array(values, np.int16)


_PCM: Final = _alaw()


def header(text: str, name: str) -> str:
    """The first header of that name."""
    found = re.search(rf"^{name}:[ \t]*(.*?)\r?$", text, re.IGNORECASE | re.MULTILINE)
    return found[1] if found else ""
