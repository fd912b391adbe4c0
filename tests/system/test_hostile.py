"""Callers who write attacks into everything SIP lets them write, while two honest people talk (S03, S04, S05, S10)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Dialog, expect

from cti.asterisk.provision import Installation
from tests.system import sound
from tests.system.browser import Desk, chromium
from tests.system.house import PASSWORD, House
from tests.system.raw_sip import RawCall
from tests.system.stage import Stage, draft_of, menus, short_folder, working
from ticketing.customers import store as customers
from ticketing.customers.model import CustomerNumber, NewCustomer

pytestmark = [
    pytest.mark.system,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("browser_program"),
]

SHOTS = Path(__file__).resolve().parents[2] / "artefacts"

#: a customer whose name is an attack on the page, in Chinese
XSS_NUMBER, XSS_NAME = "13700009999", "<script>alert('欧阳')</script>\"><img src=x onerror=alert(1)> 欧阳"

#: what is written, before it is encoded; `{file}` is a file that nobody may make
WORDS = [
    "139\r\nEvent: OriginateResponse\r\nResponse: Success\r\nActionID: x",
    "139\r\n\r\nEvent: Hangup\r\nUniqueid: 1.1\r\nCause: 16\r\n\r\n",
    "139\r\nEvent: UserEvent\r\nUserEvent: CtiEnd\r\nStep: talked",
    "139\nEvent: QueueMemberPause\nQueue: complaint\nInterface: PJSIP/1002\nPaused: 1",
    "139\r\nEvent: Shutdown\r\nShutdown: Cleanly",
    "139\nagi_arg_1: x\nagi_callerid: 10086\n\n",
    "139\rX",
    "139\tX",
    "139\x00X",
    "139\x1b[2JX",
    "139\x7fX",
    "139\u0085X",
    "139\u2028X",
    "139\ufeffX",
    "139%0d%0aX",
    "139%250d%250aX",
    "${SHELL(touch {file})}",
    "${SYSTEM(touch {file})}",
    "$[1+1]${CDR(src)}",
    "139&System(touch {file})",
    "139;touch {file};",
    "139|touch {file}|",
    "139`touch {file}`",
    "139$(touch {file})",
    '139"X',
    "139'X",
    "139\\X",
    "139,1,2",
    "139)X(",
    "' OR '1'='1",
    "139'; DROP TABLE call; --",
    '139") UNION SELECT hash FROM credential --',
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "{{7*7}}",
    "王芳的号码",
    "9" * 33,
    "9" * 4096,
    "王" * 1365,
]
#: how the words are written into an address
FORMS: list[Callable[[str], str]] = [
    lambda words: quote(words, safe=""),
    lambda words: quote(words, safe="'(),;:&=+$/?!*"),
    lambda words: "".join(f"%{byte:02x}" for byte in words.encode()),
]
#: headers that name somebody, with the attack as the name and as the number
HEADERS = [
    'P-Asserted-Identity: "{words}" <sip:{coded}@127.0.0.1>\r\n',
    'Remote-Party-ID: "{words}" <sip:{coded}@127.0.0.1>;party=calling;screen=yes\r\n',
    'Diversion: "{words}" <sip:{coded}@127.0.0.1>;reason=unconditional\r\n',
    'History-Info: "{words}" <sip:{coded}@127.0.0.1>;index=1\r\n',
    "Subject: {words}\r\nUser-Agent: {words}\r\n",
]
#: as many hostile calls at once
AT_ONCE = 24


def callers(file: Path) -> list[str]:
    """User parts of From: every word in every form, each once."""
    written = [words.replace("{file}", str(file)) for words in WORDS]
    return list(dict.fromkeys(form(words) for words in written for form in FORMS))


def in_other_places(file: Path) -> Iterator[dict[str, str]]:
    """The same words beside an honest number: as a display name, in headers that name somebody, as the line dialled."""
    for place, words in enumerate(words.replace("{file}", str(file)) for words in WORDS):
        coded = quote(words, safe="")
        # a line end that is not encoded would end the header: that is another message, not another name
        bare = words.replace("\r", " ").replace("\n", " ").replace('"', '\\"')
        header = HEADERS[place % len(HEADERS)].format(words=bare, coded=coded)
        yield {"from_user": "13900004444", "headers": header}
        yield {"from_user": "13900004444", "display": f'"{bare}" '}
        yield {"from_user": "13900004444", "dnis": coded}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(asterisk_installation: Installation) -> AsyncIterator[House]:
    """One house for the stories of this file."""
    with short_folder() as home:
        async with House(home / "var", ivr_data=menus(home, short=True)) as made:
            yield made


@pytest.mark.req("S03", "S04", "S05", "S09", "S10", "TL-72", "TL-30")
async def test_hostile_callers_change_nothing_of_a_call_that_goes_on(house: House, tmp_path: Path) -> None:
    """A customer named like a script talks to an agent while everything hostile is sent at the exchange."""
    file = tmp_path / "made"
    async with working(house) as stage, chromium() as browser:
        await _insert_customer(stage)
        watcher, seat = await stage.watch("3001"), await stage.seat("1002")
        page = await Watched.open(browser, house)
        caller = await stage.caller(XSS_NUMBER)
        await seat.phone.rings()
        pop = await seat.agent.event("pop")
        _only_text(pop)
        await page.shows_the_pop()
        await seat.phone.answer()
        draft = await draft_of(seat, pop["call_id"])
        assert draft["customer_name"] == draft["contact_name"] == XSS_NAME
        assert draft["contact_address"] == "<b>北京</b>"
        await seat.agent.state("talking")
        await page.shows_the_order()
        link = _connection(await house.cli("manager show connected"))
        before = await stage.books.call(call_id=pop["call_id"], fits=lambda call: call.answered_at is not None)
        seen = len(seat.agent.events)

        refused = await _all(stage, [{"from_user": user} for user in callers(file)], 1)
        assert refused.count(200) >= 60
        cleaned = await _all(stage, list(in_other_places(file)), 1 + refused.count(200))
        assert cleaned.count(200) >= 60

        assert await stage.books.call(call_id=pop["call_id"], fits=lambda call: True) == before
        assert _connection(await house.cli("manager show connected")) == link
        told = {kind for _, kind, data in seat.agent.events[seen:] if pop["call_id"] in str(data)}
        assert told <= {"agent"}
        assert (await seat.agent.get("/api/agent"))["state"] == "talking"
        assert watcher.saw("alert") == []
        assert not file.exists()
        assert not (house.settings.asterisk_run / file.name).exists()
        await seat.phone.says(sound.tone(700, 0.6))
        await caller.hears(sound.tone(700, 0.6))
        await seat.phone.hang_up()
        await _what_was_written(stage, pop["call_id"], refused, cleaned)
        await page.shows_the_list(draft["serial"])
        await page.executed_nothing()


class Watched:
    """The agent's page in a real browser, and whatever it should never do."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._dialogs: list[str] = []
        self._asked: list[str] = []
        desk.page.on("dialog", self._on_dialog)
        desk.page.on("request", lambda request: self._asked.append(request.url))

    async def _on_dialog(self, dialog: Dialog) -> None:
        self._dialogs.append(dialog.message)
        await dialog.dismiss()

    @classmethod
    async def open(cls, browser: Browser, house: House) -> Self:
        """Signed in as the agent whose desk phone rings."""
        watched = cls(await Desk.open(browser, house.origin, SHOTS))
        desk = watched._desk
        await desk.go("/login")
        await desk.fill("login-number", "1002")
        await desk.fill("login-password", PASSWORD)
        await desk.at("login-submit").click()
        await expect(desk.at("agent-state")).to_have_attribute("data-state", "ready", timeout=15_000)
        return watched

    async def shows_the_pop(self) -> None:
        """The name as it is written, to the letter."""
        await expect(self._desk.at("pop-name")).to_have_text(XSS_NAME, timeout=15_000)
        await expect(self._desk.at("customer-profile")).to_contain_text("</td><script>1</script>")
        await self._desk.shot("hostile-1-pop")

    async def shows_the_order(self) -> None:
        """In the fields of the form too."""
        await self._desk.at("order-form").wait_for(timeout=15_000)
        await expect(self._desk.at("input-contact_name")).to_have_value(XSS_NAME)
        await self._desk.shot("hostile-2-order")

    async def shows_the_list(self, serial: str) -> None:
        """And among other orders, and where one is read."""
        await self._desk.go("/orders")
        row = self._desk.page.locator(f"[data-testid=order-row][data-serial='{serial}']")
        await expect(row).to_contain_text(XSS_NAME, timeout=15_000)
        await self._desk.shot("hostile-3-list")

    async def executed_nothing(self) -> None:
        """No dialog, no script's fault, no element of the attack, no request for what it names."""
        assert self._dialogs == []
        assert self._desk.faults == []
        made = await self._desk.page.evaluate(
            "document.querySelectorAll('img[src=x], script:not([src]), #app u').length"
        )
        assert made == 0
        assert [url for url in self._asked if url.endswith("/x")] == []


