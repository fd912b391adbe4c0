"""One call through the bare exchange: notice, menu or rescue, queue, agent, both voice files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cti.asterisk.provision import Installation
from ivr.variables import CALL_ID_PATTERN
from tests.system import services, sound
from tests.system.ami import Ami
from tests.system.callers import Lines, NotRung
from tests.system.conftest import QUICK, Pbx, exchange
from tests.system.services import ScriptedService
from tests.system.sound import tone

pytestmark = pytest.mark.system


def duration_of(prompt: str, pbx: Pbx, language: str = "zh") -> float:
    return len(sound.load(pbx.prompts / language / f"{prompt}.wav")) / sound.RATE


async def voice_files(pbx: Pbx, ami: Ami) -> tuple[Path, Path, Path]:
    """The three files of the call that ended last; its marker comes after Asterisk has closed the other two."""
    await ami.event("CtiEnd")
    call_id = re.findall(rb"ChanVariable: CTI_CALL_ID=([0-9-]+)", ami.raw)[-1].decode()
    assert re.match(CALL_ID_PATTERN, call_id)
    await pbx.file(pbx.folder.voice / f"{call_id}.done")
    return tuple(pbx.folder.voice / f"{call_id}{end}" for end in ("-in.wav", "-out.wav", ".done"))  # type: ignore[return-value]


@pytest.mark.req("TL-50")
async def test_without_a_service_the_caller_reaches_a_person_and_is_recorded(pbx: Pbx, lines: Lines) -> None:
    phone = await lines.phone("1002")
    await pbx.add_member("1002")
    async with Ami(pbx) as ami:
        caller = await lines.caller("13800001111")
        await caller.dial("1860")
        notice = await caller.hears("notice")
        rescue = await caller.hears("technical-hold")
        assert rescue.at_s - (notice.at_s + duration_of("notice", pbx)) < 3.0
        await phone.rings()
        await phone.answer()
        await caller.says(tone(700, 1.0))
        await phone.hears(tone(700, 1.0))
        await phone.says(tone(1100, 1.0))
        await caller.hears(tone(1100, 1.0))
        await phone.hang_up()
        await caller.ended()
        assert (await ami.event("CtiRescue"))["Why"] == "no_service"
        assert (await ami.event("CtiQueueLeft"))["Status"] == "CONTINUE"
        assert (await ami.event("CtiEnd"))["Step"] == "talked"
        heard, told, _ = await voice_files(pbx, ami)
    callers, agents = sound.load(heard), sound.load(told)
    assert abs(len(callers) - len(agents)) < sound.RATE / 2
    assert sound.find(callers, tone(700, 0.5)) is not None
    assert sound.find(agents, tone(1100, 0.5)) is not None
    assert sound.find(callers, tone(1100, 0.5)) is None
    assert sound.find(agents, sound.snippet(sound.load(pbx.prompts / "zh/notice.wav"))[0]) is None


async def test_the_service_decides_and_is_believed_by_its_last_word(pbx: Pbx, lines: Lines) -> None:
    phone = await lines.phone("2001")
    await pbx.add_member("2001", "senior")
    async with Ami(pbx) as ami, ScriptedService(pbx.settings.agi_port, services.routes("senior", lang="en")) as service:
        caller = await lines.caller("02088887777")
        await caller.dial("1861")
        await caller.hears("notice", language="en")
        await phone.rings()
        await phone.answer()
        await caller.hang_up()
        await phone.ended()
        end = await ami.event("CtiEnd")
        entered = await ami.event("CtiEntered")
        assert (entered["Dnis"], entered["Ani"], entered["Lang"]) == ("1861", "02088887777", "en")
        assert (await ami.event("QueueCallerJoin"))["Queue"] == "senior"
        assert end["Language"] == "en"
        assert not ami.seen("CtiRescue")
    assert service.headers[0]["agi_callerid"] == "02088887777"
    assert service.headers[0]["agi_request"].endswith(f"/{pbx.secrets.agi}/entry")


@pytest.mark.parametrize("talk", [services.breaks_off, services.falls_silent, services.talks_nonsense])
async def test_a_service_that_fails_after_it_answered_costs_the_caller_three_seconds(
    pbx: Pbx, lines: Lines, talk: services.Talk
) -> None:
    async with Ami(pbx) as ami, ScriptedService(pbx.settings.agi_port, talk):
        caller = await lines.caller()
        await caller.dial(QUICK)
        notice = await caller.hears("please-hold")
        rescue = await caller.hears("technical-hold")
        assert rescue.at_s - (notice.at_s + duration_of("please-hold", pbx)) < 3.0
        joined = await ami.event("QueueCallerJoin")
        assert joined["Queue"] == pbx.settings.rescue_queue
        await caller.hang_up()
        await ami.event("QueueCallerAbandon")
        assert (await ami.event("CtiEnd"))["Step"] == "queue"


async def test_an_unknown_queue_is_a_rescue(pbx: Pbx, lines: Lines) -> None:
    async with Ami(pbx) as ami, ScriptedService(pbx.settings.agi_port, services.routes("nowhere")):
        caller = await lines.caller()
        await caller.dial(QUICK)
        await caller.hears("technical-hold")
        assert (await ami.event("CtiQueueLeft"))["Status"] == "UNKNOWN"
        assert (await ami.event("QueueCallerJoin"))["Queue"] == "complaint"
        await caller.hang_up()


@pytest.mark.req("TL-11")
async def test_an_offer_nobody_takes_goes_to_the_next_agent_after_eight_seconds(pbx: Pbx, lines: Lines) -> None:
    phones = {number: await lines.phone(number) for number in ("1001", "1002")}
    for number in phones:
        await pbx.add_member(number)
    async with Ami(pbx) as ami, ScriptedService(pbx.settings.agi_port, services.routes("complaint")):
        caller = await lines.caller()
        await caller.dial(QUICK)
        first = (await ami.event("AgentCalled"))["MemberName"]
        second = next(number for number in phones if number != first)
        await phones[first].rings()
        missed = await ami.event("AgentRingNoAnswer", MemberName=first)
        assert 7500 <= int(missed["RingTime"]) <= 9000
        await phones[first].ended()
        await phones[second].rings()
        await phones[second].answer()
        connected = await ami.event("AgentConnect", MemberName=second)
        joined = await ami.event("QueueCallerJoin")
        assert float(connected["Timestamp"]) - float(joined["Timestamp"]) < 15
        await phones[second].hang_up()


async def test_nobody_answers_at_all(asterisk_installation: Installation) -> None:
    async with (
        exchange(asterisk_installation, queue_seconds=3) as pbx,
        Lines(pbx) as lines,
        ScriptedService(pbx.settings.agi_port, services.routes("suggestion")),
        Ami(pbx) as ami,
    ):
        caller = await lines.caller()
        await caller.dial(QUICK)
        await caller.hears("all-busy")
        await caller.hears("all-busy")
        await caller.hears("record-intro", within_s=20)
        await caller.hang_up()
        assert (await ami.event("CtiEnd"))["Step"] == "leave", "he could leave a message (TL-24)"
        assert [block["Status"] for block in ami.seen("CtiQueueLeft")] == ["TIMEOUT", "TIMEOUT"]


async def test_an_agent_who_is_talking_is_not_rung(pbx: Pbx, lines: Lines) -> None:
    phone = await lines.phone("1002")
    await pbx.add_member("1002")
    await pbx.add_member("1002", "senior")
    async with ScriptedService(pbx.settings.agi_port, services.routes("complaint")):
        first = await lines.caller("13800001111")
        await first.dial(QUICK)
        await phone.rings()
        await phone.answer()
    async with ScriptedService(pbx.settings.agi_port, services.routes("senior")), Ami(pbx) as ami:
        second = await lines.caller("13800002222")
        await second.dial(QUICK)
        await ami.event("QueueCallerJoin", Queue="senior")
        with pytest.raises(NotRung):
            await phone.rings(within_s=3)
        await first.hang_up()
        await phone.rings()
        await second.hang_up()
