"""Every route of the description × every post, nobody, and sessions that ended × own, another's, nothing (S15).

What must come is read from the policy, which is data; which objects somebody may see stands in `World`. An answer with
200 that neither names is a hole, a refusal where both allow is a fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import func, select

from cti import store as calls
from cti.web.catalogue import ROUTES
from cti.web.deps import WebDeps
from cti.web.openapi import describe
from cti.web.policy import POLICY, Access
from cti.web.security import CSRF_HEADER
from recordings.naming import spool_names
from tests.calls.test_store import rich
from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import ALL_WELL, TWO, Case
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from tests.web.seats import SEATS, add_strangers
from tests.web.test_media import wav
from ticketing.audit import audit
from ticketing.db import Database
from ticketing.intake import actions as intake
from ticketing.intake.model import NewMessage
from ticketing.orders import dispatching
from ticketing.orders.inputs import Dispatch, Propose
from ticketing.roles import PERMISSIONS, SYSTEM, Action, Post
from ticketing.staff.passwords import Passwords
from ticketing.surveys import actions as surveys
from ticketing.surveys.model import NewGrade
from ticketing.surveys.rules import shipped

NAMES = {route.name.replace(".", "_"): route.name for route in ROUTES}
#: what the answer depends on beside the policy: they end or begin the session that asks, or need a query
ENDS_OR_BEGINS = {"session.delete", "session.create", "setup.create", "setup.check"}
QUERIES = {
    "customers.list": "?number=13800000000",
    "papers.add_file": "?name=a.txt",
    "work_orders.attach": "?name=a.txt&version=1",
}
NOTHING = "none-such"


@dataclass(frozen=True)
class Operation:
    """One row of the description."""

    name: str
    method: str
    path: str
    body: Any
    posts: frozenset[str] | None
    #: takes a file
    upload: bool

    def at(self, ids: dict[str, str]) -> str:
        """Its address with these things in it, and nothing that exists for every other part."""
        path = self.path
        for part in path.split("{")[1:]:
            word = part.partition("}")[0]
            path = path.replace(f"{{{word}}}", ids.get(word, NOTHING))
        return path + QUERIES.get(self.name, "")

    def may(self, post: str) -> bool:
        """What the policy says of this post."""
        needs = POLICY[self.name]
        return isinstance(needs, Access) or Post(post) in PERMISSIONS[needs]

    async def ask(
        self, browser: Browser, ids: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> int:
        """The status this browser gets."""
        said = {"Origin": browser.origin, CSRF_HEADER: browser.csrf, **(headers or {})}
        more: dict[str, Any] = {"json": self.body} if self.body is not None else {}
        more |= {"data": b"words"} if self.upload else {}
        async with browser.client.request(self.method, self.at(ids or {}), headers=said, **more) as answer:
            return answer.status


def operations() -> Iterator[Operation]:
    """All of the description, nothing else."""
    for path, methods in describe(ROUTES, "0")["paths"].items():
        for method, said in methods.items():
            bodies = said.get("requestBody", {}).get("content", {})
            content, upload = bodies.get("application/json", {}), "application/octet-stream" in bodies
            posts = frozenset(said["x-posts"]) if "x-posts" in said else None
            yield Operation(NAMES[said["operationId"]], method.upper(), path, content.get("example"), posts, upload)


OPERATIONS = tuple(operations())


@pytest.fixture
async def strangers(centre: Database, passwords: Passwords, now: datetime) -> None:
    """A person of every post."""
    await add_strangers(centre, passwords, now)


@pytest.mark.req("S15")
def test_the_description_names_every_route_and_its_posts_as_the_policy_has_them() -> None:
    assert {each.name for each in OPERATIONS} == {route.name for route in ROUTES if not route.hidden}
    assert {name for name, needs in POLICY.items() if needs is Access.PUBLIC} == {
        "desk", "openapi", "health", "live", "ready", "metrics", "session.create",
        "setup.show", "setup.check", "setup.create",
    }, "a route that asks for nobody is a decision of its own"  # fmt: skip
    for each in OPERATIONS:
        needs = POLICY[each.name]
        assert each.posts == (frozenset(PERMISSIONS[needs]) if isinstance(needs, Action) else None), each.name


@pytest.mark.req("S15")
@pytest.mark.usefixtures("strangers")
@pytest.mark.parametrize("post", SEATS)
async def test_each_post_gets_what_the_policy_gives_it_and_nothing_else(open_browser: MakeBrowser, post: str) -> None:
    """Of things that do not exist: 403 by post, 404 where the address names a thing, 200 for what is his to read."""
    browser = await open_browser(SEATS[post])
    for each in OPERATIONS:
        if each.name in ENDS_OR_BEGINS:
            continue
        status = await each.ask(browser)
        if not each.may(post):
            assert status == 403, each.name
        elif each.name == "media.play":
            assert status == 403, "a link that nobody signed"
        elif "{" in each.path and each.method == "GET":
            assert status == 404, (each.name, status)
        elif each.method == "GET":
            assert status == (400 if each.name == "phone.socket" else 200), (each.name, status)
        else:
            assert status not in {401, 403}, (each.name, status)
            assert status < 500, (each.name, status)


@pytest.mark.req("S13", "S15")
@pytest.mark.usefixtures("strangers")
@pytest.mark.parametrize("how", ["nobody", "signed out", "idle", "posts changed", "locked", "made up"])
async def test_nobody_and_sessions_that_ended_get_nothing(open_browser: MakeBrowser, clock: Clock, how: str) -> None:
    """A senior's cookie that no longer opens anything, with its page's token: 401 everywhere but in public."""
    browser, admin = await open_browser("2002"), await open_browser("9001")
    cookie = f"hotline={_cookie(browser)}"
    browser.client.session.cookie_jar.clear()
    assert (await browser.get("/api/session", headers={"Cookie": cookie})).status == 200
    if how == "signed out":
        ended = await browser.client.delete(
            "/api/session", headers={"Origin": browser.origin, CSRF_HEADER: browser.csrf, "Cookie": cookie}
        )
        assert ended.status == 204
    elif how == "idle":
        clock.advance(minutes=31)
    elif how == "posts changed":
        changed = {"posts": ["SA", "AD"], "version": 1, "override": "Vertretung"}
        assert (await admin.send("PUT", "/api/staff/2002/posts", changed)).status == 200
    elif how == "locked":
        assert (await admin.post("/api/staff/2002/lock", {"version": 1})).status == 200
    cookie = {"nobody": "", "made up": "hotline=" + "A" * 43}.get(how, cookie)
    for each in OPERATIONS:
        if each.name not in ENDS_OR_BEGINS | {"openapi", "health", "setup.show"}:
            assert await each.ask(browser, headers={"Cookie": cookie} if cookie else None) == 401, each.name


def _cookie(browser: Browser) -> str:
    return browser.client.session.cookie_jar.filter_cookies(browser.client.make_url("/"))["hotline"].value


@dataclass(frozen=True)
class World:
    """One thing of every kind that an address can name, and who of the seats may see it beside its owner."""

    #: kind -> what stands in the address
    ids: dict[str, dict[str, str]]
    #: kind -> owner's number
    owners: dict[str, str]

    #: beginning of the address -> kinds that belong there
    PLACES: ClassVar = (
        ("/api/orders/{id}", ("draft", "order")),
        ("/api/work-orders/{id}", ("work",)),
        ("/api/calls/", ("call",)),
        ("/api/recordings/", ("recording",)),
        ("/media/", ("link",)),
        ("/api/items/", ("item",)),
        ("/api/papers/", ("paper",)),
        ("/api/follow-ups/", ("follow-up",)),
        ("/api/callbacks/", ("callback",)),
        ("/api/customers/", ("customer",)),
    )
    #: kind -> posts that see another's; the policy alone says who sees the others
    SEEN_BY: ClassVar = {
        "draft": frozenset({"SU", "AD"}),
        "order": frozenset(SEATS) - {"DS", "DH", "FS"},
        "work": frozenset(SEATS) - {"DS", "DH", "FS"},
        "call": frozenset(post.value for post in PERMISSIONS[Action.VIEW_ALL_CALLS]),
        "recording": frozenset(post.value for post in PERMISSIONS[Action.PLAY_ANY_RECORDING]),
        "link": frozenset[str](),
    }

    def places(self) -> Iterator[tuple[Operation, str]]:
        """(operation, kind) of everything an address names."""
        for each in OPERATIONS:
            for prefix, kinds in self.PLACES:
                if each.path.startswith(prefix) and "{" in each.path and "{file}" not in each.path:
                    yield from ((each, kind) for kind in kinds)

    def sees(self, post: str, kind: str) -> bool:
        """Whether the post sees what is another's."""
        return kind not in self.SEEN_BY or post in self.SEEN_BY[kind]


