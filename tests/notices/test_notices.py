"""Facts become messages once for each address; they leave by a gateway that may be down, slow or told twice (TL-25)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import select

from cti.web.outgoing import HttpGateway
from tests.callbacks.vain import in_vain
from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import ALL_WELL, REPLIED, Case, in_process, replying
from ticketing.callbacks.dialling import TOPIC as CALLBACKS
from ticketing.callbacks.policy import shipped as callbacks_policy
from ticketing.errors import Invalid
from ticketing.notices import rules, store
from ticketing.notices.delivery import Delivery
from ticketing.notices.files import FileGateway
from ticketing.notices.model import Means, Notice, NoticeGateway, NoticeKind, NoticeRefused, Outgoing
from ticketing.notices.rules import NoticeRules
from ticketing.notices.tables import notice
from ticketing.notices.writer import NoticeWriter
from ticketing.orders import chasing, closing, dispatching
from ticketing.orders.inputs import Dispatch, HandToSenior, Redispatch, Reply, Task
from ticketing.orders.ledger import TOPIC as ORDERS
from ticketing.orders.step_inputs import Chase
from ticketing.outbox import Courier, Message, outbox

SHIPPED = Path(rules.__file__).parent.joinpath("data/notices.toml").read_text(encoding="utf-8")
OFFICE = '\n[units."city.network"]\nsms = ["+8613800000001"]\nemail = ["duty@example.com"]\n'
CUSTOMER = "+8613900139000"


class Fake:
    """A gateway that keeps what it got, and is down, slow or choosy as it is told."""

    def __init__(self) -> None:
        self.got: list[Outgoing] = []
        self.down = False
        self.slow: set[str] = set()
        self.refuses: set[str] = set()

    async def send(self, message: Outgoing) -> None:
        if message.to in self.slow:
            await asyncio.Event().wait()
        if self.down:
            raise ConnectionError("no route")
        if message.to in self.refuses:
            raise NoticeRefused("not a number of ours")
        self.got.append(message)


class Post:
    """The desk with both couriers, a gateway and a clock."""

    def __init__(self, desk: Desk, gateway: NoticeGateway, said: NoticeRules) -> None:
        self.desk, self.now = desk, desk.now
        self.writer = NoticeWriter(desk.database, said)
        self.delivery = Delivery(desk.database, gateway, lambda: self.now, timeout_s=0.05)

    def courier(self, name: str = "one") -> Courier:
        """The courier of messages, as a service that starts makes it."""
        return Courier(self.desk.database, {store.TOPIC: self.delivery}, name=name, jitter=lambda: 0.0, timeout_s=5)

    async def facts(self) -> None:
        """What was committed becomes messages."""
        writing = Courier(self.desk.database, {ORDERS: self.writer, CALLBACKS: self.writer}, name="facts")
        while await writing.drain(self.now):
            pass

    async def leave(self, after: timedelta = timedelta(), name: str = "one") -> None:
        """Messages leave."""
        self.now += after
        courier = self.courier(name)
        while await courier.drain(self.now):
            pass

    async def rows(self) -> list[Any]:
        async with self.desk.database.read() as conn:
            return list((await conn.execute(select(notice).order_by(notice.c.id))).all())

    async def listed(self) -> tuple[Notice, ...]:
        """As the page of the only order lists them."""
        async with self.desk.database.read() as conn:
            (order_id,) = set((await conn.scalars(select(notice.c.order_id))).all())
            assert order_id is not None
            return await store.of_order(conn, order_id)


@pytest.fixture
def gateway() -> Fake:
    return Fake()


@pytest.fixture
def post(desk: Desk, gateway: Fake) -> Post:
    return Post(desk, gateway, rules.parse(SHIPPED + OFFICE))


@pytest.mark.req("TL-25")
async def test_the_caller_is_told_the_number_of_his_order_once(desk: Desk, post: Post, gateway: Fake) -> None:
    serial = (await desk.read(await desk.registered())).serial
    await post.facts()
    (row,) = await post.rows()
    assert (row.kind, row.means, row.address, row.state) == ("order_number", "sms", CUSTOMER, "waiting")
    assert serial in row.text
    async with desk.database.read() as conn:
        told = (await conn.execute(select(outbox).where(outbox.c.topic == ORDERS))).all()
    for each in told:
        await post.writer.deliver(Message(each.id, each.topic, each.key, each.payload, 2, each.created_at))
    assert len(await post.rows()) == 1, "a fact that is told again makes no second message"
    await post.leave()
    assert [(message.to, message.text) for message in gateway.got] == [(CUSTOMER, row.text)]
    (shown,) = await post.listed()
    assert (shown.state, shown.attempts, shown.ended_at, shown.last_error) == ("sent", 1, desk.now, None)


@pytest.mark.req("TL-25")
async def test_who_has_no_mobile_number_is_told_nothing(desk: Desk, post: Post) -> None:
    await desk.registered(caller="01088886666", contact_number="01062223333")
    await post.facts()
    assert await post.rows() == []


@pytest.mark.req("TL-25", "PX-05", "DP-07")
async def test_departments_are_told_of_new_urgent_and_chased_work_and_of_a_second_dispatch(
    desk: Desk, post: Post
) -> None:
    plain = Case(desk, await desk.registered(caller="13900000000", contact_number="01062223333"))
    work = [Task("city.network", "x", 7200)]
    await plain.act("1001", dispatching.hand_to_senior, HandToSenior, reason="x")
    await plain.act("2001", dispatching.dispatch, Dispatch, opinion="x", checks=ALL_WELL, tasks=work)
    await plain.act("7001", chasing.chase, Chase, asked_by="customer", reason="x")
    await plain.finished("city.network", "8001")
    await plain.act("2001", closing.reply, Reply, **REPLIED)
    again = {"cause": "none", "wanted": "x", "tasks": work, "opinion": "x", "grade": "dissatisfied"}
    await plain.act("7001", closing.redispatch, Redispatch, **again)
    warned = {"opinion": "x", "checks": ALL_WELL, "warned_unit": "city.network"}
    await plain.act("2001", dispatching.approve, Dispatch, **warned)
    important = Case(desk, await desk.registered("c2", urgent=True, contact_number="01062223333"))
    await in_process(important)
    await post.facts()
    both = (("sms", "+8613800000001"), ("email", "duty@example.com"))
    told = [(row.kind, (row.means, row.address)) for row in await post.rows() if row.kind != "order_number"]
    kinds = ("chased", "new_work", "second_dispatch", "urgent")
    assert sorted(told) == sorted((kind, to) for kind in kinds for to in both)
    texts = {row.kind: row.text for row in await post.rows()}
    due = (desk.now + timedelta(hours=2)).astimezone(post.writer.rules.zone)
    assert f"{due:%m-%d %H:%M}" in texts["new_work"], "in the centre's zone"
    assert "x" not in texts["new_work"].replace("example", ""), "what the customer said does not leave the house"


@pytest.mark.req("TL-25", "RP-05")
async def test_an_answer_leaves_by_message_where_that_was_the_way_of_the_reply(desk: Desk, post: Post) -> None:
    case = Case(desk, await desk.registered(reply_mode="sms"))
    await replying(case)
    await case.act("2001", closing.reply, Reply, **{**REPLIED, "channel": "sms"})
    await post.facts()
    answers = [row for row in await post.rows() if row.kind == "reply"]
    assert [REPLIED["opinion"] in row.text for row in answers] == [True]
    other = Case(desk, await desk.registered("c2"))
    await replying(other)
    await other.act("2001", closing.reply, Reply, **REPLIED)
    await post.facts()
    assert len([row for row in await post.rows() if row.kind == "reply"]) == 1, "he was told by telephone"


@pytest.mark.req("TL-25", "TL-23")
async def test_who_could_not_be_called_back_is_told_once_a_booking(desk: Desk, post: Post) -> None:
    await in_vain(desk.database, callbacks_policy(), desk.now, "13800138000")
    await post.facts()
    (row,) = await post.rows()
    assert (row.kind, row.address, row.order_id) == ("missed_callback", "+8613800138000", None)
    assert row.text.startswith("【客户服务热线】我们按预约"), "in the language he booked in"
    async with desk.database.read() as conn:
        (told,) = (await conn.execute(select(outbox).where(outbox.c.topic == CALLBACKS))).all()
    await post.writer.deliver(Message(told.id + 999, CALLBACKS, told.key, told.payload, 1, desk.now))
    assert len(await post.rows()) == 1, "a second attempt in vain is not told again"


@pytest.mark.req("TL-25")
async def test_a_gateway_that_is_down_keeps_its_messages_and_holds_up_no_step(
    desk: Desk, post: Post, gateway: Fake
) -> None:
    gateway.down = True
    case = Case(desk, await desk.registered())
    await post.facts()
    await post.leave()
    assert [(row.state, row.attempts, row.last_error) for row in await post.rows()] == [
        ("waiting", 1, "ConnectionError: no route")
    ]
    await in_process(case)
    await post.facts()
    assert {row.kind for row in await post.rows()} == {"order_number", "new_work"}, "steps and facts go on"
    gateway.down = False
    await post.leave(timedelta(minutes=1))
    assert {row.state for row in await post.rows()} == {"sent"}
    assert {message.to for message in gateway.got} == {CUSTOMER, "+8613800000001", "duty@example.com"}


@pytest.mark.req("TL-25")
async def test_what_failed_for_a_day_is_given_up_and_seen(desk: Desk, post: Post, gateway: Fake) -> None:
    gateway.down = True
    await desk.registered()
    await post.facts()
    await post.leave()
    await post.leave(timedelta(hours=24))
    gateway.down = False
    await post.leave(timedelta(hours=2))
    (row,) = await post.rows()
    assert (row.state, row.attempts, gateway.got) == ("dead", 2, [])


@pytest.mark.req("TL-25")
async def test_a_slow_or_choosy_gateway_holds_up_nobody_elses_message(desk: Desk, post: Post, gateway: Fake) -> None:
    gateway.slow, gateway.refuses = {"+8613800000001"}, {"duty@example.com"}
    case = Case(desk, await desk.registered())
    await in_process(case)
    await post.facts()
    await post.leave()
    assert {row.address: (row.state, row.last_error) for row in await post.rows()} == {
        CUSTOMER: ("sent", None),
        "+8613800000001": ("waiting", "TimeoutError"),
        "duty@example.com": ("refused", "not a number of ours"),
    }


@pytest.mark.req("TL-25")
async def test_a_restarted_courier_does_not_send_again_what_was_acknowledged(
    desk: Desk, post: Post, gateway: Fake
) -> None:
    await desk.registered()
    await post.facts()

    class Crash(Exception):
        """The service dies after the gateway's answer was written down, before the outbox knew."""

    class Dies(Delivery):
        async def deliver(self, message: Message) -> None:
            await super().deliver(message)
            raise Crash

    died = Courier(desk.database, {store.TOPIC: Dies(desk.database, gateway, lambda: post.now, 1)}, name="died")
    await died.drain(post.now)
    await post.leave(timedelta(minutes=2), name="restarted")
    assert len(gateway.got) == 1
    assert [row.state for row in await post.rows()] == ["sent"]


