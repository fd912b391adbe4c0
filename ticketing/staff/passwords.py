"""argon2id in a bounded pool of threads: sign-ins cannot take the processor from the calls (S14)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar
from unicodedata import normalize

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from ticketing.errors import Unavailable

_MIB = 1024
#: characters looked at; passwords are shorter (rules.check_password)
_CUT = 512
_P = ParamSpec("_P")
_T = TypeVar("_T")


class Passwords:
    """Hashes and checks; a person who does not exist costs the same time as one who does."""

    def __init__(self, *, memory_mib: int = 46, threads: int = 2, waiting: int = 32) -> None:
        self._hasher = PasswordHasher(time_cost=1, memory_cost=memory_mib * _MIB, parallelism=1, type=Type.ID)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="password")
        self._room = threads + waiting
        self._nobody: str | None = None

    def close(self) -> None:
        """Ends the threads; what runs is finished."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """Hash to store; raises Unavailable when too many wait."""
        return await self._run(self._hash, password)

    async def matches(self, stored: str | None, password: str) -> bool:
        """True when the password fits; `stored` None (no such person, no password) takes as long and is False."""
        return await self._run(self._matches, stored, password)

    def outdated(self, stored: str) -> bool:
        """True when the hash was made with other costs and should be made anew at this sign-in."""
        return self._hasher.check_needs_rehash(stored)

    def _hash(self, password: str) -> str:
        return self._hasher.hash(_bytes(password))

    def _matches(self, stored: str | None, password: str) -> bool:
        if self._nobody is None:
            self._nobody = self._hasher.hash("nobody")
        try:
            self._hasher.verify(stored or self._nobody, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    async def _run(self, work: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
        if self._room == 0:
            raise Unavailable("sign_in_busy", "too many sign-ins at once; try again")
        self._room -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, partial(work, *arguments, **named))
        finally:
            self._room += 1


def _bytes(password: str) -> bytes:
    """Normal form as bytes; anything a client may send has one, absurd lengths are cut."""
    return normalize("NFKC", password[:_CUT]).encode("utf-8", "surrogatepass")
