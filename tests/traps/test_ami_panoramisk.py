"""panoramisk 1.4's measured defects on AMI, each beside our link free of it; an update that heals one fails here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import panoramisk
import pytest
from panoramisk.call_manager import CallManager

from cti.ami import commands
from cti.ami.frames import Frame
from cti.ami.guard import Guard
from cti.ami.link import LinkDown, NoAnswer, WrongSecret
from tests.ami.fake_server import SECRET, FakeAmi, serving
from tests.ami.faults import faulty
from tests.ami.watching import QUICK, Watched, up
from ticketing.errors import Invalid

NAME = "投诉客户王小明"
DIAL = commands.originate(
    "cb-1",
    "cti-callback",
    "cb-1",
    caller_id="1860",
    timeout_ms=1000,
    variables={},
    channel_id="a",
    other_channel_id="b",
)


@pytest.fixture
async def server() -> AsyncIterator[FakeAmi]:
    async with serving(FakeAmi()) as fake:
        yield fake


class Bare:
    """A panoramisk manager as its manual shows it, with a list of what it delivered."""

    def __init__(self, port: int, **config: Any) -> None:
        self.events: list[Any] = []
        self.news = asyncio.Event()
        self.errors: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self._fail(str(context["message"])))
        self.manager = panoramisk.Manager(
            loop=loop, host="127.0.0.1", port=port, username="bridge", **{"secret": SECRET, **config}
        )
        self.manager.register_event("*", self._take)

    def _take(self, _manager: Any, event: Any) -> None:
        self.events.append(event)
        self.news.set()

    def _fail(self, message: str) -> None:
        self.errors.append(message)
        self.news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition that some news makes true."""
        async with asyncio.timeout(10):
            while not condition():
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def bare(port: int, **config: Any) -> AsyncIterator[Bare]:
    made = Bare(port, **config)
    await made.manager.connect()
    try:
        yield made
    finally:
        # its own close() does not keep it from dialling again
        made.manager.connect = lambda: None
        made.manager.close()


async def test_a2_a_name_cut_by_a_segment_loses_characters(server: FakeAmi) -> None:
    async with faulty(server.port) as proxy, bare(proxy.port) as manager, up(Watched(proxy.port)) as watched:
        await server.heard("Login", 2)
        proxy.portion = 1
        server.say(f"Event: Newchannel\r\nCallerIDName: {NAME}")
        await manager.until(lambda: len(manager.events) == 1)
        assert manager.events[0].calleridname != NAME
        await watched.until(lambda: len(watched.frames) == 1)
        assert NAME.encode() in watched.frames[0]


async def test_a3_a_callback_that_raises_costs_the_segment_and_the_connection(server: FakeAmi) -> None:
    events = [f"Event: X\r\nNumber: {number}" for number in range(5)]
    async with bare(server.port) as manager:
        await server.heard("Login")

        def broken(_manager: Any, event: Any) -> None:
            if event.number == "1":
                raise RuntimeError("a callback's fault")

        manager.manager.register_event("X", broken)
        server.say(*events)
        await manager.until(lambda: bool(manager.errors))
        assert [event.number for event in manager.events] == ["0", "1"]
        assert manager.errors == ["Fatal error: protocol.data_received() call failed."]

    def raising(raw: bytes, _at: object) -> None:
        watched.frames.append(raw)
        watched._news.set()
        raise RuntimeError("a receiver's fault")

    watched = Watched(server.port)
    watched.link._on_frame = raising
    async with up(watched):
        server.say(*events)
        await watched.until(lambda: len(watched.frames) == 5)
        assert watched.link.figures.connections == 1


