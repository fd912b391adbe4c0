"""Refusals as HTTP: which status an error has, and the body `{code, message, details, request_id}`."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from cti.web.messages import message
from ticketing import errors

__all__ = [
    "BadRequest",
    "TooLarge",
    "TooSlow",
    "Unsupported",
    "from_http",
    "internal",
    "render",
    "status_of",
]


class BadRequest(errors.HotlineError):
    """The request cannot be read."""

    default_code = "bad_request"


class Unsupported(errors.HotlineError):
    """Only JSON is taken (application/json)."""

    default_code = "unsupported_media_type"


class TooLarge(errors.HotlineError):
    """The body is too large."""

    default_code = "too_large"


class TooSlow(errors.HotlineError):
    """The body did not arrive in time."""

    default_code = "too_slow"


_STATUS: tuple[tuple[type[errors.HotlineError], int], ...] = (
    (errors.NotSignedIn, 401),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.Refused, 409),
    (errors.Invalid, 422),
    (errors.TooMany, 429),
    (errors.Unavailable, 503),
    (errors.TookTooLong, 503),
    (BadRequest, 400),
    (TooSlow, 408),
    (TooLarge, 413),
    (Unsupported, 415),
)
_HTTP_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
}


def status_of(error: errors.HotlineError) -> int:
    """The HTTP status of a refusal."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 400)


def render(error: errors.HotlineError, language: str, request_id: str) -> web.Response:
    """The refusal as a response; `details` are the error's own facts, never a trace."""
    headers = {}
    wait = error.details.get("retry_after_s")
    if isinstance(wait, (int, float)):
        headers["Retry-After"] = str(max(1, round(wait)))
    text = message(error.code, type(error).default_code, language, error.message)
    return _response(status_of(error), error.code, text, error.details, request_id=request_id, headers=headers)


def from_http(error: web.HTTPException, language: str, request_id: str) -> web.Response:
    """aiohttp's own refusals (unknown address, method, size) in our words."""
    code = _HTTP_CODES.get(error.status, "bad_request")
    headers = {name: error.headers[name] for name in ("Allow", "Retry-After") if name in error.headers}
    text = message(code, code, language, "")
    return _response(error.status, code, text, {}, request_id=request_id, headers=headers)


def internal(language: str, request_id: str) -> web.Response:
    """A mistake of ours: nothing but the request id leaves the house."""
    return _response(500, "internal", message("internal", "internal", language, ""), {}, request_id=request_id)


def _response(
    status: int,
    code: str,
    text: str,
    details: Mapping[str, Any],
    *,
    request_id: str,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    body = {"code": code, "message": text, "details": details, "request_id": request_id}
    return web.Response(
        status=status,
        body=json.dumps(body, ensure_ascii=False, default=str).encode(),
        content_type="application/json",
        charset="utf-8",
        headers=headers,
    )
