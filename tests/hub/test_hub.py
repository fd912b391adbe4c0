"""The hub: resume by id, nothing twice, a slow stream dropped, other agents hear nothing."""

import asyncio

import pytest

from cti.hub import Dropped, Hub, frame


def ids(chunk: bytes | None) -> list[str]:
    """The event ids in what went on the wire."""
    return [line[4:].decode() for line in (chunk or b"").split(b"\n") if line.startswith(b"id: ")]


async def test_a_stream_gets_what_follows_its_last_id_once() -> None:
    hub = Hub("e1")
    first = hub.publish("1001", "agent", {"state": "ready"})
    hub.publish("1001", "pop", {"call_id": "c1"})
    stream = hub.subscribe("1001", first)
    assert not stream.fresh
    assert ids(await stream.next(1)) == ["e1-2"]
    hub.publish("1001", "retract", {"call_id": "c1", "why": "abandoned"})
    hub.publish("1001", "agent", {"state": "ready"})
    assert ids(await stream.next(1)) == ["e1-3", "e1-4"]
    assert await stream.next(0.01) is None


async def test_only_the_agent_whose_phone_rings_hears_of_it() -> None:
    hub = Hub("e1")
    mine, other = hub.subscribe("1001", None), hub.subscribe("1002", None)
    hub.publish("1001", "pop", {"call_id": "c1"})
    assert ids(await mine.next(1)) == ["e1-1"]
    assert await other.next(0.01) is None


@pytest.mark.parametrize("last", [None, "", "other-1", "e1-", "e1-x", "e1-99", "e1--1", "e1-" + "9" * 30, "e1-１"])
async def test_an_unknown_id_needs_a_snapshot(last: str | None) -> None:
    hub = Hub("e1")
    hub.publish("1001", "agent", {})
    stream = hub.subscribe("1001", last)
    assert stream.fresh
    assert stream.position == "e1-1"
    assert await stream.next(0.01) is None


async def test_an_id_older_than_the_log_needs_a_snapshot() -> None:
    hub = Hub("e1", keep=3)
    for number in range(6):
        hub.publish("1001", "agent", {"n": number})
    assert hub.subscribe("1001", "e1-2").fresh
    kept = hub.subscribe("1001", "e1-3")
    assert not kept.fresh
    assert ids(await kept.next(1)) == ["e1-4", "e1-5", "e1-6"]


async def test_a_log_made_anew_never_resumes_an_old_id() -> None:
    hub = Hub("e1", agents=1)
    hub.publish("1001", "agent", {})
    old = hub.publish("1001", "agent", {})
    hub.publish("1002", "agent", {})
    for _ in range(4):
        hub.publish("1001", "agent", {})
    assert hub.subscribe("1001", old).fresh


async def test_a_slow_stream_is_dropped_and_resumes_without_loss() -> None:
    hub = Hub("e1", keep=100, lag=5)
    aborted = asyncio.Event()
    slow, fast = hub.subscribe("1001", None, on_drop=aborted.set), hub.subscribe("1001", None)
    seen: list[str] = []
    for number in range(7):
        hub.publish("1001", "agent", {"n": number})
        seen += ids(await fast.next(1))
    assert aborted.is_set()
    assert hub.dropped == 1
    with pytest.raises(Dropped):
        await slow.next(1)
    assert seen == [f"e1-{n}" for n in range(1, 8)]
    again = hub.subscribe("1001", slow.position)
    assert ids(await again.next(1)) == seen


async def test_logout_ends_the_streams_of_that_sign_in_only() -> None:
    hub = Hub("e1")
    mine = hub.subscribe("1001", None, session="s1")
    other = hub.subscribe("1001", None, session="s2")
    waiting = asyncio.create_task(mine.next(5))
    assert hub.disconnect("s1") == 1
    with pytest.raises(Dropped):
        await waiting
    hub.publish("1001", "agent", {})
    assert ids(await other.next(1)) == ["e1-1"]
    hub.close()
    assert hub.streams == 0


async def test_the_oldest_of_too_many_streams_goes() -> None:
    hub = Hub("e1", streams=2)
    first = hub.subscribe("1001", None)
    hub.subscribe("1001", None)
    hub.subscribe("1001", None)
    assert hub.streams == 2
    with pytest.raises(Dropped):
        await first.next(1)


async def test_broadcast_reaches_those_who_listen_or_are_named() -> None:
    hub = Hub("e1")
    stream = hub.subscribe("1001", None)
    hub.publish("1002", "agent", {})
    assert hub.broadcast("alert", {"code": "late_caller"}) == 1
    assert hub.broadcast("alert", {"code": "late_caller"}, ["1001", "1002"]) == 2
    assert ids(await stream.next(1)) == ["e1-1", "e1-2"]


def test_an_event_is_one_line_whatever_it_says() -> None:
    hub = Hub("e1")
    event_id = hub.publish("1001", "pop", {"name": "李\r\n\r\nevent: forged\ndata: {}"})
    found = hub.find("1001", event_id)
    assert found is not None
    assert found.frame.count(b"\n") == 4
    assert frame("e1-1", "pop", b'{\n"a": 1\n}').count(b"\n") == 4
    assert hub.find("1001", "e1-2") is None
    assert hub.find("1002", event_id) is None
    assert hub.find("1001", "nonsense") is None
