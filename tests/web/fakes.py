"""A telephone side that does as it is told and remembers it, a clock that is moved, and a browser."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

from cti.screenpop import Labels
from cti.web.schemas.agent import PhoneCredentials, PhoneKind, QueueView
from cti.web.schemas.figures import CountersView
from cti.web.schemas.pop import MissedPop, Pop
from cti.web.schemas.reference import HealthPart
from ticketing.errors import NotFound, Unavailable
from ticketing.roles import Actor

PASSWORD = "gutes-Passwort-17"


class Clock:
    """Time that moves when told."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **length: float) -> None:
        """Move on."""
        self.now += timedelta(**length)


@dataclass
class FakeTelephony:
    """Implements `cti.web.ports.Telephony`."""

    told: list[tuple[str, str, str]] = field(default_factory=list)
    phones: set[str] = field(default_factory=set)
    pops: dict[str, Pop] = field(default_factory=dict)
    missed: dict[str, list[MissedPop]] = field(default_factory=dict)
    live: list[QueueView] = field(default_factory=list)
    #: calls that are up
    up: set[str] = field(default_factory=set)
    counted: list[CountersView] = field(default_factory=list)
    silent: bool = False
    #: the exchange is there and does not take the phone
    refuses: bool = False
    backend: str = ""
    expires_at: datetime | None = None

    async def sign_in(self, actor: Actor, phone: PhoneKind) -> None:
        self._tell("sign_in", actor, phone)

    async def sign_out(self, actor: Actor) -> None:
        self._tell("sign_out", actor, "")

    async def pause(self, actor: Actor, reason: str) -> None:
        self._tell("pause", actor, reason)

    async def ready(self, actor: Actor) -> None:
        self._tell("ready", actor, "")

    def require_up(self, call_id: str) -> None:
        if self.silent:
            raise Unavailable("telephony_down")
        if call_id not in self.up:
            raise NotFound("call_over", call=call_id)

    async def disconnect(self, call_id: str, by: str) -> None:
        self.require_up(call_id)
        self.up.remove(call_id)
        self.told.append(("disconnect", by, call_id))

    async def phone_credentials(self, actor: Actor) -> PhoneCredentials:
        self._tell("credentials", actor, "")
        assert self.expires_at is not None
        return PhoneCredentials(
            uri=f"sip:{actor.number}@hotline",
            username=actor.number,
            password="short-lived",
            realm="hotline",
            expires_at=self.expires_at,
            display_name=actor.name,
        )

    def registered(self, number: str) -> bool:
        return number in self.phones

    def queue_label(self, name: str, language: str) -> str:
        return {"complaint": {"zh": "投诉受理", "en": "Complaints"}[language]}.get(name, name)

    def labels(self, language: str) -> Labels:
        return Labels(nodes={"main:1": {"zh": "投诉", "en": "Complaint"}[language]})

    async def queues(self, language: str) -> Sequence[QueueView]:
        if self.silent:
            raise Unavailable
        return self.live

    async def counters(self, language: str) -> Sequence[CountersView]:
        if self.silent:
            raise Unavailable
        return self.counted

    async def current_pop(self, number: str) -> Pop | None:
        return self.pops.get(number)

    async def missed_pops(self, number: str) -> Sequence[MissedPop]:
        return self.missed.get(number, [])

    async def health(self) -> Sequence[HealthPart]:
        return [HealthPart(name="ami", ok=not self.silent, text="is connected")]

    @property
    def serving(self) -> bool:
        return not self.silent

    async def metrics(self, pops_ms: Sequence[float]) -> bytes:
        return f"hotline_pops {len(pops_ms)}\n".encode()

    def sip_address(self) -> str:
        if not self.backend:
            raise Unavailable
        return self.backend

    def _tell(self, verb: str, actor: Actor, detail: str) -> None:
        if self.silent:
            raise Unavailable("link_down")
        if self.refuses:
            raise Unavailable("phone_refused")
        self.told.append((verb, actor.number, detail))


class Browser:
    """One person's browser: keeps the cookie, sends the page's token and its origin."""

    def __init__(self, client: TestClient[web.Request, Any]) -> None:
        self.client = client
        self.csrf = ""
        #: public id of an order it works on
        self.draft = ""

    @property
    def origin(self) -> str:
        """As the page's own address."""
        return f"http://{self.client.host}:{self.client.port}"

    async def sign_in(self, number: str, password: str = PASSWORD) -> ClientResponse:
        """Sign in and keep the token."""
        answer = await self.post("/api/session", {"number": number, "password": password})
        if answer.status == 200:
            self.csrf = (await answer.json())["csrf_token"]
        return answer

    async def get(self, path: str, **more: Any) -> ClientResponse:
        """Read."""
        return await self.client.get(path, **more)

    async def post(self, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> ClientResponse:
        """Write as the page does."""
        return await self.send("POST", path, body, headers)

    async def patch(self, path: str, body: object) -> ClientResponse:
        """Change as the page does."""
        return await self.send("PATCH", path, body)

    async def send(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> ClientResponse:
        """Any write."""
        full = {"Origin": self.origin, "X-CSRF-Token": self.csrf, **(headers or {})}
        more: dict[str, Any] = {} if body is None else {"json": body}
        return await self.client.request(method, path, headers=full, **more)
