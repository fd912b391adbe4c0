"""Where Asterisk's own queue events mislead, reproduced on a real one, and what the product makes of the same bytes.

The product's reading is `replay_bytes`: guard, decoder and reducer on exactly what Asterisk sent.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cti.ami import commands
from cti.ami.replay import replay_bytes
from cti.asterisk.lint import check
from cti.asterisk.provision import Installation
from cti.asterisk.settings import HOME
from cti.calls.model import CallRecord, Offer, OfferResult, Outcome
from tests.system.ami import Ami, Block
from tests.system.callers import Lines
from tests.system.conftest import QUICK, Pbx, exchange, exchange_settings
from tests.system.services import ScriptedService, Session, routes
from tests.system.sound import tone
from ticketing.errors import Invalid

pytestmark = pytest.mark.system

#: callers, and the queue the service sends each to
QUEUES = {"13800001101": "suggestion", "13800001102": "suggestion", "13800001103": "senior", "13800001104": "complaint"}
FIRST, SECOND, TO_NOBODY, TO_ALL = QUEUES


async def by_number(session: Session) -> None:
    """A service that knows one queue for each caller."""
    await routes(QUEUES[session.header["agi_callerid"]])(session)


def own_files(folder: Path) -> Path:
    """The shipped files with what the traps are about: a queue of one place, one that refuses, one that rings all."""
    conf = folder / "conf"
    shutil.copytree(HOME / "asterisk-conf", conf)
    queues = conf / "queues.conf"
    text = queues.read_text(encoding="utf-8")
    assert text.count("\nstrategy = rrmemory\n") == 1
    text = text.replace("\nstrategy = rrmemory\n", "\nstrategy = ringall\n")  # a queue's own would not win
    for queue, option in (("suggestion", "maxlen = 1"), ("senior", "joinempty = no")):
        assert f"\n[{queue}](hotline)\n" in text
        text = text.replace(f"\n[{queue}](hotline)\n", f"\n[{queue}](hotline)\n{option}\n")
    queues.write_text(text, encoding="utf-8")
    plan = conf / "extensions.conf"
    local = "\n[trap-phones]\nexten => _XXXX,1,Dial(PJSIP/${EXTEN})\nexten => away,1,Answer()\n same => n,Wait(60)\n"
    plan.write_text(plan.read_text(encoding="utf-8") + local, encoding="utf-8")
    return conf


@asynccontextmanager
async def trapped(
    installation: Installation, folder: Path, queue_seconds: int = 30
) -> AsyncIterator[tuple[Pbx, Lines, Ami]]:
    """An exchange with these files, its service, people, and everything its bridge account is sent."""
    async with (
        exchange(installation, conf_dir=own_files(folder), queue_seconds=queue_seconds) as pbx,
        Lines(pbx) as lines,
        ScriptedService(pbx.settings.agi_port, by_number),
        Ami(pbx) as ami,
    ):
        yield pbx, lines, ami


def records(pbx: Pbx, ami: Ami) -> dict[str, CallRecord]:
    """What the product makes of it, by caller."""
    return {record.ani: record for record in replay_bytes(ami.raw, pbx.secrets.token)}


def of(ami: Ami, name: str, number: str) -> list[Block]:
    """Events of this name about this caller."""
    return [block for block in ami.seen(name) if block.get("CallerIDNum") == number]


@pytest.mark.req("TL-12", "F25")
async def test_p13_p17_abandon_is_no_hang_up_and_a_refusal_is_no_event(
    tmp_path: Path, asterisk_installation: Installation
) -> None:
    """Out of time: QueueCallerAbandon, and the caller is still there. Full or empty: no queue event at all."""
    async with trapped(asterisk_installation, tmp_path, queue_seconds=3) as (pbx, lines, ami):
        first, second, third = [await lines.caller(number) for number in (FIRST, SECOND, TO_NOBODY)]
        await first.dial(QUICK)
        await ami.event("QueueCallerJoin", CallerIDNum=FIRST)
        await second.dial(QUICK)
        await third.dial(QUICK)
        gone = await ami.event("QueueCallerAbandon", CallerIDNum=FIRST)
        left = await ami.event("CtiQueueLeft", Uniqueid=gone["Uniqueid"])
        assert left["Status"] == "TIMEOUT"
        assert not of(ami, "Hangup", FIRST), "the caller is still there"
        so_far = records(pbx, ami)[FIRST]
        await first.hears("all-busy")
        for number, status in ((SECOND, "FULL"), (TO_NOBODY, "JOINEMPTY")):
            refused = await ami.event("CtiQueueLeft", CallerIDNum=number)
            assert refused["Status"] == status
            before = ami.blocks[: ami.blocks.index(refused)]
            about = {block.get("Event") for block in before if block.get("CallerIDNum") == number}
            assert not about & {"QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon"}, "the queue said nothing"
        for caller in (first, second, third):
            await caller.hang_up()
        await ami.events("CtiEnd", 3)
        read = records(pbx, ami)
    assert (so_far.ended_at, so_far.outcome, [stay.status for stay in so_far.stays]) == (None, None, ["TIMEOUT"])
    assert (read[TO_NOBODY].outcome, read[TO_NOBODY].refusal) == (Outcome.REFUSED, "empty")
    assert read[SECOND].refusal == "full" or read[SECOND].stays, "in his second round there may be room"


@pytest.mark.req("TL-11", "TL-32")
async def test_p14_p22_units_differ_and_all_phones_ring(tmp_path: Path, asterisk_installation: Installation) -> None:
    """Ring times are milliseconds in one event and whole seconds in the next; with ringall every phone is offered."""
    async with trapped(asterisk_installation, tmp_path) as (pbx, lines, ami):
        phones = {number: await lines.phone(number) for number in ("1001", "1002")}
        for number in phones:
            await pbx.add_member(number)
        caller = await lines.caller(TO_ALL)
        await caller.dial(QUICK)
        for phone in phones.values():
            await phone.rings()
        assert len(await ami.events("AgentCalled", 2)) == 2
        await phones["1001"].reject()
        rejected = await ami.event("AgentRingNoAnswer", MemberName="1001")
        await phones["1002"].answer()
        connected = await ami.event("AgentConnect")
        await caller.says(tone(600, 1.0))
        await phones["1002"].hang_up()
        await caller.ended()
        await ami.event("CtiEnd")
        (read,) = records(pbx, ami).values()
    called = {block["MemberName"]: float(block["Timestamp"]) for block in ami.seen("AgentCalled")}
    rang_s = float(rejected["Timestamp"]) - called["1001"]
    assert int(rejected["RingTime"]) == pytest.approx(rang_s * 1000, abs=300), "milliseconds"
    waited_s = float(connected["Timestamp"]) - float(ami.seen("QueueCallerJoin")[0]["Timestamp"])
    assert connected["HoldTime"].isdigit(), "whole seconds"
    assert abs(int(connected["HoldTime"]) - waited_s) <= 1.1
    assert abs(int(connected["RingTime"]) - (float(connected["Timestamp"]) - called["1002"])) <= 1.1
    offers: dict[str, Offer] = {offer.agent: offer for offer in read.offers}
    assert (offers["1001"].result, offers["1002"].result) == (OfferResult.MISSED, OfferResult.ANSWERED)
    assert offers["1001"].ring_ms == pytest.approx(rang_s * 1000, abs=2)
    assert read.joined_at is not None
    assert read.answered_at is not None
    assert (read.answered_at - read.joined_at).total_seconds() == pytest.approx(waited_s, abs=0.002)


@pytest.mark.req("TL-32")
async def test_p22_who_was_not_first_is_told_at_once(tmp_path: Path, asterisk_installation: Installation) -> None:
    """Two phones ring for one caller: the offer that was not taken is withdrawn, and is nobody's miss."""
    async with trapped(asterisk_installation, tmp_path) as (pbx, lines, ami):
        phones = {number: await lines.phone(number) for number in ("1001", "1002")}
        for number in phones:
            await pbx.add_member(number)
        caller = await lines.caller(TO_ALL)
        await caller.dial(QUICK)
        for phone in phones.values():
            await phone.rings()
        await phones["1002"].answer()
        await phones["1001"].ended()
        await caller.hang_up()
        await ami.event("CtiEnd")
        (read,) = records(pbx, ami).values()
    assert {offer.agent: offer.result for offer in read.offers} == {
        "1001": OfferResult.WITHDRAWN,
        "1002": OfferResult.ANSWERED,
    }


