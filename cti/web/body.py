"""Reading a request's body and query into its model: size, time, depth and every field checked first (S16, S23)."""

import asyncio
import json
import re
from collections.abc import Iterable, Mapping, Sequence
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
        if b"\\ud" in raw.lower():  # half of a character is no text
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise BadRequest("json_too_deep", limit=DEPTH_CAP) from None
    except ValueError:
        raise BadRequest("bad_json", field="body", allowed="JSON (RFC 8259) in UTF-8") from None
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
    """The query string as its model; a name sent twice is refused, and so is a character no condition has: a database
    may end the text at it, or refuse the statement."""
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        raise Invalid(field=next(name for name in names if names.count(name) > 1))
    for name, value in pairs:
        if (wrong := next((char for char in value if char < " " or char == "\x7f"), None)) is not None:
            told = {"field": name, "problem": "control_character"}
            raise Invalid("invalid", "", field=name, fields=[told], character=f"U+{ord(wrong):04X}")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _refusal(error) from None


_CODES = {
    "string_too_long": "too_long",
    "too_long": "too_long",
    "control_character": "control_character",
    "not_a_time": "not_a_time",
    "missing": "missing",
}
"""Kinds of a wrong field that have a sentence of their own; every other one is `invalid`."""

#: what the kind of error says about the values that would have been taken
_BOUNDS = ("max_length", "min_length", "ge", "gt", "le", "lt", "pattern", "multiple_of")
_EXPECTED = re.compile(r"'([^']*)'")


def _refusal(error: ValidationError) -> Invalid:
    """Which fields are wrong, how, and what would be taken, without repeating what was typed."""
    found = error.errors(include_url=False, include_input=False)[:50]
    problems = [_problem(item["type"], item["loc"], item.get("ctx", {})) for item in found]
    if not problems:
        return Invalid("invalid", "", field="", fields=problems)
    unknown = any(problem["problem"] == "extra_forbidden" for problem in problems)
    first = problems[0]
    code = "unknown_field" if unknown else _CODES.get(str(first["problem"]), "invalid")
    told = {name: first[name] for name in ("allowed", "limit", "character") if name in first}
    return Invalid(code, "", field=str(first["field"]), fields=problems, **told)


def _problem(kind: str, place: Sequence[int | str], context: Mapping[str, Any]) -> dict[str, object]:
    problem: dict[str, object] = {"field": ".".join(str(part) for part in place), "problem": kind}
    bounds = {name: context[name] for name in _BOUNDS if isinstance(context.get(name), (int, float, str))}
    if kind in {"string_too_long", "too_long"}:
        problem["limit"] = context.get("max_length")
    elif kind == "literal_error":
        problem["allowed"] = _EXPECTED.findall(str(context.get("expected", "")))
    elif kind == "not_a_time":
        problem["allowed"] = "YYYY-MM-DDThh:mm:ss+hh:mm"
    elif kind == "control_character":
        problem |= {"character": context.get("character"), "allowed": "characters that can be seen"}
    elif bounds:
        problem["allowed"] = bounds
    return problem


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name occurs twice")
    return result


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
