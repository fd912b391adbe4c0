"""Eight people who write while the service dies again and again, and each note of what they were told is kept.

Clerks enter complaints, submit them, hand them to the seniors and add what the customer says; one books callbacks on
the page; callers leave messages and book callbacks in the dialogue of the phone. What got no answer on the page is sent
again under its key until it has one. A caller who was cut off before he heard that it is kept was promised nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

import aiohttp

from tests.ivr.fakes import SECRET, header
from tests.ivr.overflow_fakes import SPEECH, SpeakingCall
from tests.kills.life import Life
from tests.web.fakes import PASSWORD
from tests.web.test_orders import complaint

#: at a first answer after a start everything is cold
_PATIENCE: Final = aiohttp.ClientTimeout(total=20)
_CUT: Final = (aiohttp.ClientError, ConnectionError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Written:
    """An order as its clerk last saw it."""

    id: str
    serial: str
    version: int


@dataclass
class Notes:
    """What was asked for, and what was confirmed; the keys are made up by who wrote and never used twice."""

    #: contact name -> the order
    orders: dict[str, Written] = field(default_factory=dict)
    orders_asked: set[str] = field(default_factory=set)
    #: words of the customer -> public id of the order they were added to
    words: dict[str, str] = field(default_factory=dict)
    words_asked: set[str] = field(default_factory=set)
    #: number -> serial; empty when it was only said that he will be called
    bookings: dict[str, str] = field(default_factory=dict)
    bookings_asked: set[str] = field(default_factory=set)
    #: call -> as much of the number as was read to him
    messages: dict[str, str] = field(default_factory=dict)
    messages_asked: set[str] = field(default_factory=set)
    #: answers that had been given before, without reaching whom they were for
    replayed: int = 0

    @property
    def confirmed(self) -> int:
        """Everything that must be there."""
        changes = sum(written.version for written in self.orders.values())
        return changes + len(self.bookings) + len(self.messages)


class Clerk:
    """Somebody at the page: signed in once, however often the service dies."""

    def __init__(self, life: Life, notes: Notes, number: str) -> None:
        self.notes, self.number = notes, number
        self._life = life
        self._origin = f"http://localhost:{life.settings.http_port}"
        self._keys = count(1)
        self._csrf = ""
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Clerk:
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), timeout=_PATIENCE)
        answer = await self._send("/api/session", {"number": self.number, "password": PASSWORD}, "")
        self._csrf = answer["csrf_token"]
        return self

    async def __aexit__(self, *how: object) -> None:
        assert self._http is not None
        await self._http.close()

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The answer to one request, sent again under its key for as long as there is none."""
        key = f"{self.number}-{next(self._keys)}"
        while True:
            await self._life.up.wait()
            with suppress(*_CUT):
                return await self._send(path, body, key)
            await asyncio.sleep(0)

    async def ask(self, path: str, body: Mapping[str, Any], key: str = "") -> tuple[int, Any]:
        """Status and answer of one request; raises when there is none."""
        assert self._http is not None
        headers = {"Origin": self._origin, "X-CSRF-Token": self._csrf} | ({"Idempotency-Key": key} if key else {})
        async with self._http.post(self._origin + path, json=body, headers=headers) as response:
            self.notes.replayed += "Idempotent-Replayed" in response.headers
            return response.status, await response.json()

    async def _send(self, path: str, body: Mapping[str, Any], key: str) -> Any:
        status, said = await self.ask(path, body, key)
        assert status < 300, f"{path}: {status} {said}"
        return said

    async def _step(self, name: str, order: str, version: int, verb: str, **said: Any) -> int:
        done = await self.post(f"/api/orders/{order}/{verb}", {"version": version, **said})
        self.notes.orders[name] = Written(done["id"], done["serial"], done["version"])
        return int(done["version"])

    async def complaints(self) -> None:
        """One after the other, each with what the customer adds."""
        for n in count(1):
            name, now = f"客户 {self.number} {n}", datetime.now(UTC)
            letter = {"channel": "letter", "received_at": now.isoformat(), **complaint(now), "contact_name": name}
            self.notes.orders_asked.add(name)
            made = await self.post("/api/orders", letter)
            self.notes.orders[name] = Written(made["id"], made["serial"], made["version"])
            version = await self._step(name, made["id"], made["version"], "submit")
            version = await self._step(name, made["id"], version, "hand-to-senior", reason="复核")
            for again in range(2):
                words = f"又断了 {self.number} {n} {again}"
                self.notes.words_asked.add(words)
                said = {"text": words, "outcome": "answered", "answer": "明日上门"}
                version = await self._step(name, made["id"], version, "customer-adds", **said)
                self.notes.words[words] = made["id"]

    async def callbacks(self) -> None:
        """For one customer after the other."""
        for n in count(1):
            number = f"137{self.number}{n:04}"
            self.notes.bookings_asked.add(number)
            made = await self.post("/api/callbacks", {"number": number, "queue": "complaint", "window": "asap"})
            self.notes.bookings[number] = made["serial"]


class Callers:
    """People in the dialogue that the phone offers while everybody is busy, one after the other."""

    def __init__(self, life: Life, notes: Notes, line: int) -> None:
        self.notes = notes
        self._life, self._line = life, line
        self._calls = count(1)

    async def messages(self) -> None:
        """Each says what he has to say, hears himself, and says that it is right."""
        while True:
            await self.message()

    async def message(self) -> bool:
        """One of them; whether he heard that it is kept."""
        made = await self._call(["1", "1", "#"], says=[SPEECH])
        if "record-saved" not in made.heard:
            return False
        after = made.heard[made.heard.index("record-saved") :]
        read = "".join(prompt.removeprefix("digit-") for prompt in after if prompt.startswith("digit-"))
        self.notes.messages[made.variables["CTI_CALL_ID"]] = read[:9]
        return True

    async def bookings(self) -> None:
        """Each books a callback to the number he calls from, as soon as possible."""
        while True:
            made = await self._call(["2", "1", "1", "1"])
            if "callback-saved" in made.heard:
                self.notes.bookings[made.variables["CTI_ANI"]] = ""

    async def _call(self, keys: list[str], says: list[str] | None = None) -> SpeakingCall:
        await self._life.up.wait()
        now, n = datetime.now(UTC), next(self._calls)
        call_id, number = f"{now:%Y%m%d%H%M%S}-{self._line:06}{n:06}", f"138{self._line:04}{n:04}"
        (self.notes.messages_asked if says else self.notes.bookings_asked).add(call_id if says else number)
        variables = {"CTI_QUEUE": "complaint", "CTI_PRIORITY": "2", "CTI_REASON": "complaint", "CTI_LANG": "zh"}
        variables |= {"CTI_SPOOL": str(self._life.spool), "CTI_KEY": "", "QUEUESTATUS": "TIMEOUT"}
        variables |= {"CTI_CALL_ID": call_id, "CTI_ANI": number}
        variables |= {"CTI_JOINED": str(int((now - timedelta(minutes=4)).timestamp()))}
        made = SpeakingCall(keys, variables, says=says or [])
        with suppress(ConnectionError):
            await made.run(self._life.settings.agi_port, header(f"{SECRET}/overflow"))
        return made


def everybody(clerks: list[Clerk], callers: list[Callers]) -> list[Awaitable[None]]:
    """What each of the eight does."""
    return [
        *(clerk.complaints() for clerk in clerks[:-1]),
        clerks[-1].callbacks(),
        *(callers[at].messages() for at in range(len(callers) // 2)),
        *(callers[at].bookings() for at in range(len(callers) // 2, len(callers))),
    ]