async def _insert_customer(stage: Stage) -> None:
    new = NewCustomer(
        name=XSS_NAME,
        numbers=(CustomerNumber("+86" + XSS_NUMBER, "mobile", "<i>手机</i>"),),
        address="<b>北京</b>",
        profile={"<u>套餐": "</td><script>1</script>"},
    )
    async with stage.books.database.write() as conn:
        await customers.add(conn, new, stage.started)


def _only_text(pop: dict[str, Any]) -> None:
    """What was stored comes out as the same text, of the same type, in the JSON that the page puts into text nodes."""
    customer = pop["customer"]
    assert customer["name"] == XSS_NAME
    assert customer["profile"]["<u>套餐"] == "</td><script>1</script>"
    assert customer["numbers"][0]["service"] == "<i>手机</i>"


def _connection(printed: str) -> str:
    """The service's manager session as the exchange knows it: account, address, start, descriptor."""
    _head, session, count = printed.splitlines()
    assert count.startswith("1 users")
    name, address, start, _elapsed, descriptor, *_ = session.split()
    return f"{name} {address} {start} {descriptor}"


async def _all(stage: Stage, given: Sequence[dict[str, str]], written: int) -> list[int]:
    """Sends them all, some at a time, and ends those that were taken when their records are there (beside `written`).

    The final answers; 0 for what the exchange did not even understand.
    """
    answers: list[int] = []
    for start in range(0, len(given), AT_ONCE):
        calls = [await RawCall.invite(stage.house.sip, **each) for each in given[start : start + AT_ONCE]]
        said = await asyncio.gather(*(_final(call) for call in calls))
        answers += said
        await stage.books.day(stage.started, written + answers.count(200), open_ones=True)
        await asyncio.gather(*(call.hang_up() for call, status in zip(calls, said, strict=True) if status == 200))
        for call in calls:
            call.close()
    return answers


