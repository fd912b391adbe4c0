"""What callers and accounts cannot do to the exchange: forge events, reach a shell, dial out, swallow a phone."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from baresip import CallFailed, RegistrationError

from cti.asterisk.conf import folder_reader, read
from cti.asterisk.errors import AsteriskError
from cti.asterisk.phones import Phones
from cti.asterisk.provision import Installation
from cti.asterisk.render import EVENTS
from cti.asterisk.settings import Phone
from tests.system import services
from tests.system.ami import Ami
from tests.system.callers import Lines
from tests.system.conftest import QUICK, Pbx, exchange
from tests.system.raw_sip import RawCall
from tests.system.services import ScriptedService
from tests.system.sound import tone

pytestmark = pytest.mark.system

CONF = Path(__file__).resolve().parents[2] / "asterisk-conf"

#: what a hostile caller writes into the user part of From; %0d%0a arrives as a line end
HOSTILE = [
    "139%0d%0aEvent%3a%20OriginateResponse%0d%0aActionID%3a%20x%0d%0aResponse%3a%20Success",
    "139%0d%0a%0d%0aEvent%3a%20Hangup%0d%0aUniqueid%3a%201.1%0d%0aCause%3a%2016%0d%0a%0d%0a",
    "139%0aEvent%3a%20UserEvent%0aUserEvent%3a%20CtiEnd",
    "139%0dX",
    "139%c2%85X",
    "139%e2%80%a8X",
    "139%ff%feX",
    "%24%7bSHELL(id)%7d",
    "$%7bEVAL(x)%7d",
    "139)%22%26System(id)",
    "139%22;drop",
    "'%20OR%20'1'='1",
    "139%2c1%2c2",
    "139%26140",
    "%3cscript%3e",
    "139%7c140",
    "9" * 60 + "%0d%0a",
]

#: the same in other headers; the From is honest, so the call goes on and carries nothing of it
FORGED_HEADERS = [
    "Diversion: <sip:139%0d%0aEvent%3a%20Hangup@x>;reason=unconditional\r\n",
    'P-Asserted-Identity: "a%0d%0aEvent: Hangup" <sip:139%0d%0aEvent%3a%20Hangup@x>\r\n',
    "Remote-Party-ID: <sip:139%0d%0aEvent%3a%20Hangup@x>;party=calling\r\n",
]


@pytest.mark.req("S07")
async def test_hostile_caller_numbers_are_refused_and_nothing_of_them_is_passed_on(pbx: Pbx) -> None:
    async with Ami(pbx) as ami, ScriptedService(pbx.settings.agi_port, services.says_goodbye) as service:
        calls = [await RawCall.invite(pbx.sip, from_user=words, dnis=QUICK) for words in HOSTILE]
        assert [await call.final() for call in calls] == [200] * len(calls)
        await asyncio.gather(*(call.ended() for call in calls))
        for call in calls:
            call.close()
        hung_up = await ami.events("Hangup", len(calls))
        assert len({block["Uniqueid"] for block in hung_up}) == len(calls)
        refused, ended = ami.seen("CtiRefused"), ami.seen("CtiEnd")
        assert [block["Why"] for block in refused] == ["caller_number"] * len(calls)
        assert [block["Step"] for block in ended] == ["refused"] * len(calls)
        assert b"OriginateResponse" not in ami.raw
        assert b"Uniqueid: 1.1" not in ami.raw
        assert {block["CallerIDNum"] for block in ami.blocks if "CallerIDNum" in block} == {"<unknown>"}
        assert {block["CallerIDName"] for block in ami.blocks if "CallerIDName" in block} == {"<unknown>"}
        assert service.headers == []


@pytest.mark.req("S10")
@pytest.mark.parametrize("size", [4096, 6000])
@pytest.mark.parametrize(
    "form",
    [
        lambda size: {"display": '"' + "x" * size + '" '},
        lambda size: {"from_user": "9" * size},
        lambda size: {"headers": f"Subject: {'x' * size}\r\n"},
    ],
    ids=["name", "number", "subject"],
)
async def test_names_of_four_kilobytes_are_answered(pbx: Pbx, size: int, form: Callable[[int], dict[str, str]]) -> None:
    """Neither left without an answer nor any trouble: a call like every other."""
    async with Ami(pbx) as ami:
        call = await RawCall.invite(pbx.sip, **({"from_user": "13900004444"} | form(size)))
        try:
            assert await call.final() == 200
            await call.hang_up()
        finally:
            call.close()
        await ami.event("Hangup")  # the next test hears only its own


@pytest.mark.parametrize("header", FORGED_HEADERS)
async def test_other_headers_reach_neither_events_nor_the_service(pbx: Pbx, header: str) -> None:
    async with Ami(pbx) as ami, ScriptedService(pbx.settings.agi_port, services.says_goodbye) as service:
        call = await RawCall.invite(pbx.sip, from_user="13800001111", dnis=QUICK, headers=header)
        assert await call.final() == 200
        await call.ended()
        call.close()
        hung_up = await ami.event("Hangup")
        assert hung_up["CallerIDNum"] == "13800001111"
        assert len(ami.seen("Hangup")) == 1
    assert service.headers[0]["agi_callerid"] == "13800001111"
    assert service.headers[0]["agi_calleridname"] == "unknown"
    assert service.headers[0]["agi_rdnis"] == "unknown"


@pytest.mark.parametrize(
    "dnis", ["18%0d%0a60", "12", "1" * 16, "1860x", "%24%7bEXTEN%7d", "s", "cti-entry", "T", "h", "+1860"]
)
async def test_only_digits_can_be_dialled(pbx: Pbx, dnis: str) -> None:
    call = await RawCall.invite(pbx.sip, from_user="13800001111", dnis=dnis)
    assert await call.final() in (400, 404, 416, 484)
    call.close()


@pytest.mark.parametrize("number", ["anonymous", "Restricted", "unavailable", "alice", "9" * 33, "9" * 200])
async def test_a_withheld_number_is_served(pbx: Pbx, lines: Lines, number: str) -> None:
    async with Ami(pbx) as ami, ScriptedService(pbx.settings.agi_port, services.says_goodbye) as service:
        caller = await lines.caller(number)
        await caller.dial(QUICK)
        assert (await ami.event("CtiEntered"))["Ani"] == ""
        await caller.ended()
    assert service.headers[0]["agi_callerid"] == "unknown"


async def test_a_number_ends_where_its_text_ends(pbx: Pbx) -> None:
    async with Ami(pbx) as ami, ScriptedService(pbx.settings.agi_port, services.says_goodbye):
        call = await RawCall.invite(pbx.sip, from_user="139%00%0d%0aEvent%3a%20Hangup", dnis=QUICK)
        assert await call.final() == 200
        await call.ended()
        call.close()
        assert (await ami.event("CtiEntered"))["Ani"] == "139"
        await ami.event("CtiEnd")
        await ami.event("Hangup")
        assert len(ami.seen("Hangup")) == 1


@pytest.mark.req("TL-62", "S01")
async def test_the_accounts_can_do_what_they_must_and_no_more(pbx: Pbx) -> None:
    async with Ami(pbx, "bridge") as bridge, Ami(pbx, "dialler") as dialler:
        for action in ("CoreStatus", "QueueStatus", "Ping", "CoreShowChannels"):
            assert (await bridge.ask(action))["Response"] == "Success"
        refused = [
            await bridge.ask("Command", Command="core show version"),
            await bridge.ask("Originate", Channel="Local/1@cti-out", Application="Wait", Data="1"),
            await bridge.ask("GetConfig", Filename="manager.conf"),
            await bridge.ask("UpdateConfig", SrcFilename="extensions.conf", DstFilename="extensions.conf"),
            await bridge.ask("ModuleLoad", LoadType="reload"),
            await bridge.ask("DialplanExtensionAdd", Context="agents", Extension="1", Priority="1", Application="Echo"),
            await bridge.ask("DBPut", Family="a", Key="b", Val="c"),
            await bridge.ask("AGI", Channel="x", Command="EXEC Echo"),
            await dialler.ask("Command", Command="core show version"),
            await dialler.ask("CoreShowChannels"),
            await dialler.ask("QueueAdd", Queue="complaint", Interface="PJSIP/1001"),
            await dialler.ask("Originate", Channel="Local/1@cti-out", Application="System", Data="id"),
        ]
        assert {answer["Response"] for answer in refused} == {"Error"}


async def test_the_event_filters_hold(pbx: Pbx, lines: Lines) -> None:
    async with Ami(pbx) as ami, Ami(pbx, "dialler") as dialler:
        caller = await lines.caller()
        await caller.dial(QUICK)
        await ami.event("QueueCallerJoin")
        await caller.hang_up()
        await ami.event("CtiEnd")
        assert {block["Event"] for block in ami.blocks if "Event" in block} <= set(EVENTS["bridge"])
        assert {block["Event"] for block in dialler.blocks if "Event" in block} <= set(EVENTS["dialler"])


@pytest.mark.req("S30")
async def test_nothing_is_loaded_that_is_not_listed(pbx: Pbx) -> None:
    conf = read("modules.conf", folder_reader(pbx.settings.conf_dir))
    listed = {entry.value for entry in conf.sections[0].entries if entry.key == "load"}
    table = (await pbx.cli("module show")).splitlines()
    loaded = {line.split()[0] for line in table if line.split() and line.split()[0].endswith(".so")}
    assert loaded == listed
    assert not [line for line in table if ".so" in line and "Not Running" in line]


async def test_the_log_of_a_start_holds_no_error(asterisk_installation: Installation, tmp_path: Path) -> None:
    """Nor a warning: they are asked for here."""
    conf = tmp_path / "conf"
    shutil.copytree(CONF, conf)
    logger = (conf / "logger.conf").read_text(encoding="utf-8")
    assert "messages.log => error\n" in logger
    wider = logger.replace("messages.log => error\n", "messages.log => warning,error\n")
    (conf / "logger.conf").write_text(wider, encoding="utf-8")
    async with exchange(asterisk_installation, conf_dir=conf) as fresh:
        log = (fresh.folder.log / "messages.log").read_text(encoding="utf-8", errors="replace")
    assert not [line for line in log.splitlines() if "ERROR" in line or "WARNING" in line]


@pytest.mark.req("S25")
async def test_the_log_names_nobody_and_no_secret(asterisk_installation: Installation) -> None:
    """Of a caller whose name is no text and whom the menus' service, which is away, cannot serve; of an agent who
    dials where he may not; of a stranger who registers."""
    async with exchange(asterisk_installation) as fresh, Lines(fresh) as people, Ami(fresh) as ami:
        call = await RawCall.invite(fresh.sip, from_user="13800001111", dnis=QUICK, display='"\udcff" ')
        assert await call.final() == 200
        phone = await people.phone("1001")
        with pytest.raises(CallFailed):
            await phone.dial("13700003333")
        with pytest.raises(RegistrationError):
            await people.phone("13600004444", secret="guess")
        await ami.event("CtiRescue")
        await call.hang_up()
        call.close()
        written = "".join(file.read_text(encoding="utf-8") for file in fresh.folder.log.glob("messages.log*"))
        secrets = (fresh.secrets.agi, fresh.secrets.token, fresh.secrets.ami_bridge)
    hidden = ("13800001111", "13700003333", "13600004444", *secrets)
    assert not [each for each in hidden if each in written]


@pytest.mark.parametrize("number", ["1860", "13800001111", "0013125551234", "1002", "s"])
async def test_an_agents_phone_calls_nobody(pbx: Pbx, lines: Lines, number: str) -> None:
    phone = await lines.phone("1001")
    with pytest.raises(CallFailed) as refused:
        await phone.dial(number)
    assert refused.value.status == 404


async def test_an_agent_hears_his_own_headset(pbx: Pbx, lines: Lines) -> None:
    phone = await lines.phone("1001")
    await phone.dial("*43")
    await phone.hears("beep")
    await phone.says(tone(600, 0.6))
    await phone.hears(tone(600, 0.6))
    await phone.hang_up()


async def test_a_phone_beside_the_trunk_needs_its_secret(pbx: Pbx, lines: Lines) -> None:
    with pytest.raises(RegistrationError) as refused:
        await lines.phone("1001", secret="guess")
    assert refused.value.status in (401, 403)


async def test_a_new_secret_is_taken_at_once_and_drops_no_call(pbx: Pbx, lines: Lines) -> None:
    phone = await lines.phone("1002")
    await pbx.add_member("1002")
    caller = await lines.caller()
    await caller.dial(QUICK)
    await phone.rings(within_s=20)
    await phone.answer()
    old = pbx.phone_secret("1001")
    phones = Phones(pbx.asterisk)
    started = time.monotonic()
    new = await phones.rotate("1001")
    took = time.monotonic() - started
    assert new != old
    await lines.phone("1001", secret=new)
    with pytest.raises(RegistrationError):
        await lines.phone("1001", secret=old)
    await asyncio.gather(*(phones.rotate("2001") for _ in range(5)))
    await lines.phone("2001")
    await caller.says(tone(800, 1.0))
    await phone.hears(tone(800, 1.0))
    await phone.hang_up()
    await caller.ended()
    assert took < 2.0


async def test_a_new_colleagues_phone_is_known_without_a_restart(pbx: Pbx, lines: Lines) -> None:
    phones = Phones(pbx.asterisk)
    await phones.become(Phone(number="7777", kind="desk"))
    await lines.phone("7777")
    await lines.phone("7778", secret=await phones.rotate("7778"))
    await lines.phone("1001")
    for number in ("77", "7777\n[x]", "", "trunk"):
        with pytest.raises(AsteriskError, match="cannot be a phone's number"):
            await phones.rotate(number)


@pytest.mark.req("S24")
async def test_the_secret_of_a_browser_phone_ends_and_a_desk_phones_stays(pbx: Pbx, lines: Lines) -> None:
    phones = Phones(pbx.asterisk)
    await phones.become(Phone(number="7777", kind="browser"))
    kept, ended = pbx.phone_secret("1001"), pbx.phone_secret("7777")
    for number in ("1001", "7777", "7779"):
        await phones.expire(number)
    await lines.phone("1001", secret=kept)
    with pytest.raises(RegistrationError):
        await lines.phone("7777", secret=ended)
    assert not (pbx.asterisk.folder.secrets.folder / "phone-7779").exists()


async def test_a_reload_of_everything_keeps_calls_members_and_registrations(pbx: Pbx, lines: Lines) -> None:
    phone = await lines.phone("1002")
    await pbx.add_member("1002")
    async with Ami(pbx) as ami:
        caller = await lines.caller()
        await caller.dial(QUICK)
        await ami.event("QueueCallerJoin")
        await pbx.cli("core reload")
        await phone.rings()
        await pbx.cli("core reload")
        await phone.answer()
        await ami.event("AgentConnect")
        await phone.hang_up()
        await caller.ended()
        assert "PJSIP/1002" in await pbx.cli("queue show complaint")
