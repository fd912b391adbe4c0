"""The whole product on free ports for one test: Asterisk, service, database, and people at its pages.

async with House(tmp_path, installation) as house:
    agent = await house.sign_in("2001", phone="desk")    # signed in, with his live stream
    phone = await lines.phone("2001")
    ...
    pop = await agent.event("pop")
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from cti import app as composition
from cti.asterisk import control
from cti.asterisk.secrets import Secrets
from cti.settings import Settings
from tests.system import logbook, proof
from tests.system.conftest import free_ports, media_ports

PASSWORD: Final = "correct horse battery 9"


class Agent:
    """A person at a page: his session, and everything his stream brought."""

    def __init__(self, house: House, number: str, http: aiohttp.ClientSession) -> None:
        self.house = house
        self.number = number
        self.http = http
        self.csrf = ""
        #: (id, name, data) in order of arrival
        self.events: list[tuple[str, str, dict[str, Any]]] = []
        self._news = asyncio.Condition()
        self._seen = 0
        self._stream: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Signs in to the page and listens to his stream; returns when the first snapshot came."""
        answer = await self.post("/api/session", {"number": self.number, "password": PASSWORD})
        self.csrf = answer["csrf_token"]
        self._stream = asyncio.create_task(self._listen())
        await self.event("snapshot")

    async def close(self) -> None:
        """The browser dies."""
        await self.cut()
        await self.http.close()

    async def cut(self) -> None:
        """His connection breaks; the page is still there and shows what it has."""
        if self._stream is not None:
            self._stream.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiohttp.ClientError):
                await self._stream
            self._stream = None

    async def resume(self) -> None:
        """The page connects again and says the last id it has."""
        self._stream = asyncio.create_task(self._listen(self.last))

    async def reload(self) -> dict[str, Any]:
        """The page is loaded afresh: it knows nothing but its cookie; returns its first snapshot."""
        await self.cut()
        self.events.clear()
        self._seen = 0
        self._stream = asyncio.create_task(self._listen())
        return await self.event("snapshot")

    @property
    def last(self) -> str:
        """Id of the newest event."""
        return self.events[-1][0]

    async def get(self, path: str, status: int = 200) -> Any:
        """Reads a resource; the status is checked."""
        async with self.http.get(self.house.url(path)) as response:
            assert response.status == status, f"{path}: {response.status} {await response.text()}"
            return await response.json() if response.content_type == "application/json" else await response.read()

    async def send(self, method: str, path: str, body: Mapping[str, Any] | None = None, status: int = 200) -> Any:
        """Changes a resource; the status is checked (any 2xx when 200 is asked for)."""
        headers = {"X-CSRF-Token": self.csrf, "Origin": self.house.origin}
        async with self.http.request(method, self.house.url(path), json=body or {}, headers=headers) as response:
            good = response.status // 100 == 2 if status == 200 else response.status == status
            assert good, f"{method} {path}: {response.status} {await response.text()}"
            return await response.json() if response.content_type == "application/json" else None

    async def post(self, path: str, body: Mapping[str, Any] | None = None, status: int = 200) -> Any:
        """POST; the status is checked."""
        return await self.send("POST", path, body, status)

    async def recorded(self, call_id: str, *, within_s: float = 30.0) -> dict[str, Any]:
        """The call's recording once its voice file was looked at: that comes after the call's last sound."""
        async with asyncio.timeout(within_s):
            while True:
                recording: dict[str, Any] = (await self.get(f"/api/calls/{call_id}"))["recording"]
                if recording["state"] != "expected":
                    return recording
                await asyncio.sleep(0.2)

    async def event(
        self, name: str, fits: Callable[[dict[str, Any]], bool] = lambda data: True, *, within_s: float = 30.0
    ) -> dict[str, Any]:
        """The next event of this name that fits, past the last one returned of any name."""
        try:
            async with asyncio.timeout(within_s), self._news:
                while True:
                    for position in range(self._seen, len(self.events)):
                        _, kind, data = self.events[position]
                        if kind == name and fits(data):
                            self._seen = position + 1
                            return data
                    await self._news.wait()
        except TimeoutError:
            told = [f"{kind} {str(data)[:80]}" for _, kind, data in self.events[-8:]]
            raise AssertionError(f"{self.number} saw no {name} within {within_s:g} s; last: {told}") from None

    def saw(self, name: str) -> list[dict[str, Any]]:
        """Every event of this name so far."""
        return [data for _, kind, data in self.events if kind == name]

    async def state(self, wanted: str, *, within_s: float = 30.0) -> dict[str, Any]:
        """Waits until the agent's state is this one."""
        view: dict[str, Any] = await self.get("/api/agent")
        if view["state"] == wanted:
            return view
        return await self.event("agent", lambda data: data["state"] == wanted, within_s=within_s)

    async def _listen(self, last: str | None = None) -> None:
        given = {"last": last} if last else {}
        forever = aiohttp.ClientTimeout(total=None)
        async with self.http.get(self.house.url("/api/events"), params=given, timeout=forever) as stream:
            assert stream.status == 200, await stream.text()
            event_id = kind = ""
            async for raw in stream.content:
                line = raw.decode().rstrip("\n")
                if line.startswith("id: "):
                    event_id = line[4:]
                elif line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: "):
                    async with self._news:
                        self.events.append((event_id, kind, json.loads(line[6:])))
                        self._news.notify_all()