@pytest.mark.req("TL-25")
async def test_one_that_may_have_been_sent_is_sent_again_under_the_same_id(
    desk: Desk, post: Post, gateway: Fake
) -> None:
    await desk.registered()
    await post.facts()

    class TakesIt(Fake):
        async def send(self, message: Outgoing) -> None:
            gateway.got.append(message)
            await asyncio.Event().wait()

    lost = Delivery(desk.database, TakesIt(), lambda: post.now, 0.05)
    await Courier(desk.database, {store.TOPIC: lost}, name="lost").drain(post.now)
    await post.leave(timedelta(minutes=2))
    first, second = gateway.got
    assert first == second, "the gateway knows it by its id"


@contextlib.asynccontextmanager
async def _operator(answers: Iterator[int]) -> AsyncIterator[tuple[str, list[tuple[str, str, dict[str, Any]]]]]:
    """A gateway as operators have them: a real server on this machine."""
    got: list[tuple[str, str, dict[str, Any]]] = []

    async def take(request: web.Request) -> web.Response:
        got.append((request.headers["Idempotency-Key"], request.headers.get("Authorization", ""), await request.json()))
        return web.Response(status=next(answers))

    app = web.Application()
    app.router.add_post("/send", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/send", got
    finally:
        await runner.cleanup()


@pytest.mark.req("TL-25")
async def test_over_http_each_answer_means_what_it_says() -> None:
    message = Outgoing("abc", Means.SMS, CUSTOMER, "【热线】您好")
    async with AsyncExitStack() as stack:
        url, got = await stack.enter_async_context(_operator(iter([202, 409, 422, 503, 429, 302])))
        gateway = HttpGateway(url, "secret")
        stack.push_async_callback(gateway.close)
        await gateway.send(message)
        await gateway.send(message)
        with pytest.raises(NoticeRefused, match="422"):
            await gateway.send(message)
        for status in ("503", "429", "302"):
            with pytest.raises(ConnectionError, match=status):
                await gateway.send(message)
        body = {"id": "abc", "means": "sms", "to": CUSTOMER, "text": "【热线】您好"}
        assert got == [("abc", "Bearer secret", body)] * 6


@pytest.mark.req("TL-25")
async def test_over_http_a_gateway_that_comes_back_has_each_message_once(desk: Desk, now: datetime) -> None:
    await desk.registered()
    async with AsyncExitStack() as stack:
        url, got = await stack.enter_async_context(_operator(iter([503, 200])))
        gateway = HttpGateway(url)
        stack.push_async_callback(gateway.close)
        post = Post(desk, gateway, rules.shipped())
        post.delivery = Delivery(desk.database, gateway, lambda: post.now, timeout_s=5)
        await post.facts()
        await post.leave()
        await post.leave(timedelta(minutes=1))
        (row,) = await post.rows()
        assert (row.state, row.attempts, row.last_error) == ("sent", 2, None)
        assert [key for key, _, _ in got] == [row.public_id] * 2
    away = HttpGateway("http://127.0.0.1:9/send")
    with pytest.raises(OSError, match="9"):
        await away.send(Outgoing("x", Means.SMS, CUSTOMER, "x"))
    await away.close()


@pytest.mark.req("TL-25")
async def test_as_a_file_a_message_is_whole_private_and_the_same_one_again_is_one_file(tmp_path: Path) -> None:
    gateway = FileGateway(tmp_path / "messages")
    message = Outgoing("abc", Means.EMAIL, "duty@example.com", "新工单")
    await gateway.send(message)
    await gateway.send(message)
    (file,) = (tmp_path / "messages").iterdir()
    assert (file.name, oct(file.stat().st_mode & 0o777)) == ("abc.json", "0o600")
    assert json.loads(file.read_text(encoding="utf-8")) == {
        "id": "abc", "means": "email", "to": "duty@example.com", "text": "新工单",
    }  # fmt: skip
    blocked = tmp_path / "blocked"
    blocked.write_text("in the way")
    with pytest.raises(OSError, match="blocked"):
        await FileGateway(blocked).send(message)


WRONG = [
    (SHIPPED.replace("时限 {due}", "{name}", 1), "there is no {name} here"),
    (SHIPPED.replace('language = "zh"', 'language = "fr"'), "language is one of zh, en"),
    (SHIPPED + '\n[units."a"]\nsms = ["13800000001"]\n', "'13800000001' is no address"),
    (SHIPPED + '\n[units."a"]\nemail = ["duty@example.com\\r\\nBcc: x@y.z"]\n', "is no address"),
    (SHIPPED + '\n[units."a"]\nfax = []\n', "fax: sms or email"),
    (SHIPPED.replace("[templates.reply]", "[templates.other]"), "'reply' is missing"),
    (SHIPPED.replace('zone = "Asia/Shanghai"', 'zone = "Mars/Base"'), "Mars/Base"),
    ("[", "notices.toml"),
]


@pytest.mark.req("TL-25", "G12")
@pytest.mark.parametrize(("text", "why"), WRONG)
def test_a_wrong_file_is_refused_with_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.parse(text)
    assert refused.value.code == "bad_notices"
    assert why in refused.value.message


def test_every_kind_is_told_in_both_languages() -> None:
    shipped = rules.shipped()
    said = {"serial": "12345", "number": 1, "due": None, "opinion": "已恢复"}
    for kind in NoticeKind:
        zh, en = (shipped.text(kind, language, **said) for language in ("zh", "en"))
        assert "12345" in zh
        assert "12345" in en
        assert zh != en
        assert shipped.text(kind, None, **said) == zh
