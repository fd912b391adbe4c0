"""The built desk: its page, its hashed files, and the page again for every address of its own router."""

from pathlib import Path

from aiohttp import web

from cti.web.route import Call, Route
from ticketing.errors import NotFound

__all__ = ["ROUTES"]

_MISSING = """<!doctype html>
<html lang="zh"><meta charset="utf-8"><title>Hotline</title>
<h1>页面还没有构建 · The page is not built yet</h1>
<p>请在项目目录运行 <code>tools/desk.sh</code>（<code>make run</code> 会自动运行它），然后刷新。</p>
<p>Run <code>tools/desk.sh</code> in the project's folder (<code>make run</code> does it by itself), then reload.</p>
</html>
"""
_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".webmanifest": "application/manifest+json",
}


def find(root: Path, name: str) -> Path | None:
    """The file of this name inside the built desk; never one outside it, nor of a type the desk has not."""
    if "\0" in name or any(part.startswith(".") for part in name.split("/")):
        return None
    path = (root / name).resolve()
    inside = path.is_relative_to(root.resolve())
    return path if inside and path.suffix in _TYPES and path.is_file() else None


async def show(call: Call) -> web.StreamResponse:
    """A file of the desk, or its page for an address without a file's ending."""
    root, name = call.deps.desk, call.part("tail")
    path = find(root, name) if name else None
    if path is None and "." in name.rpartition("/")[2]:
        raise NotFound
    page = path or find(root, "index.html")
    if page is None:
        return web.Response(text=_MISSING, content_type="text/html", status=503)
    response = web.FileResponse(page)
    response.content_type = _TYPES[page.suffix]
    response.headers["Cache-Control"] = _FOREVER if name.startswith("assets/") and path else _ASK_AGAIN
    return response


ROUTES = (
    Route(
        "desk",
        "GET",
        "/{tail:(?!api(?:/|$)|media(?:/|$)|sip(?:/|$)).*}",
        show,
        "The desk's own files.",
        media_type="text/html",
        hidden=True,
    ),
)