class House:
    """A running product; also what callers need to know about its exchange (`tests.system.callers.Exchange`)."""

    def __init__(
        self, home: Path, *, set_up: bool = True, verified: bool = False, host: str = "localhost", **changes: Any
    ) -> None:
        self._sets_up = set_up
        #: the name or address its page is opened by
        self._host = host
        web, agi, sip, ami, http = free_ports(5)
        rtp_start, rtp_end = media_ports()
        self.settings = Settings(
            home=home,
            **{
                "http_port": web,
                "agi_port": agi,
                "sip_port": sip,
                "ami_port": ami,
                "asterisk_http_port": http,
                "rtp_start": rtp_start,
                "rtp_end": rtp_end,
                "wrap_up_seconds": 5,
                # stories that are not about them: the caller who waits or was served hears no offer and no question
                "overflow": False,
                "survey": False,
                **changes,
            },
        )
        #: at its end the house proves that nothing was lost
        self.verified = verified
        self.ready: composition.Ready | None = None
        self._stack = AsyncExitStack()
        self._people: list[Agent] = []

    async def __aenter__(self) -> Self:
        self._stack.enter_context(logbook.kept(self.settings.home / "log"))
        self.ready = await self._stack.enter_async_context(composition.service(self.settings))
        if self.ready.setup_token is not None and self._sets_up:
            await self.set_passwords(self.ready.setup_token)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for person in self._people:
            await person.close()
        if self.verified and kind is None:
            await proof.settled(self.settings)
        await self._stack.aclose()
        await self._proved(kind)

    async def _proved(self, kind: type[BaseException] | None) -> None:
        """After a story that went well: clean logs, and, where it is asked for, nothing lost."""
        if kind is not None:
            return
        if self.verified:
            await proof.prove(self.settings)
        await proof.clean(self.settings)

    @property
    def origin(self) -> str:
        """The page's origin."""
        scheme = "http" if self.settings.tls == "off" else "https"
        return f"{scheme}://{self._host}:{self.settings.http_port}"

    def _http(self, **given: Any) -> aiohttp.ClientSession:
        """A client that takes the self-made certificate."""
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False), **given)

    def url(self, path: str) -> str:
        """Address of a path."""
        return self.origin + path

    @property
    def sip(self) -> str:
        """host:port of the SIP socket."""
        return f"{self.settings.sip_host}:{self.settings.sip_port}"

    @property
    def prompts(self) -> Path:
        """The prompts it plays."""
        return Path(__file__).resolve().parents[2] / "ivr" / "prompts"

    @property
    def secrets(self) -> Secrets:
        """Its exchange's accounts and token."""
        return Secrets.load_or_create(self.settings.secrets_dir)

    def phone_secret(self, number: str) -> str:
        """Password of an agent's phone."""
        return (self.settings.secrets_dir / f"phone-{number}").read_text(encoding="ascii").strip()

    async def cli(self, command: str) -> str:
        """What Asterisk's console prints."""
        return await control.run(self.settings.asterisk_run / "run" / "asterisk.ctl", command)

    async def person(self, number: str) -> Agent:
        """Somebody signed in to his page, without a phone."""
        jar = aiohttp.CookieJar(unsafe=True)
        agent = Agent(self, number, self._http(cookie_jar=jar))
        self._people.append(agent)
        await agent.open()
        return agent

    async def sign_in(self, number: str, phone: str = "desk") -> Agent:
        """Somebody signed in to his page and to his queues."""
        agent = await self.person(number)
        await agent.post("/api/agent/sign-in", {"phone": phone})
        return agent

    async def set_passwords(self, token: str) -> None:
        """Gives everybody the token is for the same password."""
        async with self._http() as http:
            headers = {"Origin": self.origin}
            check = await http.post(self.url("/api/setup/check"), json={"token": token}, headers=headers)
            assert check.status == 200, await check.text()
            numbers = [person["number"] for person in (await check.json())["staff"]]
            body = {"token": token, "passwords": dict.fromkeys(numbers, PASSWORD)}
            done = await http.post(self.url("/api/setup"), json=body, headers=headers)
            assert done.status == 204, await done.text()


