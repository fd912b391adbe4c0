"""The control socket of a running Asterisk: one command, its printed answer, without starting another program.

Spoken as `asterisk -rx` speaks it: a greeting line, `cli quit after <command>` closed by NUL, then text until Asterisk
closes.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from cti.asterisk.errors import AsteriskError, NotRunning


async def run(socket: Path, command: str, *, timeout_s: float = 10.0) -> str:
    """What Asterisk prints for `command`. Raises NotRunning when nobody answers, AsteriskError after `timeout_s`."""
    if not command.isprintable():
        raise ValueError("a command of the Asterisk console is one printable line")
    try:
        async with asyncio.timeout(timeout_s):
            return await _ask(socket, command)
    except TimeoutError:
        raise AsteriskError(f"Asterisk did not answer {command!r} within {timeout_s:g} s") from None


async def _ask(socket: Path, command: str) -> str:
    try:
        reader, writer = await asyncio.open_unix_connection(str(socket))
    except (FileNotFoundError, ConnectionRefusedError):
        raise NotRunning(f"no Asterisk is running at {socket.parent}") from None
    try:
        await reader.readline()
        writer.write(b"cli quit after " + command.encode() + b"\0")
        answer = await reader.read(-1)
    except ConnectionError:
        raise NotRunning(f"the Asterisk at {socket.parent} went away") from None
    finally:
        writer.close()
    return answer.replace(b"\0", b"").decode("utf-8", "replace").strip()