@pytest.fixture
async def world(deps: WebDeps, open_browser: MakeBrowser, strangers: None, tmp_path: Path, now: datetime) -> World:
    """1001's draft of a call with its recording, a dispatched order, and work that others have in hand."""
    desk = await Desk.open(deps.database, now)
    case = Case(desk, await desk.registered("c8", "1001"))
    await case.act("1001", dispatching.propose, Propose, tasks=TWO[:1], opinion="请处理")
    await case.act("2001", dispatching.approve, Dispatch, opinion="同意", checks=ALL_WELL)
    customer = await desk.customer("李女士", "+8613900139000")
    record = replace(rich(), grade="5", answered_by="1001", offers=())
    draft = await desk.call(record.call_id, "1001", "13600136000")
    caller, agent, done = spool_names(record.call_id)
    for name in (caller, agent):
        (tmp_path / "spool" / name).write_bytes(wav(1))
    (tmp_path / "spool" / done).touch()
    said = NewMessage("c7", "c7-msg-1.wav", "13800138000", "1860", "zh", "complaint", 12.0, "limit", now)
    grade = NewGrade(call_id=record.call_id, grade="5", agent="1001", at=now)
    async with deps.database.write() as conn:
        await calls.save_calls(conn, [record])
        message = await intake.take(conn, SYSTEM, said, now)
        await intake.claim(conn, desk["6001"], message.subject_id, 1, now)
        await surveys.take_grade(conn, SYSTEM, grade, shipped(), now)
    sound = await deps.library.register(record.call_id, expected_seconds=1.0, now=now)
    assert sound is not None
    agent_1, clerk, surveyor, network = [await open_browser(each) for each in ("1001", "6101", "7001", "8001")]
    link = (await (await agent_1.post(f"/api/recordings/{sound.payload['id']}/link")).json())["url"]
    paper = {"channel": "letter", "received_at": now.isoformat(), "sender": "李女士", "number": "", "subject": "宽带"}
    papers = await (await clerk.post("/api/papers", paper)).json()
    callback = await (await agent_1.post("/api/callbacks", {"number": "13900139001", "window": "asap"})).json()
    (follow_up,) = (await (await surveyor.get("/api/follow-ups")).json())["items"]
    assert (await surveyor.post(f"/api/follow-ups/{follow_up['id']}/claim", {"version": 1})).status == 200
    (work,) = (await (await network.get("/api/work-orders")).json())["items"]
    ids = {
        "draft": {"id": draft.subject_id},
        "order": {"id": case.id},
        "work": {"id": work["id"]},
        "call": {"call_id": record.call_id},
        "recording": {"id": str(sound.payload["id"])},
        "link": {"token": link.removeprefix("/media/")},
        "item": {"id": message.subject_id},
        "paper": {"id": papers["id"]},
        "follow-up": {"id": follow_up["id"]},
        "callback": {"id": callback["id"]},
        "customer": {"id": customer.public_id},
    }
    owners = {
        "work": "8001",
        "item": "6001",
        "paper": "6101",
        "follow-up": "7001",
        "callback": "1001",
        "customer": "1001",
    }
    return World(ids, {kind: owners.get(kind, "1001") for kind in ids})