@pytest.mark.req("TL-30", "TL-44")
async def test_p9_p10_a_local_member_hides_phone_and_transfer(
    tmp_path: Path, asterisk_installation: Installation
) -> None:
    """`Local/…/n` as a member: the offer names half of the Local, and a transfer of the agent is no event of the queue.

    So the product knows plain PJSIP phones only: it cannot even ask for another member, and the check refuses a file.
    """
    async with trapped(asterisk_installation, tmp_path) as (pbx, lines, ami):
        phone = await lines.phone("1001")
        await pbx.cli("queue add member Local/1001@trap-phones/n to complaint penalty 0 as 1001")
        caller = await lines.caller(TO_ALL)
        await caller.dial(QUICK)
        await phone.rings()
        offer = await ami.event("AgentCalled")
        assert offer["DestChannel"].startswith("Local/1001@trap-phones")
        device = next(block for block in ami.seen("Newchannel") if block["Channel"].startswith("PJSIP/1001-"))
        assert offer["DestUniqueid"] != device["Uniqueid"]
        await phone.answer()
        await ami.event("AgentConnect")
        other_half = offer["DestChannel"][:-1] + "2"
        moved = await ami.ask("Redirect", Channel=other_half, Context="trap-phones", Exten="away", Priority="1")
        assert moved["Response"] == "Success"
        await phone.ended()
        assert not ami.seen("AgentComplete"), "for the queue the agent still talks"
        await caller.hang_up()
        assert (await ami.event("AgentComplete"))["Reason"] == "caller"
        conf = pbx.settings.conf_dir
    with pytest.raises(Invalid):
        commands.queue_add("complaint", "Local/1001@trap-phones/n", "1001")
    queues = conf / "queues.conf"
    queues.write_text(queues.read_text(encoding="utf-8") + "member => Local/1001@trap-phones/n\n", encoding="utf-8")
    found = check(exchange_settings(tmp_path / "run", conf_dir=conf))
    assert any("not a plain PJSIP phone" in problem.why for problem in found)
