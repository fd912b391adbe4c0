"""People as the administrator keeps them: posts with qualifications, skills, locks, new passwords; all audited."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from cti.web.deps import WebDeps
from tests.web.conftest import MakeBrowser
from tests.web.fakes import PASSWORD, Browser
from ticketing.audit import audit
from ticketing.roles import PERMISSIONS, Action, Post
from ticketing.staff import qualifications

NEW = {"number": "1003", "name": "刘洋", "posts": ["JA"], "team": "team1"}


@pytest.fixture
async def admin(open_browser: MakeBrowser) -> Browser:
    """9001, the administrator."""
    return await open_browser("9001")


async def person(admin: Browser, number: str) -> dict[str, Any]:
    """One member of staff as listed."""
    people = (await (await admin.get("/api/staff")).json())["items"]
    (found,) = [each for each in people if each["number"] == number]
    assert isinstance(found, dict)
    return found


async def said(deps: WebDeps, verb: str) -> list[Any]:
    """What the audit says of a verb, oldest first."""
    async with deps.database.read() as conn:
        rows = await conn.execute(select(audit).where(audit.c.verb == verb).order_by(audit.c.id))
        return [(row.actor_number, row.subject_id, row.payload) for row in rows]


@pytest.mark.req("AD-04", "AD-01")
async def test_a_post_is_granted_to_who_is_qualified_or_for_a_reason(admin: Browser, deps: WebDeps) -> None:
    refused = await admin.post("/api/staff", NEW)
    body = await refused.json()
    assert (refused.status, body["code"], body["details"]["posts"]) == (409, "not_qualified", ["JA"])
    assert [each["number"] for each in (await (await admin.get("/api/staff")).json())["items"]].count("1003") == 0
    made = await admin.post("/api/staff", {**NEW, "override": "试用期"})
    assert made.status == 201, await made.text()
    shown = await made.json()
    assert (shown["posts"], shown["unqualified"], shown["has_password"]) == (["JA"], ["JA"], False)
    assert (await said(deps, "staff.added"))[-1][2] == {
        "name": "刘洋", "posts": ["JA"], "team": "team1", "unqualified": ["JA"], "override": "试用期",
    }  # fmt: skip
    path = "/api/staff/1003"
    assert (await admin.send("PUT", f"{path}/posts", {"version": 1, "posts": ["JA", "SA"]})).status == 409
    expired = {"post": "SA", "what": "旧证", "obtained_on": "2020-01-01", "valid_to": "2021-01-01"}
    assert (await admin.post(f"{path}/qualifications", expired)).status == 200
    assert (await admin.send("PUT", f"{path}/posts", {"version": 1, "posts": ["JA", "SA"]})).status == 409
    held = {"post": "SA", "what": "高级话务员考核合格", "obtained_on": "2026-03-10"}
    assert (await admin.post(f"{path}/qualifications", held)).status == 200
    granted = await (await admin.send("PUT", f"{path}/posts", {"version": 1, "posts": ["JA", "SA"]})).json()
    assert (granted["posts"], granted["unqualified"], granted["version"]) == (["JA", "SA"], ["JA"], 2)
    for wrong, field in (
        ({**held, "obtained_on": "2026-03-11"}, "obtained_on"),
        ({**held, "obtained_on": "2026-02-30"}, "obtained_on"),
        ({**held, "valid_to": "2026-03-09"}, "valid_to"),
        ({**held, "what": " "}, "what"),
    ):
        answer = await admin.post(f"{path}/qualifications", wrong)
        assert (answer.status, (await answer.json())["details"]["field"]) == (422, field)


@pytest.mark.req("AD-02")
async def test_a_skill_profile_names_who_knows_a_business(admin: Browser, deps: WebDeps) -> None:
    """A branch covers everything below it; the ablest comes first; who does not hold the post is not named."""
    path = "/api/staff/2001/skills"
    assert (await admin.send("PUT", path, {"skills": {"nowhere": 3}})).status == 422
    assert (await admin.send("PUT", path, {"skills": {"data": 6}})).status == 422
    shown = await (await admin.send("PUT", path, {"skills": {"data": 2, "mobile.roaming": 5}})).json()
    assert shown["skills"] == {"data": 2, "mobile.roaming": 5}
    assert (await admin.send("PUT", "/api/staff/1001/skills", {"skills": {"data": 5}})).status == 200
    both = {"version": 1, "posts": ["JA", "SA"], "override": "顶岗"}
    assert (await admin.send("PUT", "/api/staff/1002/posts", both)).status == 200
    assert (await admin.send("PUT", "/api/staff/1002/skills", {"skills": {"data.broadband": 4}})).status == 200
    async with deps.database.read() as conn:
        assert await qualifications.skilled(conn, "data.broadband") == ["1002", "2001"]
        assert await qualifications.skilled(conn, "data.iptv") == ["2001"]
        assert await qualifications.skilled(conn, "card.ip") == []
    assert (await person(admin, "2001"))["skills"] == {"data": 2, "mobile.roaming": 5}


@pytest.mark.req("AD-02")
def test_a_senior_may_do_all_that_a_junior_may() -> None:
    """What a junior only proposes (追单, 退单) a senior does himself: he holds the rights proposed for."""
    itself = {Action.PROPOSE_CHANGE: (Action.SUPPLEMENT, Action.RECALL)}
    for action, posts in PERMISSIONS.items():
        needed = itself.get(action, (action,))
        assert Post.JA not in posts or all(Post.SA in PERMISSIONS[each] for each in needed), action


@pytest.mark.req("AD-01", "S13")
async def test_facts_locks_and_new_passwords(admin: Browser, deps: WebDeps, open_browser: MakeBrowser) -> None:
    junior = await open_browser("1002")
    path = "/api/staff/1002"
    changed = await (await admin.patch(path, {"version": 1, "team": "team1", "vip_overflow": True})).json()
    assert (changed["team"], changed["vip_overflow"], changed["name"], changed["version"]) == ("team1", True, "王磊", 2)
    assert (await admin.patch(path, {"version": 1, "name": "别人"})).status == 409
    assert (await admin.patch(path, {"version": 2, "unit": "no.such"})).status == 422
    assert (await admin.patch(path, {"version": 2, "team": ""})).status == 200
    assert (await junior.get("/api/session")).status == 200
    locked = await (await admin.post(f"{path}/lock", {"version": 3})).json()
    assert locked["active"] is False
    assert (await junior.get("/api/session")).status == 401
    assert (await (await open_browser()).sign_in("1002")).status == 401
    assert (await admin.post(f"{path}/reset")).status == 409, "who is locked is let in first"
    assert (await admin.post(f"{path}/unlock", {"version": 4})).status == 200
    assert (await (await open_browser()).sign_in("1002")).status == 200
    token = (await (await admin.post(f"{path}/reset")).json())["token"]
    visitor = await open_browser()
    assert (await visitor.sign_in("1002")).status == 401, "the old password is void"
    new = {"token": token, "passwords": {"1002": "ganz-neues-Wort-8"}}
    assert (await visitor.post("/api/setup", new)).status == 204
    assert (await visitor.sign_in("1002", "ganz-neues-Wort-8")).status == 200
    assert (await visitor.post("/api/setup", new)).status == 403, "a token is good for once"
    for verb in ("staff.changed", "staff.deactivated", "staff.reactivated", "staff.password_reset"):
        assert (await said(deps, verb))[-1][:2] == ("9001", "1002"), verb
    assert PASSWORD not in str(await said(deps, "staff.password_reset"))


@pytest.mark.req("AD-01")
async def test_the_last_administrator_stays(admin: Browser) -> None:
    me = await person(admin, "9001")
    for answer in (
        await admin.post("/api/staff/9001/lock", {"version": me["version"]}),
        await admin.send("PUT", "/api/staff/9001/posts", {"version": me["version"], "posts": ["SU"]}),
    ):
        assert (answer.status, (await answer.json())["code"]) == (409, "last_administrator")
    second = {"number": "9002", "name": "副管理员", "posts": ["AD"]}
    assert (await admin.post("/api/staff", second)).status == 201
    assert (await admin.post("/api/staff/9001/lock", {"version": me["version"]})).status == 200


@pytest.mark.req("AD-01")
async def test_every_post_is_offered_with_what_it_asks_for(admin: Browser) -> None:
    choices = {each["post"]: each for each in (await (await admin.get("/api/staff")).json())["posts"]}
    assert set(choices) == {post.value for post in Post}
    assert choices["TE"]["demands"]["zh"] == "基本的电信知识"
    assert choices["MH"]["demands"] is None


@pytest.mark.req("AD-01")
def test_an_administrator_touches_no_result_of_quality_and_no_log() -> None:
    """Who administers neither inspects nor listens in, and a log has no verb but reading (part 3)."""
    assert Post.AD not in PERMISSIONS[Action.INSPECT_QUALITY] | PERMISSIONS[Action.LISTEN_IN]
    assert {action for action in Action if "audit" in action.value} == {Action.READ_AUDIT}
