"""Asterisk's end of a FastAGI connection, and the ports of the menus, made by hand."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

from ivr.agi import HEADER_KEYS
from ivr.menus import load
from ivr.model import Tree
from ivr.ports import CallerContext, Progress
from ivr.prompts import load_manifest
from ivr.session import Ports

SECRET = "0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 3, 10, 1, 30, tzinfo=UTC)
NOBODY = CallerContext("unknown")
KNOWN = CallerContext("one", customer="c1")


@cache
def shipped_tree() -> Tree:
    """The menus as they are shipped."""
    loaded = load(load_manifest())
    assert loaded.tree is not None, "\n".join(map(str, loaded.findings))
    return loaded.tree


def header(script: str = f"{SECRET}/entry", changes: Mapping[str, str] | None = None) -> bytes:
    """What Asterisk 22 sends first."""
    values = dict.fromkeys(HEADER_KEYS, "unknown") | {"agi_network": "yes", "agi_network_script": script}
    values |= {"agi_request": f"agi://127.0.0.1/{script}", "agi_accountcode": ""} | dict(changes or {})
    return "".join(f"{key}: {value}\n" for key, value in values.items()).encode() + b"\n"


@dataclass
class FakeDirectory:
    """Customers by number; a number nobody has is unknown. `gate`, when given, must open before it answers."""

    callers: dict[str, CallerContext] = field(default_factory=dict)
    service_numbers: dict[str, CallerContext] = field(default_factory=dict)
    gate: asyncio.Event | None = None
    error: Exception | None = None

    async def _answer(self, found: CallerContext) -> CallerContext:
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        return found

    async def look_up(self, ani: str, dnis: str) -> CallerContext:
        return await self._answer(self.callers.get(ani, NOBODY) if ani else CallerContext("withheld"))

    async def identify(self, service_number: str) -> CallerContext:
        return await self._answer(self.service_numbers.get(service_number, NOBODY))


@dataclass
class FakeOrders:
    """Orders by serial and by number; a serial is valid when its digits add up to a multiple of ten."""

    by: dict[str, Progress] = field(default_factory=dict)
    of: dict[str, list[Progress]] = field(default_factory=dict)
    error: Exception | None = None

    async def by_serial(self, serial: str) -> Progress | None:
        if self.error is not None:
            raise self.error
        return self.by.get(serial)

    async def by_number(self, ani: str) -> Sequence[Progress]:
        if self.error is not None:
            raise self.error
        return self.of.get(ani, [])

    def valid_serial(self, serial: str) -> bool:
        return serial.isdecimal() and len(serial) == 9 and sum(map(int, serial)) % 10 == 0


@dataclass
class FakeHours:
    closed: frozenset[str] = frozenset()

    async def is_open(self, queue: str, at: datetime) -> bool:
        return queue not in self.closed


def ports(
    directory: FakeDirectory | None = None, orders: FakeOrders | None = None, hours: FakeHours | None = None
) -> Ports:
    return Ports(directory or FakeDirectory(), orders or FakeOrders(), hours or FakeHours(), lambda: NOW)


class HungUp(Exception):
    """The fake caller has hung up as planned."""


@dataclass
class FakeCall:
    """One call as Asterisk would run it: answers commands, plays nothing, keys what it was told to."""

    #: For each question what is keyed: "1", "123456789#", "#", or "" for silence; after the last, silence.
    keys: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    #: Keys come during the first sound of a question instead of after the last.
    barge_in: bool = False
    #: The command (counted from 0) at which the caller hangs up; None = never.
    hang_up_at: int | None = None
    #: Send HANGUP with the running command's answer (True), or only before the next one's (False).
    answer_first: bool = True
    heard: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    #: What was written to the exchange's own journal.
    journal: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    #: Commands that came although the caller was gone.
    after_hang_up: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        defaults = {"CTI_CALL_ID": "20260310013000-000001000001", "CTI_ANI": "13800001111", "CTI_DNIS": "1860"}
        self.variables = defaults | self.variables
        self.keys = list(self.keys)  # they are used up, and a test's own are used again

    @property
    def steps(self) -> list[tuple[str, str]]:
        """Node and key of each CtiStep."""
        found = (re.fullmatch(r"CtiStep,Node: (.*),Key: (.*)", event) for event in self.events)
        return [(match[1], match[2]) for match in found if match]

    async def run(self, port: int, head: bytes | None = None) -> None:
        """From connecting until the server closes the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(head or header())
            while line := await reader.readline():
                if self.hang_up_at == len(self.lines):
                    self.hung_up_during(line.decode().rstrip("\n"))
                    answer = b"200 result=-1\nHANGUP\n" if self.answer_first else b"HANGUP\n200 result=0\n"
                    writer.write(answer)
                    writer.write_eof()
                    self.after_hang_up = (await reader.read()).splitlines()
                    return
                self.lines.append(line.decode().rstrip("\n"))
                writer.write(self.answer(self.lines[-1]).encode() + b"\n")
        except ConnectionError:
            pass
        finally:
            writer.close()

    def hung_up_during(self, line: str) -> None:
        """The caller hangs up while Asterisk does this."""

    def answer(self, line: str) -> str:
        """Asterisk's answer to one command line."""
        match shlex.split(line):
            case ["GET", "VARIABLE", name]:
                value = self.variables.get(name)
                return "200 result=0" if value is None else f"200 result=1 ({value})"
            case ["SET", "VARIABLE", name, value]:
                self.variables[name] = value
                return "200 result=1"
            case ["EXEC", "UserEvent", arguments]:
                self.events.append(arguments)
                return "200 result=0"
            case ["EXEC", "CELGenUserEvent", arguments]:
                self.journal.append(arguments)
                return "200 result=0"
            case ["STREAM", "FILE", prompt, escape]:
                self.heard.append(prompt.removeprefix("hotline/"))
                return f"200 result={self._broke_in(escape)} endpos=8000"
            case ["GET", "DATA", prompt, _, most]:
                self.heard.append(prompt.removeprefix("hotline/"))
                return self._keyed(int(most))
        raise AssertionError(f"a command nobody expected: {line}")

    def _broke_in(self, escape: str) -> int:
        """The code of a key that comes during this sound; what is left of it comes at the next question."""
        if not (escape and self.barge_in and self.keys and self.keys[0]):
            return 0
        first, rest = self.keys[0][0], self.keys[0][1:]
        self.keys[:1] = [rest] if rest else []
        return ord(first)

    def _keyed(self, most: int) -> str:
        keys = self.keys.pop(0) if self.keys else ""
        if not keys:
            return "200 result= (timeout)"
        if keys.endswith("#") or len(keys) == most:
            return f"200 result={keys.removesuffix('#')}"
        return f"200 result={keys} (timeout)"
