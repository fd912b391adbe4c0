"""Reading a request's body and query into its model: size, time, depth and every field checked first (S16, S23)."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from aiohttp import web
from pydantic import ValidationError

from cti.web.errors import BadRequest, TooLarge, TooSlow, Unsupported
from cti.web.schemas.common import Input
from ticketing.errors import Invalid

__all__ = ["BODY_CAP", "check_json", "parse", "parse_query", "read_body", "read_upload"]

#: bytes a body may have
BODY_CAP = 256 * 1024
#: levels of nesting a body may have
DEPTH_CAP = 16
#: seconds a whole body may take
BODY_DEADLINE = 10.0
#: seconds a whole file may take
UPLOAD_DEADLINE = 120.0

M = TypeVar("M", bound=Input)


async def read_body(request: web.Request) -> bytes:
    """The body's bytes; raises Unsupported, TooSlow, or aiohttp's own 413."""
    if request.content_type != "application/json":
        raise Unsupported
    try:
        async with asyncio.timeout(BODY_DEADLINE):
            return await request.read()
    except TimeoutError:
        raise TooSlow from None


async def read_upload(request: web.Request, cap: int) -> bytes:
    """A file's bytes, whatever type the sender says it has; raises TooLarge past `cap` bytes and TooSlow."""
    if (request.content_length or 0) > cap:
        raise TooLarge(limit=cap)
    whole = bytearray()
    try:
        async with asyncio.timeout(UPLOAD_DEADLINE):
            async for chunk in request.content.iter_chunked(64 * 1024):
                whole += chunk
                if len(whole) > cap:
                    raise TooLarge(limit=cap)
    except TimeoutError:
        raise TooSlow from None
    return bytes(whole)


def check_json(raw: bytes) -> None:
    """Raises BadRequest unless `raw` is JSON of a sane depth, with no name twice and no NaN."""
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise BadRequest("json_too_deep", limit=DEPTH_CAP) from None
    except ValueError:
        raise BadRequest("bad_json") from None
    level = [value]
    for _ in range(DEPTH_CAP):
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, (dict, list))]
    if level:
        raise BadRequest("json_too_deep", limit=DEPTH_CAP)


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def parse(raw: bytes, model: type[M]) -> M:
    """The body as its model; raises BadRequest for what is no JSON and Invalid naming the fields otherwise."""
    check_json(raw)
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        raise _refusal(error) from None


def parse_query(pairs: Sequence[tuple[str, str]], model: type[M]) -> M:
    """The query string as its model; a name sent twice is refused."""
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        raise Invalid(field=next(name for name in names if names.count(name) > 1))
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _refusal(error) from None


def _refusal(error: ValidationError) -> Invalid:
    """Which fields are wrong and how, without repeating what was typed."""
    problems = [
        {"field": ".".join(str(part) for part in item["loc"]), "problem": item["type"]}
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ][:50]
    unknown = any(problem["problem"] == "extra_forbidden" for problem in problems)
    return Invalid(
        "unknown_field" if unknown else "invalid", "", field=problems[0]["field"] if problems else "", fields=problems
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name occurs twice")
    return result


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