@pytest.mark.req("S15", "AD-01")
async def test_reading_what_is_ones_own(open_browser: MakeBrowser, world: World) -> None:
    """Whoever owns a thing of a kind reads it by every address of it that his post may use."""
    seen = set()
    for each, kind in world.places():
        owner = world.owners[kind]
        browser = await open_browser(owner)
        if each.method == "GET" and each.may(
            {"1001": "JA", "6001": "RX", "6101": "TE", "7001": "SV", "8001": "DS"}[owner]
        ):
            assert await each.ask(browser, world.ids[kind]) == 200, (each.name, kind)
            seen.add(kind)
    assert seen == set(world.ids) - {"follow-up"}, "a follow-up is read in its list only"


#: what whoever has the post may do to a thing that another holds; the reason of each is written in its use case
SHARED = {
    "callbacks.cancel", "callbacks.snooze", "callbacks.call_now",  # decided by whoever is there (TL-23)
    "items.reassign", "papers.reassign", "callbacks.reassign", "orders.reassign",  # a supervisor's
    "customers.profile",  # a customer is nobody's
    "papers.add_file", "papers.keep_original",
    "recordings.link",
    "personal.uncover",  # a reading, which asks for its reason
}  # fmt: skip


@pytest.mark.req("S15", "N4", "AD-01", "PR-01", "AU-02")
@pytest.mark.parametrize("post", SEATS)
async def test_what_is_anothers(open_browser: MakeBrowser, world: World, deps: WebDeps, post: str) -> None:
    """403 by post; 404 for what is another's exactly as for what is not there; 200 for the reading of the rest. Nothing
    that another holds is changed, with whatever version, and no refusal leaves an entry in the trail of changes."""
    browser = await open_browser(SEATS[post])
    before = await trail(deps)
    for each, kind in world.places():
        hidden = not world.sees(post, kind)
        if not each.may(post) or each.name == "media.play":
            expected = {403}
        elif each.method == "GET":
            expected = {404} if hidden else {200}
        elif hidden:
            expected = {404}
        elif kind in {"order", "work"} or each.name in SHARED:
            continue  # theirs to work on: tests/orders/test_matrix.py holds every step by state and post
        else:
            expected = {403, 404, 409, 422}
        for version in (1, 2) if each.body and "version" in each.body else (0,):
            asked = replace(each, body={**each.body, "version": version}) if version else each
            status = await asked.ask(browser, world.ids[kind])
            assert status in expected, (each.name, kind, version, status)
    assert await trail(deps) == before


async def trail(deps: WebDeps) -> int:
    """How many changes are on record."""
    async with deps.database.read() as conn:
        return await conn.scalar(select(func.count()).select_from(audit)) or 0
