"""Signing in to the page: sessions, tokens, origins, back-off, first set-up."""

from typing import Any

import pytest
from sqlalchemy import delete

from cti.web.deps import WebDeps
from tests.web.conftest import MakeBrowser
from tests.web.fakes import PASSWORD, Browser, Clock
from ticketing.staff import sessions, store
from ticketing.staff.tables import credential

COOKIE = "hotline"


def cookie_of(browser: Browser) -> str:
    """The session cookie the browser holds."""
    return browser.client.session.cookie_jar.filter_cookies(browser.client.make_url("/"))[COOKIE].value


async def code_of(answer: Any) -> str:
    """The error's code."""
    return str((await answer.json())["code"])


@pytest.mark.req("PX-01")
async def test_signing_in_by_number_and_out(visitor: Browser) -> None:
    nobody = await visitor.get("/api/session")
    assert (nobody.status, await code_of(nobody)) == (401, "not_signed_in")
    answer = await visitor.sign_in("1001")
    assert answer.status == 200
    cookie = answer.cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    who = await (await visitor.get("/api/session")).json()
    assert (who["staff"]["number"], who["staff"]["posts"], who["staff"]["phone_kind"]) == ("1001", ["JA"], "browser")
    assert "take_calls" in who["permissions"]
    assert "administer_staff" not in who["permissions"]
    token = cookie_of(visitor)
    assert (await visitor.send("DELETE", "/api/session")).status == 204
    replayed = await visitor.client.get("/api/session", headers={"Cookie": f"{COOKIE}={token}"})
    assert replayed.status == 401


async def test_behind_tls_the_cookie_is_bound_to_the_host(deps: WebDeps, visitor: Browser) -> None:
    object.__setattr__(deps, "secure", True)
    https = visitor.origin.replace("http:", "https:")
    answer = await visitor.client.post(
        "/api/session", json={"number": "1001", "password": PASSWORD}, headers={"Origin": https}
    )
    cookie = answer.cookies["__Host-hotline"]
    assert answer.status == 200
    assert cookie["secure"]
    assert not cookie["domain"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    plain = await visitor.client.post(
        "/api/session", json={"number": "1001", "password": PASSWORD}, headers={"Origin": visitor.origin}
    )
    assert plain.status == 403


async def test_a_session_brought_along_is_not_taken_over(open_browser: MakeBrowser) -> None:
    browser = await open_browser("1001")
    planted = cookie_of(browser)
    await browser.sign_in("1002")
    assert cookie_of(browser) != planted
    chosen = await open_browser()
    old = await chosen.get("/api/session", headers={"Cookie": f"{COOKIE}={planted}"})
    assert old.status == 401
    chosen.client.session.cookie_jar.update_cookies({COOKIE: "chosen-by-a-thief"}, chosen.client.make_url("/"))
    await chosen.sign_in("1001")
    assert cookie_of(chosen) != "chosen-by-a-thief"


async def test_wrong_number_and_wrong_password_look_the_same(visitor: Browser) -> None:
    wrong = await visitor.sign_in("1001", "not this one")
    unknown = await visitor.sign_in("9999", "not this one")
    first, second = await wrong.json(), await unknown.json()
    assert wrong.status == unknown.status == 401
    assert first["message"] == second["message"] == "工号或密码不正确。"
    assert first["code"] == second["code"]


@pytest.mark.req("S14")
async def test_guessing_is_slowed_down(visitor: Browser, clock: Clock) -> None:
    answers = [await visitor.sign_in("1001", f"guess {n}") for n in range(8)]
    assert [answer.status for answer in answers[:4]] == [401] * 4
    assert answers[-1].status == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert (await visitor.sign_in("1001")).status == 429
    clock.advance(minutes=16)
    assert (await visitor.sign_in("1001")).status == 200


@pytest.mark.req("S13")
async def test_a_session_ends_when_idle_and_after_half_a_day(agent: Browser, clock: Clock) -> None:
    for _ in range(3):
        clock.advance(minutes=20)
        assert (await agent.get("/api/session")).status == 200
    clock.advance(minutes=31)
    assert (await agent.get("/api/session")).status == 401
    await agent.sign_in("1001")
    for _ in range(36):
        clock.advance(minutes=20)
        status = (await agent.get("/api/session")).status
    assert status == 401


@pytest.mark.req("S12")
async def test_a_write_carries_the_token_of_its_page(agent: Browser, open_browser: MakeBrowser) -> None:
    other = await open_browser("1002")
    for token in ("", "x", other.csrf):
        refused = await agent.post("/api/agent/sign-in", {"phone": "browser"}, {"X-CSRF-Token": token})
        assert (refused.status, await code_of(refused)) == (403, "bad_csrf")
    assert (await agent.post("/api/agent/sign-in", {"phone": "browser"})).status == 200


@pytest.mark.req("S11", "S12")
@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "https://127.0.0.1", "null", "http://127.0.0.1.evil.example", "http://127.0.0.1:1"],
)
async def test_another_sites_page_is_refused(agent: Browser, origin: str) -> None:
    login = await agent.post("/api/session", {"number": "1001", "password": PASSWORD}, {"Origin": origin})
    write = await agent.post("/api/agent/ready", None, {"Origin": origin})
    read = await agent.get("/api/session", headers={"Origin": origin})
    stream = await agent.get("/api/events", headers={"Origin": origin})
    for answer in (login, write, read, stream):
        assert (answer.status, await code_of(answer)) == (403, "foreign_origin")
    marked = await agent.get("/api/session", headers={"Sec-Fetch-Site": "cross-site"})
    assert marked.status == 403
    assert (await agent.get("/api/session", headers={"Sec-Fetch-Site": "same-origin"})).status == 200


