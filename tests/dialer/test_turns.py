"""Who is about to be set ready is asked for first; a callback that is first in the line keeps him (TL-23, P36)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cti.ami.commands import Command
from cti.ami.frames import Frame
from cti.ami.link import Up
from cti.calls import events as ev
from cti.calls.model import Floor, FloorSettings
from cti.calls.reducer import reduce
from cti.switchboard import Switchboard
from cti.turns import Tools, Turns
from tests.orders.desk import Desk
from ticketing.callbacks import actions, dialling, reading
from ticketing.callbacks.model import Again, Mode, NewBooking
from ticketing.callbacks.policy import Policy, shipped
from ticketing.callbacks.reading import Candidate
from ticketing.db import Database
from ticketing.errors import Unavailable
from ticketing.roles import SYSTEM
from ticketing.staff import agents
from ticketing.staff.model import PhoneKind


@pytest.fixture
async def desk(database: Database, now: datetime) -> Desk:
    return await Desk.open(database, now)


class Queues:
    """The exchange's queues as the bridge's link shows them: up, and obeying."""

    def __init__(self) -> None:
        self.state = object.__new__(Up)
        self.asked: list[tuple[str, str, str]] = []

    async def send(self, command: Command, timeout_s: float | None = None) -> list[Frame]:
        fields = {key: str(value) for key, value in command.fields}
        self.asked.append((command.name, fields["Interface"], fields.get("Paused", "")))
        return []

    def told(self) -> list[tuple[str, str, str]]:
        """What was asked since the last time."""
        told, self.asked = self.asked, []
        return told


@dataclass
class Centre:
    """A floor with agents on it, bookings in the database, and a dialler that writes down what it begins."""

    desk: Desk
    policy: Policy
    floor: Floor
    queues: Queues = field(default_factory=Queues)
    #: agent and number of each callback begun
    begun: list[tuple[str, str]] = field(default_factory=list)
    #: customers called first
    called: list[str] = field(default_factory=list)
    #: agents with whom none can begin
    lost: set[str] = field(default_factory=set)
    acting: bool = True

    def __post_init__(self) -> None:
        self.now = self.desk.now
        self.board = Switchboard(self.queues, self.floor)  # type: ignore[arg-type]
        parts: dict[str, Any] = {
            "database": self.desk.database, "floor": self.floor, "bridge": self.queues, "switchboard": self.board,
            "policy": self.policy, "clock": lambda: self.now, "put_event": lambda event: None, "reduced": _at_once,
            "announce": _at_once, "may_act": lambda: self.acting, "holder": "d0", "token": "t", "caller_id": "1860",
            "ends": _none_told,
        }  # fmt: skip
        self.turns = Turns(Tools(**parts), self._begin, self._call_first, lambda: True)
        self.board.before_ready = self.turns.before_ready

    async def _begin(self, candidate: Candidate, agent: str) -> bool | None:
        if agent in self.lost:
            await self.turns.let_go(agent)
            return False
        async with self.desk.database.write() as conn:
            claim = await dialling.claim(conn, candidate.callback_id, "d0", self.policy, self.now)
            if claim is None:
                return None
            await dialling.reserve(conn, claim, agent, self.now)
        self.begun.append((agent, candidate.place.key))
        return True

    async def _call_first(self, candidate: Candidate) -> None:
        self.called.append(candidate.place.key)
        async with self.desk.database.write() as conn:
            await dialling.claim(conn, candidate.callback_id, "d0", self.policy, self.now)

    async def book(self, number: str, minutes_ago: int, priority: int = 0) -> str:
        since = self.now - timedelta(minutes=minutes_ago)
        given = NewBooking(number, "complaint", "asap", "zh", priority, since, call_id=f"c{number}", dnis="1860")
        async with self.desk.database.write() as conn:
            change = await actions.book(conn, SYSTEM, given, self.policy, self.now)
        return str(change.payload["serial"])

    def waits(self, call: int, minutes_ago: int, queue: str = "complaint") -> None:
        call_id, at = f"2026031001000{call}-000000000001", self.now - timedelta(minutes=minutes_ago)
        reduce(self.floor, ev.CallerJoined(at=at, call_id=call_id, queue=queue, uniqueid=f"1.{call}"))

    def seat(self, agent: str, *queues: str, paused: bool = True, status: int = 1, reason: str = "wrap_up") -> None:
        for queue in queues or ("complaint",):
            reduce(self.floor, ev.MemberChanged(at=self.now, queue=queue, interface=f"PJSIP/{agent}", paused=paused,
                                                status=status, reason=reason, penalty=0))  # fmt: skip

    def rings(self, agent: str, call: int) -> None:
        call_id, interface = f"2026031001000{call}-000000000001", f"PJSIP/{agent}"
        at = self.now + timedelta(seconds=1)
        reduce(self.floor, ev.AgentOffered(at=at, call_id=call_id, queue="complaint", interface=interface, agent=agent))

    def talks(self, agent: str, call: int) -> None:
        call_id, interface = f"2026031001000{call}-000000000001", f"PJSIP/{agent}"
        at = self.now + timedelta(seconds=2)
        reduce(
            self.floor, ev.AgentAnswered(at=at, call_id=call_id, queue="complaint", interface=interface, agent=agent)
        )


async def _away(*_: object) -> None:
    raise Unavailable("database_busy", "the database is away")


async def _at_once(*_: object) -> None:
    return


async def _none_told() -> dict[str, str]:
    return {}


@pytest.fixture
def centre(desk: Desk) -> Centre:
    return Centre(desk, shipped(), Floor())


@pytest.mark.req("TL-23")
async def test_a_booking_that_joined_before_the_caller_keeps_the_agent(centre: Centre) -> None:
    centre.seat("1002")
    serial = await centre.book("13800138000", 10)
    centre.waits(1, 5)
    await centre.board.ready("1002")
    assert centre.begun == [("1002", serial)]
    assert centre.queues.told() == []  # he is not set ready for a millisecond
    await centre.board.ready("1002")  # he presses the button while he is kept
    assert centre.queues.told() == []


@pytest.mark.req("TL-23")
async def test_a_caller_who_joined_before_the_booking_gets_the_agent(centre: Centre) -> None:
    centre.seat("1002")
    await centre.book("13800138000", 5)
    centre.waits(1, 10)
    await centre.board.ready("1002")
    assert (centre.begun, centre.queues.told()) == ([], [("QueuePause", "PJSIP/1002", "false")])


@pytest.mark.req("TL-23")
async def test_the_next_agent_is_the_booking_s_whether_the_first_one_rings_yet_or_not(centre: Centre) -> None:
    centre.seat("1002")
    centre.seat("1001")
    serial = await centre.book("13800138000", 5)
    centre.waits(1, 10)
    centre.waits(2, 1)
    await centre.board.ready("1002")  # the caller's; the floor has not heard of it
    assert centre.begun == []
    await centre.board.ready("1001")
    assert centre.begun == [("1001", serial)]


@pytest.mark.req("TL-23")
async def test_a_caller_whose_agent_s_phone_rings_is_not_ahead_any_more(centre: Centre) -> None:
    centre.seat("1002", paused=False)
    centre.seat("1001")
    serial = await centre.book("13800138000", 5)
    centre.waits(1, 10)
    centre.rings("1002", 1)
    await centre.board.ready("1001")
    assert centre.begun == [("1001", serial)]


@pytest.mark.req("TL-23")
async def test_a_caller_of_another_queue_who_came_earlier_goes_first(centre: Centre) -> None:
    centre.seat("2001", "complaint", "senior")
    centre.waits(1, 10, queue="senior")
    await centre.book("13800138000", 5)
    await centre.board.ready("2001")
    assert centre.begun == []


@pytest.mark.req("TL-22")
async def test_who_took_over_the_place_of_his_callback_stands_there(centre: Centre) -> None:
    centre.seat("1002")
    await centre.book("13900139000", 20)
    await centre.book("13800138000", 10)
    centre.waits(1, 1)
    async with centre.desk.database.write() as conn:
        mine = await reading.open_of(conn, "13900139000", centre.policy, centre.now)
        assert mine is not None
        call_id = "20260310010001-000000000001"
        await actions.again(conn, SYSTEM, mine.id, Again.TAKE_OVER, centre.now, call_id=call_id)
    await centre.board.ready("1002")
    assert centre.begun == []


@pytest.mark.req("TL-23")
async def test_who_cannot_be_called_with_is_set_ready_and_the_next_one_tried(centre: Centre) -> None:
    centre.seat("1002", paused=False)
    centre.seat("1001")
    serial = await centre.book("13800138000", 5)
    centre.lost = {"1002"}
    await centre.board.ready("1001")
    assert centre.begun == [("1001", serial)]


@pytest.mark.req("TL-23")
@pytest.mark.parametrize("fault", ["standby", "night", "database"])
async def test_nobody_is_kept_by_a_fault(centre: Centre, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    centre.seat("1002")
    await centre.book("13800138000", 5)
    if fault == "standby":
        centre.acting = False
    elif fault == "night":
        centre.now = centre.now.replace(hour=16)  # midnight in Beijing
    else:
        monkeypatch.setattr(reading, "line", _away)
    await centre.board.ready("1002")
    assert (centre.begun, centre.queues.told()) == ([], [("QueuePause", "PJSIP/1002", "false")])


@pytest.mark.req("TL-23", "TL-40")
async def test_an_agent_who_signs_in_comes_in_paused_and_waits_for_his_phone(centre: Centre) -> None:
    serial = await centre.book("13800138000", 5)
    async with centre.desk.database.write() as conn:
        await agents.sign_in(conn, centre.desk["1002"], PhoneKind.BROWSER, centre.now)
        wanted = [each for each in await reading.memberships(conn) if each.number == "1002"]
    centre.seat("1002", status=5, reason="callback")  # his browser is not registered yet
    await centre.board.sign_in(wanted)
    assert {paused for name, _, paused in centre.queues.told() if name == "QueueAdd"} == {"true"}
    assert centre.begun == []
    centre.now += timedelta(seconds=1)
    centre.seat("1002", status=1, reason="callback")
    await centre.turns.look()
    assert centre.begun == [("1002", serial)]
    assert ("QueuePause", "PJSIP/1002", "false") not in centre.queues.told()


@pytest.mark.req("TL-23")
async def test_without_a_wrap_up_a_talking_agent_is_kept_from_the_exchange_before_his_talk_ends(desk: Desk) -> None:
    centre = Centre(desk, shipped(), Floor(settings=FloorSettings(wrap_up_s=0)))
    centre.seat("1002", paused=False)
    centre.waits(1, 1)
    centre.talks("1002", 1)
    async with desk.database.write() as conn:
        await agents.sign_in(conn, desk["1002"], PhoneKind.DESK, centre.now)
    await centre.turns.look()
    assert centre.queues.told() == []  # nobody waits
    serial = await centre.book("13800138000", 5)
    await centre.turns.look()
    assert centre.queues.told() == [("QueuePause", "PJSIP/1002", "true")]
    await centre.turns.look()
    assert (centre.begun, centre.queues.told()) == ([], [])
    centre.waits(2, 9)  # somebody who joined earlier comes back into the line
    await centre.turns.look()
    assert ("QueuePause", "PJSIP/1002", "false") in centre.queues.told()
    assert (centre.begun, serial != "") == ([], True)


@pytest.mark.req("TL-40", "TL-23")
async def test_a_kept_agent_is_wanted_as_a_paused_member(centre: Centre) -> None:
    centre.seat("1002", paused=False)
    async with centre.desk.database.write() as conn:
        await agents.sign_in(conn, centre.desk["1002"], PhoneKind.DESK, centre.now)
        await agents.sign_in(conn, centre.desk["1001"], PhoneKind.DESK, centre.now)
    await centre.book("13800138000", 5)
    await centre.turns.look()
    assert [agent for agent, _ in centre.begun] == ["1002"]
    async with centre.desk.database.read() as conn:
        wanted = await reading.memberships(conn)
    assert {(each.paused, each.reason) for each in wanted if each.number == "1002"} == {(True, "callback")}
    assert {each.paused for each in wanted if each.number == "1001"} == {False}


@pytest.mark.req("TL-23")
async def test_customer_first_as_many_are_called_as_agents_are_free_beyond_callers_and_flights(desk: Desk) -> None:
    centre = Centre(desk, replace(shipped(), mode=Mode.CUSTOMER_FIRST), Floor())
    for agent in ("1001", "1002", "1003"):
        centre.seat(agent, paused=False)
    first = await centre.book("13800138001", 30)
    await centre.book("13800138002", 5)
    await centre.book("13800138003", 4)
    centre.waits(1, 20)
    await centre.turns.look()
    await centre.turns.look()
    assert [serial == first for serial in centre.called] == [True, False]  # one for the caller, two are in flight
    assert (centre.begun, centre.queues.told()) == ([], [])


@pytest.mark.req("TL-23")
async def test_customer_first_nobody_is_called_while_nobody_is_free(desk: Desk) -> None:
    centre = Centre(desk, replace(shipped(), mode=Mode.CUSTOMER_FIRST), Floor())
    centre.seat("1002")
    await centre.book("13800138001", 30)
    await centre.turns.look()
    await centre.board.ready("1002")  # who is called first needs no agent kept
    assert (centre.called, centre.queues.told()) == ([], [("QueuePause", "PJSIP/1002", "false")])
