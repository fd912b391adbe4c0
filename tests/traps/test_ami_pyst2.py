"""pyst2 0.5.1's measured defects on AMI, each beside our own code free of it."""

from __future__ import annotations

import asyncio
import inspect
import io
import warnings
from typing import Any

import pytest

from cti.ami import commands
from cti.ami.frames import Frame, Splitter
from tests.ami.fake_server import FakeAmi, serving
from tests.ami.watching import Watched, up

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import asterisk.manager as pyst2


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Held(pyst2.Manager):  # type: ignore[misc]  # pyst2 has no types
    """The library's manager, whose clean-up warns at any later moment, without the clean-up."""

    def __del__(self) -> None:
        """Nothing was opened."""


class Wire:
    """A socket that keeps what is written."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def flush(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""


@pytest.fixture
def manager() -> Any:
    made = Held()
    made._sock = Wire()
    made._connected.set()
    yield made
    made._connected.clear()
    pyst2.Manager.send_action.__defaults__[0].clear()


def test_b4_channel_variables_raise() -> None:
    with pytest.raises(AttributeError, match="has_key"):
        pyst2.ManagerMsg(["Event: Hangup\r\n", "ChanVariable: CTI_CALL_ID=1\r\n"])
    assert Frame(b"Event: Hangup\r\nChanVariable: CTI_CALL_ID=1").variables == {"CTI_CALL_ID": "1"}


def test_b5_any_answer_is_the_answer_and_it_waits_for_ever(manager: Any) -> None:
    manager._response_queue.put(pyst2.ManagerMsg(["Response: Success\r\n", "ActionID: another\r\n"]))
    answer = manager.send_action({"Action": "Ping", "ActionID": "mine"})
    assert answer.get_header("ActionID") == "another"
    assert "timeout" not in inspect.signature(pyst2.Manager.send_action).parameters


def test_b5_arguments_of_one_action_turn_up_in_the_next(manager: Any) -> None:
    for _ in range(2):
        manager._response_queue.put(pyst2.ManagerMsg(["Response: Success\r\n"]))
    manager.send_action(Action="Originate", Channel="PJSIP/1001")
    manager.send_action(Action="Ping")
    assert b"Channel: PJSIP/1001" in manager._sock.sent[1]


def test_p5_a_value_can_smuggle_a_second_action(manager: Any) -> None:
    manager._response_queue.put(pyst2.ManagerMsg(["Response: Success\r\n"]))
    manager.send_action({"Action": "QueuePause", "Reason": "x\r\n\r\nAction: Originate"})
    assert manager._sock.sent[0].count(b"\r\n\r\n") == 2


def test_b6_it_connects_once_only(manager: Any) -> None:
    manager.message_thread.run = lambda: None
    manager.message_thread.start()
    manager.message_thread.join()
    with pytest.raises(RuntimeError, match="threads can only be started once"):
        manager.message_thread.start()


class Counting(io.RawIOBase):
    """A socket's raw file that counts how often it is asked."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._left = io.BytesIO(data)
        self.asked = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.asked += 1
        return self._left.readinto(buffer)


def test_b7_every_byte_is_a_read_of_its_own() -> None:
    """It opens its socket unbuffered and reads lines: a system call a byte, some hundred events a second."""
    assert "makefile(mode='rwb', buffering=0)" in inspect.getsource(pyst2.Manager.connect)
    block = b"Event: Hangup\r\nChannel: PJSIP/trunk-00000001\r\nUniqueid: 1.1\r\n\r\n"
    unbuffered = Counting(block)
    while unbuffered.readline().strip():
        pass
    assert unbuffered.asked == len(block)
    assert Splitter(banner=False).feed(block * 3) == [block.removesuffix(b"\r\n\r\n")] * 3, "one portion, three events"


async def test_our_link_matches_by_id_whatever_the_order() -> None:
    async with serving(FakeAmi()) as server, up(Watched(server.port)) as watched:
        server.answers["QueuePause"] = server.answers["QueueRemove"] = lambda _: None
        pause = asyncio.create_task(watched.link.send(commands.queue_pause("PJSIP/1001", True)))
        remove = asyncio.create_task(watched.link.send(commands.queue_remove("complaint", "PJSIP/1001")))
        (removing,), (pausing,) = await server.heard("QueueRemove"), await server.heard("QueuePause")
        for sent in (removing, pausing):
            server.say(f"Response: Success\r\nActionID: {sent['ActionID']}\r\nMessage: {sent['Action']}")
        assert [(await task)[0].get("Message") for task in (pause, remove)] == ["QueuePause", "QueueRemove"]