async def test_a_host_that_is_not_ours_is_refused(deps: WebDeps, visitor: Browser) -> None:
    object.__setattr__(deps, "hosts", frozenset({"hotline.lan"}))
    assert (await visitor.get("/api/health")).status == 200
    for host in ("evil.example", "evil.example:8080", "hotline.lan.evil.example", "10.0.0.1"):
        assert (await visitor.get("/api/health", headers={"Host": host})).status == 400
    assert (await visitor.get("/api/health", headers={"Host": "hotline.lan:8080"})).status == 200


async def test_the_set_up_token_works_once(deps: WebDeps, visitor: Browser, clock: Clock) -> None:
    assert await (await visitor.get("/api/setup")).json() == {"needed": False}
    async with deps.database.write() as conn:
        newcomer = (await store.by_number(conn, "1001")).id
        await conn.execute(delete(credential).where(credential.c.staff_id == newcomer))
        token = await sessions.new_setup_token(conn, clock.now)
    assert await (await visitor.get("/api/setup")).json() == {"needed": True}
    wrong = await visitor.post("/api/setup/check", {"token": "wrong"})
    assert (wrong.status, await code_of(wrong)) == (403, "bad_setup_token")
    staff = (await (await visitor.post("/api/setup/check", {"token": token})).json())["staff"]
    assert staff == [{"number": "1001", "name": "林晓梅", "posts": ["JA"], "has_password": False}]
    other = await visitor.post("/api/setup", {"token": token, "passwords": {"9001": "ein-Neues-42"}})
    assert (other.status, await code_of(other)) == (403, "bad_setup_token")
    weak = await visitor.post("/api/setup", {"token": token, "passwords": {"1001": "12345678"}})
    assert weak.status == 422
    assert (await weak.json())["details"]["field"] == "passwords.1001"
    done = await visitor.post("/api/setup", {"token": token, "passwords": {"1001": "ein-Neues-42"}})
    assert done.status == 204
    again = await visitor.post("/api/setup", {"token": token, "passwords": {"1001": "noch-Eines-43"}})
    assert again.status == 403
    assert (await visitor.sign_in("1001", "ein-Neues-42")).status == 200


async def test_the_language_a_person_chose_is_kept(visitor: Browser) -> None:
    """Pops and alerts are written in it; another value is refused."""
    await visitor.sign_in("1001")
    assert (await visitor.send("PUT", "/api/session/language", {"language": "en"})).status == 204
    who = await (await visitor.get("/api/session")).json()
    assert who["staff"]["language"] == "en"
    assert (await visitor.send("PUT", "/api/session/language", {"language": "fr"})).status == 422
