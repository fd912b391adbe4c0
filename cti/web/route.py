"""One route as data, the request as its handler sees it, and what runs around every handler."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from aiohttp import web
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.web.deps import WebDeps
from cti.web.schemas.common import Input
from ticketing.audit import Entry
from ticketing.changes import Change
from ticketing.errors import NotSignedIn
from ticketing.roles import Actor
from ticketing.staff.model import Staff

__all__ = ["Call", "Handler", "Reply", "Route", "SignedIn"]

T = TypeVar("T", bound=Input)


@dataclass(frozen=True)
class SignedIn:
    """Who is behind the cookie."""

    person: Staff
    actor: Actor
    #: The cookie's value: never stored or logged.
    token: str
    csrf_token: str
    #: What the session is known by on our side.
    session: str


@dataclass
class Call:
    """One request on its way through a route."""

    request: web.Request
    deps: WebDeps
    now: datetime
    request_id: str
    #: of the error texts: the browser's wish
    language: str
    signed_in: SignedIn | None = None
    body: Input | None = None
    query: Input | None = None
    #: committed facts, announced when the handler is through
    changes: list[Change] = field(default_factory=list)
    #: bytes of a body that is a file
    upload: bytes = b""
    #: the transaction in which this request's Idempotency-Key was claimed
    transaction: AsyncConnection | None = None

    @property
    def actor(self) -> Actor:
        """The person signed in; raises NotSignedIn."""
        if self.signed_in is None:
            raise NotSignedIn
        return self.signed_in.actor

    def input(self, model: type[T]) -> T:
        """The body, already checked against this model."""
        assert isinstance(self.body, model)
        return self.body

    def filters(self, model: type[T]) -> T:
        """The query string, already checked against this model."""
        assert isinstance(self.query, model)
        return self.query

    def part(self, name: str) -> str:
        """One element of the path; its form was checked by the route's pattern."""
        return self.request.match_info[name]

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """The transaction of a write. A request that brought an Idempotency-Key has one already: it is committed with
        the answer, once the handler has returned, so such a handler writes in this one block and does nothing after."""
        if self.transaction is not None:
            yield self.transaction
            return
        async with self.deps.database.write() as conn:
            yield conn

    def changed(self, *changes: Change) -> None:
        """Announce these once the handler has returned: call it after the transaction's block."""
        self.changes.extend(changes)

    async def looked_up(
        self,
        verb: str,
        kind: str,
        subject: str,
        *,
        conditions: Mapping[str, Any] | None = None,
        ids: Sequence[str] = (),
    ) -> None:
        """Write the look-up to the query log before it is answered (AU-01)."""
        payload = {"conditions": dict(conditions or {}), "count": len(ids), "ids": list(ids)}
        await self.deps.queries.log(Entry(self.actor, verb, kind, subject, self.now, payload))


@dataclass(frozen=True)
class Reply:
    """A handler's answer when it is more than a value: another status, headers, cookies."""

    value: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Last touch on the response, e.g. a cookie.
    finish: Callable[[web.StreamResponse], None] = lambda response: None


Handler = Callable[[Call], Awaitable[object]]


@dataclass(frozen=True)
class Route:
    """One address: what it takes, what it gives, and the name its policy is under."""

    name: str
    method: str
    #: aiohttp's form, with a pattern for every element: what does not fit is 404
    path: str
    handler: Handler
    #: One sentence for the API's description.
    summary: str
    body: type[Input] | None = None
    query: type[Input] | None = None
    #: Type of the JSON answer; None for no content or for bytes.
    answer: Any = None
    status: int = 200
    #: Takes an Idempotency-Key: its handler writes in one `Call.write` and has no effect outside the database.
    idempotent: bool = False
    #: The body is a file of at most this many bytes, of any type; 0 = it is JSON.
    upload_cap: int = 0
    #: `text/event-stream`, `audio/wav`, ... when the answer is not JSON
    media_type: str = "application/json"
    #: A read that only browsers of our own page may make (stream, socket).
    origin_demanded: bool = False
    #: Not part of the described interface (the page's own files).
    hidden: bool = False

    @property
    def writes(self) -> bool:
        """Whether it can change something: such a request proves its origin and, signed in, its token."""
        return self.method not in {"GET", "HEAD"}

    def encode(self, value: object) -> bytes:
        """The answer as JSON, checked against its type."""
        return self.adapter.dump_json(self.adapter.validate_python(value), by_alias=True)

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """The answer's type, made once."""
        return TypeAdapter(self.answer)
