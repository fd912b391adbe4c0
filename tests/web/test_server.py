"""The pipeline: headers on every answer, errors in the reader's language, limits, the desk's own files."""

import asyncio
import json
from pathlib import Path

import pytest

from cti.web import body
from cti.web.areas.desk import find
from cti.web.deps import WebDeps
from cti.web.security import SECURITY_HEADERS
from tests.web.fakes import Browser
from ticketing import taxonomy


@pytest.mark.req("S12")
async def test_every_answer_is_hardened(agent: Browser, visitor: Browser) -> None:
    for answer in (
        await agent.get("/api/session"),
        await visitor.get("/api/session"),
        await visitor.get("/api/none-such"),
        await visitor.get("/"),
        await visitor.get("/media/x.y"),
        await visitor.client.request("PUT", "/api/session"),
    ):
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers[name] == value
        assert answer.headers["Server"] == "hotline"
        assert len(answer.headers["X-Request-Id"]) == 16
    policy = SECURITY_HEADERS["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "connect-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "style-src 'self';" in policy
    assert policy.replace("style-src-attr 'unsafe-inline'", "").count("unsafe") == 0


async def test_refusals_are_bodies_in_the_readers_language(visitor: Browser) -> None:
    for language, words in (("zh-CN", "请先登录。"), ("en-US", "Please sign in first.")):
        answer = await visitor.get("/api/session", headers={"Accept-Language": language})
        told = await answer.json()
        assert (told["code"], told["message"], told["details"]) == ("not_signed_in", words, {})
        assert told["request_id"] == answer.headers["X-Request-Id"]
    unknown = await visitor.get("/api/none-such")
    assert (unknown.status, (await unknown.json())["code"]) == (404, "not_found")
    method = await visitor.client.request("PUT", "/api/session")
    assert (method.status, (await method.json())["code"]) == (405, "method_not_allowed")
    assert "GET" in method.headers["Allow"]


async def test_a_mistake_of_ours_shows_nothing(visitor: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("secret detail /etc/passwd")

    await visitor.sign_in("1001")
    monkeypatch.setattr(taxonomy, "read", broken)
    answer = await visitor.get("/api/taxonomies")
    text = await answer.text()
    assert answer.status == 500
    assert json.loads(text)["code"] == "internal"
    assert "secret" not in text


@pytest.mark.req("S12")
async def test_only_json_is_taken(agent: Browser) -> None:
    for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data"):
        answer = await agent.client.post(
            "/api/session", data=b'{"number":"1001","password":"x"}', headers={"Content-Type": kind}
        )
        assert answer.status == 415, kind


@pytest.mark.req("S23")
async def test_too_large_a_body_is_refused(visitor: Browser) -> None:
    answer = await visitor.post("/api/session", {"number": "1001", "password": "x" * (body.BODY_CAP + 1)})
    assert (answer.status, (await answer.json())["code"]) == (413, "too_large")


@pytest.mark.req("S23")
async def test_too_deep_a_body_is_refused(visitor: Browser) -> None:
    answer = await visitor.client.post(
        "/api/session", data=b"[" * 5000 + b"]" * 5000, headers={"Content-Type": "application/json"}
    )
    assert (answer.status, (await answer.json())["code"]) == (400, "json_too_deep")


@pytest.mark.req("S23")
async def test_a_body_that_never_ends_is_not_waited_for(visitor: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_DEADLINE", 0.05)
    reader, writer = await asyncio.open_connection(visitor.client.host, visitor.client.port)
    writer.write(
        b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
    )
    async with asyncio.timeout(5):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    writer.close()
    await writer.wait_closed()


async def test_a_query_nobody_knows_is_refused(agent: Browser) -> None:
    for path in ("/api/session?x=1", "/api/orders?sort=id%20desc", "/api/calls?mine=true&mine=false"):
        assert (await agent.get(path)).status == 422, path


async def test_without_a_build_the_page_says_what_to_do(visitor: Browser) -> None:
    answer = await visitor.get("/")
    assert answer.status == 503
    assert "tools/desk.sh" in await answer.text()


async def test_the_desk_is_served(visitor: Browser, deps: WebDeps) -> None:
    (deps.desk / "assets").mkdir()
    (deps.desk / "index.html").write_text("<!doctype html>desk", encoding="utf-8")
    (deps.desk / "assets" / "app-1a2b.js").write_text("1", encoding="utf-8")
    (deps.desk / ".secret").write_text("x", encoding="utf-8")
    for path in ("/", "/orders/abc", "/setup"):
        page = await visitor.get(path)
        assert (page.status, page.content_type, page.headers["Cache-Control"]) == (200, "text/html", "no-cache")
    script = await visitor.get("/assets/app-1a2b.js")
    assert (script.status, script.content_type) == (200, "text/javascript")
    assert "immutable" in script.headers["Cache-Control"]
    for path in ("/assets/none.js", "/.secret", "/..%2f..%2fetc%2fpasswd.js", "/%2e%2e/x.js", "/api", "/apix.js"):
        assert (await visitor.get(path)).status == 404, path
    assert (await visitor.client.head("/")).status == 200


def test_files_outside_the_desk_are_not_found(tmp_path: Path) -> None:
    root = tmp_path / "dist"
    root.mkdir()
    (tmp_path / "outside.js").write_text("x", encoding="utf-8")
    (root / "link.js").symlink_to(tmp_path / "outside.js")
    (root / "notes.txt").write_text("x", encoding="utf-8")
    for name in ("../outside.js", "link.js", "notes.txt", "a\0.js", "/etc/passwd", ""):
        assert find(root, name) is None, name
