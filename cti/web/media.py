"""Sound to the browser: one HTTP range at a time, the file closed whatever becomes of the listener (TL-51)."""

import asyncio
import io
import re
from dataclasses import dataclass

from aiohttp import web

__all__ = ["Part", "parse_range", "send"]

CHUNK = 64 * 1024
#: seconds one write may take before the listener counts as gone
WRITE_DEADLINE = 30.0
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


@dataclass(frozen=True)
class Part:
    """Bytes `start` to `end`, both included."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.end - self.start + 1


class OutOfRange(Exception):
    """The range asked for is not within the file."""


def parse_range(header: str | None, size: int) -> Part | None:
    """The part asked for, or None for the whole file: no range, several, or one that cannot be read (RFC 9110).

    Raises OutOfRange when it can be read and nothing of it exists. Pure.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if first == "":
        if int(last) == 0 or size == 0:
            raise OutOfRange
        return Part(max(0, size - int(last)), size - 1)
    start, end = int(first), min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None
    if start >= size:
        raise OutOfRange
    return Part(start, end)


async def send(
    request: web.Request, file: io.BufferedReader, *, size: int, content_type: str, etag: str, disposition: str
) -> web.StreamResponse:
    """Answer with the whole file or the range asked for; closes the file."""
    try:
        wanted = request.headers.get("Range")
        if request.headers.get("If-Range") not in {None, etag}:
            wanted = None
        try:
            part = parse_range(wanted, size)
        except OutOfRange:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"})
        response = web.StreamResponse(status=200 if part is None else 206)
        response.content_type = content_type
        response.headers["Accept-Ranges"] = "bytes"
        response.headers["ETag"] = etag
        response.headers["Content-Disposition"] = disposition
        response.headers["Cache-Control"] = "private, no-store"
        if part is not None:
            response.headers["Content-Range"] = f"bytes {part.start}-{part.end}/{size}"
        part = part or Part(0, size - 1)
        response.content_length = part.length
        await response.prepare(request)
        await _copy(file, part, response)
        return response
    finally:
        file.close()


async def _copy(file: io.BufferedReader, part: Part, response: web.StreamResponse) -> None:
    await asyncio.to_thread(file.seek, part.start)
    left = part.length
    while left > 0:
        chunk = await asyncio.to_thread(file.read, min(CHUNK, left))
        if not chunk:
            raise ConnectionError("the file became shorter while it was sent")
        left -= len(chunk)
        try:
            async with asyncio.timeout(WRITE_DEADLINE):
                await response.write(chunk)
        except TimeoutError:
            raise ConnectionError("the listener does not read") from None