async def _final(call: RawCall) -> int:
    try:
        return await call.final(within_s=2)
    except TimeoutError:
        return 0


async def _what_was_written(stage: Stage, talk: str, refused: list[int], cleaned: list[int]) -> None:
    """Every hostile call that got an answer has one record, refused or clean; the refused ones are security events."""
    await stage.books.call(call_id=talk)
    taken = refused.count(200) + cleaned.count(200)
    day = await stage.books.day(stage.started, taken + 1, within_s=30)
    others = [call for call in day if call.call_id != talk]
    assert {call.outcome for call in others} <= {"refused", "served_by_ivr"}
    assert {each for call in others for each in call.ani + call.dnis} <= set("0123456789+*#")
    turned_away = [call for call in others if call.outcome == "refused"]
    assert len(turned_away) >= 60
    assert {call.refusal for call in turned_away} == {"caller_number"}
    # what stands before a ; is a number: the rest of such a user part is no part of it
    assert {call.ani for call in others if call.outcome != "refused"} <= {"13900004444", "139", ""}
    reasons = await stage.books.security(stage.started)
    assert reasons.count("caller_number") == len(turned_away)
    assert set(reasons) == {"caller_number"}  # nothing forged came as far as the link's own guard
    assert [call for call in others if call.offers or call.stays] == []