async def test_a4_an_unanswered_originate_is_sent_again_after_a_reconnect(server: FakeAmi) -> None:
    server.answers["Originate"] = lambda _: None
    async with bare(server.port, reconnect_timeout=0) as manager:
        await server.heard("Login")
        manager.manager.send_action({"Action": "Originate", "Channel": "Local/1@cti-out"})
        await server.heard("Originate")
        server.cut()
        await server.heard("Login", 2)
        server.say("Event: FullyBooted\r\nStatus: Fully Booted")
        first, second = await server.heard("Originate", 2)
        assert first["ActionID"] == second["ActionID"]
    server.actions.clear()
    async with up(Watched(server.port)) as watched:
        asking = asyncio.create_task(watched.link.send(DIAL))
        await server.heard("Originate")
        server.cut()
        with pytest.raises(LinkDown):
            await asking
        await watched.until(lambda: watched.ups == 2)
        server.say("Event: FullyBooted\r\nStatus: Fully Booted")
        await watched.until(lambda: len(watched.frames) == 1)
        await watched.link.send(commands.ping())
        assert len(server.got("Originate")) == 1


async def test_a5_a_wrong_secret_is_tried_without_end_and_without_an_error(server: FakeAmi) -> None:
    def refuse(_action: dict[str, str]) -> str:
        asyncio.get_running_loop().call_soon(server.cut)
        return "Response: Error\r\nMessage: Authentication failed"

    server.answers["Login"] = refuse
    async with bare(server.port, secret="wrong", reconnect_timeout=0):
        await server.heard("Login", 4)
    server.actions.clear()
    server.logins = 0
    with pytest.raises(WrongSecret):
        await Watched(server.port, secret="wrong").link.start()
    assert server.logins == 1


async def test_a6_sending_before_the_connection_is_an_attribute_error() -> None:
    manager = panoramisk.Manager(loop=asyncio.get_running_loop())
    with pytest.raises(AttributeError):
        manager.send_action({"Action": "Ping"})
    with pytest.raises(LinkDown):
        await Watched(1).link.send(commands.ping())


async def test_a6_data_before_the_login_finds_no_factory() -> None:
    protocol = panoramisk.manager.AMIProtocol()
    protocol.connection_made(None)
    with pytest.raises(AttributeError):
        protocol.data_received(b"Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n")


async def test_a7_two_calls_of_one_second_share_a_queue() -> None:
    manager = CallManager(loop=asyncio.get_running_loop())
    for number in (1, 2):
        manager.dispatch(panoramisk.message.Message({"Event": "Newchannel", "Uniqueid": f"1795400000.{number}"}))
    (shared,) = manager.calls_queues.values()
    assert shared.queue.qsize() == 2


async def test_a9_the_answer_to_queue_add_is_taken_for_a_list(server: FakeAmi) -> None:
    server.answers["QueueAdd"] = lambda _: "Response: Success\r\nMessage: Added interface to queue"
    async with bare(server.port) as manager:
        await server.heard("Login")
        future = manager.manager.send_action({"Action": "QueueAdd", "Queue": "complaint", "Interface": "PJSIP/1001"})
        await manager.manager.send_action({"Action": "Ping"})
        assert not future.done()
    async with up(Watched(server.port)) as watched:
        (answer,) = await watched.link.send(commands.queue_add("complaint", "PJSIP/1001", "1001"))
        assert answer.get("Message") == "Added interface to queue"


async def test_a8_an_originate_waits_for_its_outcome_without_end(server: FakeAmi) -> None:
    """`Async: true` is answered at once; the library waits for the event that says how the call went, or for ever."""
    server.answers["Originate"] = lambda _: "Response: Success\r\nMessage: Originate successfully queued"
    async with bare(server.port) as manager:
        await server.heard("Login")
        future = manager.manager.send_action({"Action": "Originate", "Channel": "Local/1@cti-out", "Async": "true"})
        await manager.manager.send_action({"Action": "Ping"})
        assert not future.done()
        future.cancel()
    async with up(Watched(server.port)) as watched:
        with pytest.raises(NoAnswer):
            await watched.link.send(DIAL, 0.2)
        assert watched.link.figures.connections == 1, "the link lives on"


