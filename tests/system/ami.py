"""A plain manager session for tests of the exchange itself: raw bytes kept, events waited for, nothing hidden."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Protocol, Self

from cti.asterisk.secrets import Secrets

Block = dict[str, str]


class _Ports(Protocol):
    @property
    def ami_port(self) -> int: ...


class Managed(Protocol):
    """An exchange with its accounts: the `pbx` fixture, or a whole house."""

    @property
    def settings(self) -> _Ports:
        """Where it listens."""

    @property
    def secrets(self) -> Secrets:
        """Its accounts' passwords."""


class Ami:
    """`async with Ami(pbx) as ami:`; `ami.raw` is everything received, `ami.blocks` the same as dictionaries."""

    def __init__(self, pbx: Managed, account: str = "bridge") -> None:
        self._pbx, self._account = pbx, account
        self.raw = b""
        self._grown = asyncio.Event()
        self._actions = 0

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._pbx.settings.ami_port)
        self._task = asyncio.create_task(self._read())
        secrets = {"bridge": self._pbx.secrets.ami_bridge, "dialler": self._pbx.secrets.ami_dialler}
        answer = await self.ask("Login", Username=self._account, Secret=secrets[self._account])
        assert answer["Response"] == "Success", answer
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._writer.close()

    @property
    def blocks(self) -> list[Block]:
        """Complete blocks; of a repeated key the last counts."""
        whole = self.raw.decode("utf-8", "replace").split("\r\n\r\n")[:-1]
        return [dict(line.partition(": ")[::2] for line in block.split("\r\n") if ": " in line) for block in whole]

    async def ask(self, action: str, **headers: str) -> Block:
        """Sends an action and returns its first answer."""
        self._actions += 1
        mark = f"t{self._actions}"
        lines = [f"Action: {action}", f"ActionID: {mark}", *(f"{key}: {value}" for key, value in headers.items())]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        return await self._until({"ActionID": mark}, 10.0)

    async def event(self, name: str, *, within_s: float = 30.0, **match: str) -> Block:
        """The first event of this name (or user event) with these headers, seen already or to come."""
        key = "UserEvent" if name.startswith("Cti") else "Event"
        return await self._until({key: name, **match}, within_s)

    async def events(self, name: str, count: int, *, within_s: float = 30.0) -> list[Block]:
        """Waits until `count` events of this name were seen."""
        try:
            async with asyncio.timeout(within_s):
                while len(found := self.seen(name)) < count:
                    self._grown.clear()
                    await self._grown.wait()
        except TimeoutError:
            raise AssertionError(f"{len(self.seen(name))} of {count} {name} within {within_s:g} s") from None
        return found

    def seen(self, name: str) -> list[Block]:
        """Every event of this name so far."""
        return [block for block in self.blocks if name in (block.get("Event"), block.get("UserEvent"))]

    async def _until(self, match: Block, within_s: float) -> Block:
        try:
            async with asyncio.timeout(within_s):
                while True:
                    self._grown.clear()
                    for block in self.blocks:
                        if match.items() <= block.items():
                            return block
                    await self._grown.wait()
        except TimeoutError:
            names = [block.get("UserEvent") or block.get("Event") or "answer" for block in self.blocks]
            raise AssertionError(f"no {match} within {within_s:g} s; seen: {' '.join(names)}") from None

    async def _read(self) -> None:
        while data := await self._reader.read(65536):
            self.raw += data
            self._grown.set()
