"""Headers, origins, the session cookie and the token every write carries (S10-S13)."""

import hmac
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from ticketing.errors import Forbidden

__all__ = [
    "CSRF_HEADER",
    "SECURITY_HEADERS",
    "check_origin",
    "cookie_name",
    "csrf_ok",
    "drop_cookie",
    "harden",
    "set_cookie",
]

CSRF_HEADER = "X-CSRF-Token"

#: Nothing inline but style attributes: no script, no style element.
_CSP = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "style-src-attr 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",  # the phone's socket too: it is of this origin
        "media-src 'self' blob:",
        "worker-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": _CSP,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    }
)


def harden(headers: CIMultiDict[str], *, secure: bool) -> None:
    """Put the headers every answer carries; an answer of ours may not be kept by caches unless it says so."""
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Cache-Control", "no-store")
    if secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    headers.popall("Server", None)
    headers["Server"] = "hotline"


def check_origin(
    headers: CIMultiDictProxy[str], *, host: str, secure: bool, allowed: frozenset[str], demanded: bool
) -> None:
    """Raises Forbidden for a request another site's page made (S11, S12).

    Browsers name the page by Origin or, on reads of their own site, by Sec-Fetch-Site only; `demanded` refuses a
    request with neither (sockets: every browser sends Origin with them).
    """
    origin = headers.get("Origin")
    if origin is None:
        site = headers.get("Sec-Fetch-Site")
        if demanded or site not in {None, "same-origin", "none"}:
            raise Forbidden("foreign_origin", "The request came from another site and was refused.")
        return
    if origin in allowed:
        return
    parts = urlsplit(origin)
    if parts.scheme != ("https" if secure else "http") or parts.netloc.lower() != host.lower() or not host:
        raise Forbidden("foreign_origin", "The request came from another site and was refused.")


def cookie_name(*, secure: bool) -> str:
    """`__Host-` needs https; without it (localhost only) the name says so."""
    return "__Host-hotline" if secure else "hotline"


def set_cookie(response: web.StreamResponse, token: str, *, secure: bool, max_age_s: int) -> None:
    """The session cookie: not for scripts, not for other sites, for this host only."""
    response.set_cookie(
        cookie_name(secure=secure), token, httponly=True, secure=secure, samesite="Lax", path="/", max_age=max_age_s
    )


def drop_cookie(response: web.StreamResponse, *, secure: bool) -> None:
    """Tell the browser to forget the session."""
    response.del_cookie(cookie_name(secure=secure), path="/", secure=secure, httponly=True, samesite="Lax")


def csrf_ok(expected: str, sent: str | None) -> bool:
    """Whether a write carries its session's token; compared in constant time."""
    return sent is not None and hmac.compare_digest(expected.encode(), sent.encode())