class ServiceHouse(House):
    """The same with the service as a process of its own, as `make run` starts it, so that it can be killed."""

    #: what Python runs
    program: tuple[str, ...] = ("-m", "cti", "up")

    def __init__(self, home: Path, **changes: Any) -> None:
        super().__init__(home, **changes)
        #: what the first start printed for the set-up page
        self.token = ""
        self._process: asyncio.subprocess.Process | None = None
        #: everything the service printed, escape codes taken out
        self.printed = ""

    async def __aenter__(self) -> Self:
        token = await self.start()
        assert token is not None, self.printed
        self.token = token
        if self._sets_up:
            await self.set_passwords(token)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for person in self._people:
            await person.close()
        if self._process is None or self._process.returncode is not None:
            await self.start()
        if self.verified and kind is None:
            await proof.settled(self.settings)
        await self.interrupt()
        await self._proved(kind)

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The running service."""
        assert self._process is not None, "not started"
        return self._process

    async def start(self) -> str | None:
        """Starts the service and returns its set-up token when it is ready."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self.program,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **environment(self.settings), "COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"},
        )
        assert self._process.stdout is not None
        self.printed = ""
        async with asyncio.timeout(60):
            while "Ctrl-C stops" not in self.printed:
                line = await self._process.stdout.readline()
                assert line, f"the service ended: {self.printed}"
                self.printed += line.decode()
        found = re.search(r"Set-up token [^:]*: (\S+)", self.printed)
        return found[1] if found else None

    async def kill(self) -> None:
        """kill -9: nothing of the service gets to say goodbye; Asterisk goes on."""
        self.process.kill()
        await self.process.wait()

    async def interrupt(self) -> int:
        """Ctrl-C; returns the exit code when everything was stopped."""
        self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            out, _ = await self.process.communicate()
        self.printed += out.decode()
        assert self.process.returncode is not None
        return self.process.returncode


def environment(settings: Settings) -> dict[str, str]:
    """The settings that differ from the defaults, as variables."""
    return {
        f"HOTLINE_{name.upper()}": str(getattr(settings, name))
        for name in settings.model_fields_set
        if getattr(settings, name) is not None
    }
