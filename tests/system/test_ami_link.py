"""Our AMI link and a real Asterisk: accounts, filters, forgers, freezes and restarts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from cti.ami import commands
from cti.ami.frames import Frame
from cti.ami.guard import Guard, Why
from cti.ami.link import ActionRefused, Timing, Up, WrongSecret
from cti.asterisk.provision import Installation
from tests.ami.faults import faulty
from tests.ami.watching import CALM, QUICK, Watched, up
from tests.system.ami import Ami
from tests.system.callers import Lines
from tests.system.conftest import Pbx, exchange
from tests.system.raw_sip import RawCall

pytestmark = pytest.mark.system

#: what a caller can put, percent-encoded, before the @ of his address
FORGERIES = {
    "answer": "139\r\nEvent: OriginateResponse\r\nActionID: x\r\nResponse: Success",
    "second event": "139\r\nEvent: Shutdown",
    "whole block": "139\r\n\r\nEvent: QueueMemberPause\r\nQueue: complaint\r\nPaused: 1\r\n\r\nX: 1",
    "whole answer": "139\r\n\r\nResponse: Success\r\nActionID: x\r\nMessage: y",
    "other ids": "139\r\nUniqueid: 1.1\r\nLinkedid: 1.1",
    "empty lines": "139\r\n\r\n\r\n\r\n",
    "other line ends": "139\u2028\x0b\x0c\x85Event: Hangup",
    "bare carriage return": "139\rEvent: Hangup\r",
}


def link_to(pbx: Pbx, account: str = "bridge", timing: Timing = CALM, port: int | None = None) -> Watched:
    secret = pbx.secrets.ami_bridge if account == "bridge" else pbx.secrets.ami_dialler
    return Watched(
        port or pbx.settings.ami_port,
        secret=secret,
        username=account,
        timing=replace(timing, answer_s=5.0),
        reporting=account == "bridge",
    )


def named(watched: Watched, name: str) -> list[Frame]:
    frames = [Frame(raw) for raw in watched.frames]
    return [frame for frame in frames if name in (frame.event, frame.get("UserEvent"))]


async def test_both_accounts_log_in_and_the_bridge_knows_which_asterisk_it_is(pbx: Pbx) -> None:
    async with up(link_to(pbx)) as bridge, up(link_to(pbx, "dialler")) as dialler:
        (state,) = bridge.states
        assert isinstance(state, Up)
        assert int(state.core.version.split(".")[0]) >= 22
        assert datetime.strptime(state.core.started, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        assert dialler.ups == 1
        listed = await bridge.link.send(commands.queue_status())
        assert {"complaint", "senior"} <= {frame.get("Queue") for frame in listed if frame.event == "QueueParams"}
        assert (await bridge.link.send(commands.core_show_channels()))[-1].event == "CoreShowChannelsComplete"
        with pytest.raises(ActionRefused):
            await dialler.link.send(commands.core_show_channels())


async def test_members_are_added_paused_and_removed_and_their_events_are_believed(pbx: Pbx) -> None:
    guard = Guard(pbx.secrets.token)
    async with up(link_to(pbx)) as bridge:
        await bridge.link.send(commands.queue_add("complaint", "PJSIP/4001", "王芳", paused=True))
        await bridge.link.send(commands.queue_pause("PJSIP/4001", True, "培训", "complaint"))
        await bridge.link.send(commands.queue_remove("complaint", "PJSIP/4001"))
        with pytest.raises(ActionRefused, match=r"not in queue|Member not dynamic|Unable to remove|No such"):
            await bridge.link.send(commands.queue_remove("complaint", "PJSIP/4001"))
        await bridge.until(lambda: bool(named(bridge, "QueueMemberRemoved")))
        (added,) = named(bridge, "QueueMemberAdded")
        assert (added.get("MemberName"), added.get("Paused")) == ("王芳", "1")
        assert named(bridge, "QueueMemberPause")[-1].get("PausedReason") == "培训"
        assert all(guard.check(Frame(raw)).accept for raw in bridge.frames)


@pytest.mark.parametrize("account", ["bridge", "dialler"])
async def test_what_the_accounts_must_not_do_is_refused(pbx: Pbx, account: str) -> None:
    async with Ami(pbx, account) as ami:
        originate = {"Channel": "Local/1@cti-out", "Application": "System", "Data": "true", "Async": "true"}
        for action, headers in (
            ("Command", {"Command": "core show version"}),
            ("Originate", originate),
            ("Getvar", {"Variable": "SHELL(id)"}),
            ("GetConfig", {"Filename": "manager.conf"}),
            ("UpdateConfig", {"SrcFilename": "a.conf", "DstFilename": "b.conf"}),
            ("DBPut", {"Family": "a", "Key": "b", "Val": "c"}),
            ("ModuleLoad", {"LoadType": "reload"}),
            ("DialplanExtensionAdd", {"Context": "x", "Extension": "1", "Priority": "1", "Application": "NoOp"}),
        ):
            assert (await ami.ask(action, **headers))["Response"] == "Error", action


async def test_a_wrong_secret_is_one_clear_error(pbx: Pbx) -> None:
    watched = Watched(pbx.settings.ami_port, secret="wrong", timing=replace(CALM, answer_s=5.0))
    with pytest.raises(WrongSecret, match="does not accept the name or secret"):
        await watched.link.start()
    assert watched.link.figures.connections == 1


async def test_a_call_gives_only_the_events_that_were_asked_for(pbx: Pbx, lines: Lines) -> None:
    guard = Guard(pbx.secrets.token)
    async with up(link_to(pbx)) as bridge:
        caller = await lines.caller("13800001111")
        await caller.dial("1860")
        await bridge.until(lambda: bool(named(bridge, "CtiEntered")))
        await caller.hang_up()
        await bridge.until(lambda: bool(named(bridge, "Hangup")))
        frames = [Frame(raw) for raw in bridge.frames]
        assert not {"Newexten", "VarSet", "RTCPSent", "TestEvent", "Cdr"} & {frame.event for frame in frames}
        assert [frame.event for frame in frames if not guard.check(frame).accept] == []
        (entered,) = named(bridge, "CtiEntered")
        assert entered.call_id
        assert entered.at is not None


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
async def test_a_forger_moves_nothing_and_the_link_stays(pbx: Pbx, forgery: str) -> None:
    guard = Guard(pbx.secrets.token)
    async with up(link_to(pbx)) as bridge:
        call = await RawCall.invite(pbx.sip, from_user=quote(forgery, safe=""))
        try:
            await call.final()
            await bridge.until(lambda: bool(named(bridge, "Hangup")) or bool(named(bridge, "CtiRefused")))
        finally:
            call.close()
        await bridge.link.send(commands.ping())
        believed = [frame for frame in map(Frame, bridge.frames) if guard.check(frame).accept]
        assert not [frame for frame in believed if frame.event in {"QueueMemberPause", "OriginateResponse", "Shutdown"}]
        assert not [frame for frame in believed if frame.get("Uniqueid") == "1.1"]
        assert bridge.link.figures.connections == 1
        assert {why for why, _ in bridge.refused} <= {Why.FOREIGN_ANSWER, Why.NOT_AN_EVENT}


async def test_the_real_stream_survives_a_proxy_that_splits_and_cuts(pbx: Pbx) -> None:
    async with faulty(pbx.settings.ami_port) as proxy, up(link_to(pbx, port=proxy.port)) as bridge:
        proxy.portion = 7
        await bridge.link.send(commands.queue_status(), 10.0)
        proxy.portion = 0
        proxy.cut()
        await bridge.until(lambda: bridge.ups == 2)
        await bridge.link.send(commands.queue_status())
        first, second = [state.core.started for state in bridge.states if isinstance(state, Up)]
        assert first == second


async def test_a_frozen_and_a_restarted_asterisk_are_noticed(asterisk_installation: Installation) -> None:
    async with (
        exchange(asterisk_installation) as pbx,
        faulty(pbx.settings.ami_port) as proxy,
        up(link_to(pbx, timing=QUICK, port=proxy.port)) as bridge,
    ):
        proxy.swallow_down = True
        await bridge.until(lambda: len(bridge.downs) > 0)
        assert bridge.downs[0] == "no answer to 3 pings"
        proxy.swallow_down = False
        await bridge.until(lambda: bridge.ups == 2)
        await pbx.asterisk.stop()
        await bridge.until(lambda: len(bridge.downs) > 1)
        await pbx.asterisk.start()
        await bridge.until(lambda: bridge.ups == 3)