async def test_a12_what_sending_returns_can_be_gathered(server: FakeAmi) -> None:
    """True of the release that is pinned; the library's next one returns a mapping that is no key of a set."""
    assert version("panoramisk") == "1.4"
    async with bare(server.port) as manager:
        await server.heard("Login")
        sent = [manager.manager.send_action({"Action": "Ping"}) for _ in range(3)]
        assert len(set(sent)) == 3
        assert [answer.ping for answer in await asyncio.gather(*sent)] == ["Pong"] * 3
    async with up(Watched(server.port)) as watched:
        answers = await asyncio.gather(*(watched.link.send(commands.ping()) for _ in range(3)))
        assert [answer[0].get("Ping") for answer in answers] == ["Pong"] * 3


async def test_p6_output_is_a_word_or_a_list_by_the_number_of_its_lines(server: FakeAmi) -> None:
    """So nothing of ours asks by `Command`: the encoder has no such action, and repeated headers keep their order."""
    async with bare(server.port) as manager:
        await server.heard("Login")
        kinds = []
        for lines in (1, 2):
            said = "\r\n".join(f"Output: line {number}" for number in range(lines))
            server.answers["Command"] = lambda _, said=said: f"Response: Success\r\n{said}"  # type: ignore[misc]
            kinds.append(type((await manager.manager.send_command("core show version")).output))
        assert kinds == [str, list]
    with pytest.raises(Invalid):
        commands.Command("Command", (("Command", "core show version"),))
    assert Frame(b"Response: Success\r\nOutput: a\r\nOutput: b").all("Output") == ("a", "b")


async def test_a13_pings_nobody_answers_are_not_noticed(server: FakeAmi) -> None:
    well = server.answers["Ping"]
    server.answers["Ping"] = lambda _: None
    async with bare(server.port, ping_delay=0, ping_interval=0) as manager:
        await server.heard("Ping", 20)
        assert manager.manager._connected
    server.answers["Ping"] = well
    async with up(Watched(server.port, timing=QUICK)) as watched:
        server.answers["Ping"] = lambda _: None
        await watched.until(lambda: len(watched.downs) > 0)
        assert watched.downs[0] == "no answer to 3 pings"


async def test_p5_a_value_can_smuggle_a_second_action(server: FakeAmi) -> None:
    async with bare(server.port) as manager:
        await server.heard("Login")
        manager.manager.send_action({"Action": "QueuePause", "Reason": "x\r\n\r\nAction: Originate\r\nActionID: 1"})
        assert len(await server.heard("Originate")) == 1


async def test_a_second_event_line_makes_it_raise_and_drop_the_link(server: FakeAmi) -> None:
    forged = "Event: Newchannel\r\nCallerIDNum: 1\r\nEvent: Shutdown\r\nX: 1"
    async with bare(server.port) as manager:
        await server.heard("Login")
        server.say(forged)
        await manager.until(lambda: bool(manager.errors))
        assert manager.errors == ["Fatal error: protocol.data_received() call failed."]
    async with up(Watched(server.port)) as watched:
        server.say(forged)
        await watched.until(lambda: len(watched.frames) == 1)
        assert watched.link.figures.connections == 1


async def test_an_answer_with_a_chosen_id_is_delivered_as_an_event(server: FakeAmi) -> None:
    forged = "Event: OriginateResponse\r\nActionID: chosen\r\nResponse: Success"
    async with bare(server.port) as manager, up(Watched(server.port)) as watched:
        await server.heard("Login", 2)
        server.say(forged, "Event: X\r\nY: 1")
        await manager.until(lambda: len(manager.events) == 2)
        assert manager.events[0].event == "OriginateResponse"
        # ours gives it to nobody who waits; what judges events hears of it and believes neither it nor its neighbour
        await watched.until(lambda: len(watched.frames) == 2)
        assert len(watched.refused) == 1
        guard = Guard("0" * 32)
        assert [guard.check(Frame(raw)).accept for raw in watched.frames] == [False, False]
