"""The link stays up where it can, gives up where it must, and never repeats an action."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from cti.ami import commands
from cti.ami.guard import Why
from cti.ami.link import ActionIds, ActionRefused, AsteriskTooOld, Down, LinkDown, NoAnswer, Up, WrongSecret
from tests.ami.fake_server import FakeAmi, serving
from tests.ami.faults import faulty
from tests.ami.watching import QUICK, Watched, up

PAUSE = commands.queue_pause("PJSIP/1001", True, "training")
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
MEMBER = "Event: QueueMemberStatus\r\nQueue: complaint\r\nInterface: PJSIP/1001"


@pytest.fixture
async def server() -> AsyncIterator[FakeAmi]:
    async with serving(FakeAmi()) as fake:
        yield fake


async def test_comes_up_with_version_and_start_time(server: FakeAmi) -> None:
    async with up(Watched(server.port)) as watched:
        (state,) = watched.states
        assert isinstance(state, Up)
        assert (state.core.version, state.core.ami_version) == ("22.10.1~dfsg", "11.0.0")
        assert state.core.started == "2026-11-23 02:13:28"
    assert watched.states[-1] == Down("stopped")
    assert server.got("Logoff")


async def test_an_account_that_only_dials_is_not_asked_for_the_version(server: FakeAmi) -> None:
    async with up(Watched(server.port, reporting=False)):
        assert [action["Action"] for action in server.actions] == ["Login", "Ping"]


async def test_waits_for_an_asterisk_that_is_not_there_yet() -> None:
    server = FakeAmi()
    await server.start()
    await server.stop()
    watched = Watched(server.port)
    starting = asyncio.create_task(watched.link.start())
    await watched.until(lambda: len(watched.downs) > 0)
    assert not starting.done()
    async with serving(server):
        await starting
        assert watched.ups == 1
        await watched.link.stop()


async def test_a_wrong_secret_is_said_once_and_not_tried_again(server: FakeAmi) -> None:
    watched = Watched(server.port, secret="wrong")
    with pytest.raises(WrongSecret, match="does not accept the name or secret of the bridge account 'bridge'"):
        await watched.link.start()
    with pytest.raises(WrongSecret):
        await watched.link.wait()
    assert server.logins == 1
    assert len(watched.states) == 1


async def test_a_login_in_use_is_not_a_wrong_secret(server: FakeAmi) -> None:
    answers = iter(["Response: Error\r\nMessage: Login Already In Use"] * 3)
    accepted = "Response: Success\r\nMessage: Authentication accepted"
    server.answers["Login"] = lambda _: next(answers, accepted)
    async with up(Watched(server.port)) as watched:
        assert server.logins == 4
        assert watched.downs == ["login refused: Login Already In Use"]


@pytest.mark.parametrize("version", ["20.9.3", "16.28.0~dfsg-0+deb11u4", "certified/18.9-cert5", ""])
async def test_an_old_asterisk_is_refused(version: str) -> None:
    async with serving(FakeAmi(version)) as server:
        watched = Watched(server.port)
        with pytest.raises(AsteriskTooOld, match="22 or newer needed"):
            await watched.link.start()
        assert server.logins == 1


@pytest.mark.parametrize("version", ["22.0.0", "23.1.0", "GIT-master-1a2b3c", "certified-22.8-cert1"])
async def test_newer_asterisks_are_taken(version: str) -> None:
    async with serving(FakeAmi(version)) as server, up(Watched(server.port)) as watched:
        assert watched.ups == 1


async def test_a_single_answer_a_list_and_a_refusal(server: FakeAmi) -> None:
    server.answers["QueuePause"] = lambda _: "Response: Success\r\nMessage: Interface paused successfully"
    server.answers["QueueAdd"] = lambda _: "Response: Success\r\nMessage: Added interface to queue"
    server.answers["QueueStatus"] = lambda _: (
        "Response: Success\r\nEventList: start\r\nMessage: Queue status will follow\r\n\r\n"
        "Event: QueueParams\r\nQueue: complaint\r\n\r\n"
        "Event: QueueMember\r\nQueue: complaint\r\nLocation: PJSIP/1001\r\n\r\n"
        "Event: QueueStatusComplete\r\nEventList: Complete\r\nListItems: 2"
    )
    async with up(Watched(server.port)) as watched:
        (answer,) = await watched.link.send(PAUSE)
        assert answer.get("Message") == "Interface paused successfully"
        (added,) = await watched.link.send(commands.queue_add("complaint", "PJSIP/1001", "张三"))
        assert added.get("Message") == "Added interface to queue"
        assert server.got("QueueAdd")[0]["MemberName"] == "张三"
        with pytest.raises(ActionRefused, match="Permission denied"):
            await watched.link.send(commands.hangup("PJSIP/1001-00000001"))
        listed = await watched.link.send(commands.queue_status())
        assert [frame.event for frame in listed] == ["", "QueueParams", "QueueMember", "QueueStatusComplete"]


async def test_an_originate_is_whole_when_the_call_is_decided(server: FakeAmi) -> None:
    server.answers["Originate"] = lambda _: "Response: Success\r\nMessage: Originate successfully queued"
    async with up(Watched(server.port)) as watched:
        asking = asyncio.create_task(watched.link.send(DIAL))
        (sent,) = await server.heard("Originate")
        server.say(f"Event: OriginateResponse\r\nActionID: {sent['ActionID']}\r\nResponse: Failure\r\nReason: 0")
        answer = await asking
        assert [frame.event for frame in answer] == ["", "OriginateResponse"]
        assert answer[1].get("Reason") == "0"


async def test_nothing_is_sent_again_after_a_cut(server: FakeAmi) -> None:
    server.answers["Originate"] = server.answers["QueuePause"] = lambda _: None
    async with up(Watched(server.port)) as watched:
        asking = [asyncio.create_task(watched.link.send(command)) for command in (DIAL, PAUSE)]
        await server.heard("QueuePause")
        await server.heard("Originate")
        server.cut()
        for one in asking:
            with pytest.raises(LinkDown):
                await one
        with pytest.raises(LinkDown):
            await watched.link.send(PAUSE)
        await watched.until(lambda: watched.ups == 2)
        server.say("Event: FullyBooted\r\nStatus: Fully Booted", MEMBER)
        await watched.until(lambda: len(watched.frames) == 2)
    assert len(server.got("Originate")) == 1
    assert len(server.got("QueuePause")) == 1


async def test_an_answer_that_does_not_come_has_its_time(server: FakeAmi) -> None:
    server.answers["QueuePause"] = lambda _: None
    async with up(Watched(server.port)) as watched:
        with pytest.raises(NoAnswer):
            await watched.link.send(PAUSE, 0.01)
        (sent,) = server.got("QueuePause") or await server.heard("QueuePause")
        server.say(f"Response: Success\r\nActionID: {sent['ActionID']}", MEMBER)
        await watched.until(lambda: len(watched.frames) == 1)
        assert watched.link.figures.late == 1
        assert watched.refused == []


@pytest.mark.parametrize("way", ["swallow_up", "swallow_down"])
async def test_a_half_open_connection_is_found_and_replaced(server: FakeAmi, way: str) -> None:
    async with faulty(server.port) as proxy, up(Watched(proxy.port, timing=QUICK)) as watched:
        setattr(proxy, way, True)
        await watched.until(lambda: len(watched.downs) > 0)
        assert watched.downs[0] == "no answer to 3 pings"
        setattr(proxy, way, False)
        await watched.until(lambda: watched.ups == 2)


async def test_frames_survive_any_segments_and_chinese_names(server: FakeAmi) -> None:
    async with faulty(server.port) as proxy:
        proxy.portion = 1
        async with up(Watched(proxy.port)) as watched:
            server.say("Event: Newchannel\r\nCallerIDName: 投诉客户王小明")
            await watched.until(lambda: len(watched.frames) == 1)
            assert watched.frames == ["Event: Newchannel\r\nCallerIDName: 投诉客户王小明".encode()]


async def test_a_cut_at_every_block_of_the_login_is_survived(server: FakeAmi) -> None:
    async with faulty(server.port) as proxy, up(Watched(proxy.port)) as watched:
        for blocks in range(4):
            ups = watched.ups
            proxy.blocks, proxy.cut_after = 0, blocks
            proxy.cut() if blocks else server.cut()
            await watched.until(lambda seen=ups: watched.ups > seen)  # type: ignore[misc]
        assert watched.link.figures.faults == 0


async def test_forged_answers_are_reported_and_the_link_stays(server: FakeAmi) -> None:
    async with up(Watched(server.port)) as watched:
        server.say(
            "Event: OriginateResponse\r\nActionID: chosen\r\nResponse: Success\r\nChannel: x",
            "Event: Newchannel\r\nEvent: Shutdown\r\nX: 1",
            "Response: Success",
            b"\xff\xfe\x00garbage",
            MEMBER,
        )
        await watched.until(lambda: MEMBER.encode() in watched.frames)
        assert [why for why, _ in watched.refused] == [Why.FOREIGN_ANSWER, Why.FOREIGN_ANSWER]
        assert watched.ups == 1
        assert watched.link.figures.connections == 1


async def test_a_forged_block_cannot_answer_our_action(server: FakeAmi) -> None:
    server.answers["QueuePause"] = lambda _: None
    async with up(Watched(server.port)) as watched:
        asking = asyncio.create_task(watched.link.send(PAUSE))
        (sent,) = await server.heard("QueuePause")
        server.say(
            f"Response: Success\r\nActionID: guess\r\nActionID: {sent['ActionID']}",
            f"X: 1\r\nCommandID: guess\r\nActionID: {sent['ActionID']}",
            f"Response: Error\r\nActionID: {sent['ActionID']}\r\nMessage: Interface not found",
        )
        with pytest.raises(ActionRefused, match="Interface not found"):
            await asking
        assert [why for why, _ in watched.refused] == [Why.REPEATED_KEY, Why.NOT_AN_EVENT]


async def test_the_answer_to_another_link_of_ours_is_no_alarm(server: FakeAmi) -> None:
    ids = ActionIds()
    async with up(Watched(server.port, ids=ids)) as watched:
        server.say(f"Event: OriginateResponse\r\nActionID: {ids.new()}\r\nResponse: Success", MEMBER)
        await watched.until(lambda: len(watched.frames) == 1)
        assert watched.refused == []


async def test_a_receiver_that_raises_does_not_harm_the_link(server: FakeAmi) -> None:
    watched = Watched(server.port)
    seen = asyncio.Event()

    def broken(raw: bytes, _at: object) -> None:
        if b"last" in raw:
            seen.set()
        raise RuntimeError("a receiver's fault")

    watched.link._on_frame = broken
    async with up(watched):
        server.say(MEMBER, MEMBER, "Event: X\r\nY: last")
        await asyncio.wait_for(seen.wait(), 10)
        assert watched.link.figures.faults == 3
        assert watched.ups == 1


async def test_sending_before_the_start_is_refused() -> None:
    with pytest.raises(LinkDown):
        await Watched(1).link.send(PAUSE)


async def test_a_stop_in_the_middle_of_retrying_ends_at_once() -> None:
    server = FakeAmi()
    await server.start()
    await server.stop()
    watched = Watched(server.port)
    starting = asyncio.create_task(watched.link.start())
    await watched.until(lambda: len(watched.downs) > 0)
    await watched.link.stop()
    with pytest.raises(asyncio.CancelledError):
        await starting


async def test_a_restarted_asterisk_is_told_by_its_start_time(server: FakeAmi) -> None:
    async with up(Watched(server.port)) as watched:
        server.started = "03:00:00"
        server.cut()
        await watched.until(lambda: watched.ups == 2)
        first, second = [state.core.started for state in watched.states if isinstance(state, Up)]
        assert first != second


async def test_waiting_ends_with_the_stop_and_can_itself_be_cancelled(server: FakeAmi) -> None:
    async with up(Watched(server.port)) as watched:
        impatient = asyncio.create_task(watched.link.wait())
        patient = asyncio.create_task(watched.link.wait())
        await watched.link.send(commands.ping())
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        await watched.link.stop()
        await patient
