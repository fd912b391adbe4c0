"""A WebSocket client that writes its frames itself, also such as the protocol forbids, and the messages it writes."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import random
import struct
from collections.abc import Iterator
from typing import Final, Self

#: opcodes
MORE, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

REGISTER: Final = (
    "REGISTER sip:hotline SIP/2.0\r\nFrom: <sip:1001@hotline>;tag=a\r\nTo: <sip:1001@hotline>\r\n"
    "Call-ID: x\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"
)


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    last: bool = True,
    masked: bool = True,
    bits: int = 0,
    length: int | None = None,
) -> bytes:
    """One frame; `bits` are the reserved ones, `length` may be another than the payload's."""
    said = len(payload) if length is None else length
    mask = 0x80 if masked else 0
    size = (
        bytes([mask | said]) if said < 126
        else bytes([mask | 126]) + struct.pack("!H", said) if said < 1 << 16
        else bytes([mask | 127]) + struct.pack("!Q", said)
    )  # fmt: skip
    key = b"\x11\x22\x33\x44" if masked else b""
    body = bytes(byte ^ key[at % 4] for at, byte in enumerate(payload)) if masked else payload
    return bytes([(0x80 if last else 0) | bits << 4 | opcode]) + size + key + body


def in_pieces(payload: bytes, size: int, opcode: int = TEXT) -> bytes:
    """One message in frames of so many bytes."""
    parts = [payload[at : at + size] for at in range(0, len(payload), size)]
    return b"".join(
        frame(MORE if place else opcode, part, last=place == len(parts) - 1) for place, part in enumerate(parts)
    )


def malformed(rng: random.Random) -> Iterator[bytes]:
    """Endless: bytes of which no part is a message that the phone of 1001 may send."""
    good = REGISTER.encode()
    foreign = good.replace(b"1001", b"1002")
    between = (b"\r\n\tx\r\nTo:", b"\nTo:", b"\r\nf: <sip:1002@h>\r\nTo:")
    while True:
        at = rng.randrange(1, len(foreign))
        noise = rng.randbytes(rng.randrange(1, 200))
        words = "".join(chr(rng.choice((9, 10, 13, 32, 60, 62, 0x85, 0x2028, 0x1F4DE))) for _ in range(9)) + "x"
        yield from (
            frame(TEXT, noise + b"\xff"),
            frame(TEXT, words.encode()),
            frame(TEXT, b'{"type": "subscribe"}'),
            frame(TEXT, foreign),
            frame(TEXT, foreign[:at] + noise.replace(b"1001", b"") + foreign[at:]),
            frame(TEXT, good.replace(b"\r\nTo:", rng.choice(between))),
            frame(TEXT, foreign, masked=False),
            frame(TEXT, good[: good.index(b"\r\n\r\n")]),
            frame(TEXT, b"SIP/2.0 200 OK\n\n"),
            frame(BINARY, good),
            in_pieces(good, rng.randrange(1, 40), BINARY),
            in_pieces(foreign, rng.randrange(1, 40)),
            in_pieces(good + b"x" * 40_000, 4000),
            frame(MORE, good),
            frame(TEXT, good[:9], last=False) + frame(TEXT, good[9:]),
            frame(TEXT, good[:9], last=False) + frame(PING, b"x" * 126) + frame(MORE, good[9:]),
            frame(TEXT, good[:9], last=False) + frame(CLOSE, b"\x03") + frame(MORE, good[9:]),
            frame(PING, b"x", last=False),
            frame(rng.choice((0x3, 0x4, 0x7, 0xB, 0xF)), good),
            frame(TEXT, good, bits=rng.randrange(1, 8)),
            frame(CLOSE, struct.pack("!H", rng.choice((0, 999, 1004, 1005, 1006, 2999, 65535)))),
            frame(CLOSE, b"\x03\xe8\xff\xfe"),
            frame(TEXT, good, length=1 << 40),
            frame(TEXT, good, length=(1 << 64) - 1),
            b"\x81\xfe\x00",
            bytes([noise[0] | 0x70]) + b"\x80" + noise,
        )


class RawSocket:
    """One connection at `/sip`, opened as a page of our own origin would."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, host: str, port: int, cookie: str) -> Self:
        """Raises AssertionError when the service refuses."""
        reader, writer = await asyncio.open_connection(host, port)
        key = base64.b64encode(b"0123456789abcdef").decode()
        lines = (
            "GET /sip HTTP/1.1", f"Host: {host}:{port}", f"Origin: http://{host}:{port}", f"Cookie: {cookie}",
            "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Protocol: sip", "", "",
        )  # fmt: skip
        writer.write("\r\n".join(lines).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        return cls(reader, writer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    def write(self, data: bytes) -> None:
        """Bytes as they are."""
        self._writer.write(data)

    def end(self) -> None:
        """Nothing more comes; what is said can still be read."""
        if self._writer.can_write_eof():
            self._writer.write_eof()

    async def rest(self) -> bytes:
        """All that comes until the other side closes."""
        with contextlib.suppress(ConnectionError):
            return await self._reader.read()
        return b""

    async def message(self) -> tuple[int, bytes]:
        """The next whole frame of at most 65,535 bytes: opcode and payload."""
        first, size = await self._reader.readexactly(2)
        if size == 126:
            (size,) = struct.unpack("!H", await self._reader.readexactly(2))
        return first & 0x0F, await self._reader.readexactly(size)


def frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The frames of an unmasked stream of short ones; what is cut short is left out."""
    while len(data) >= 2 and len(data) >= 2 + (size := data[1] & 0x7F):
        yield data[0] & 0x0F, data[2 : 2 + size]
        data = data[2 + size :]
