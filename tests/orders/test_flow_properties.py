"""Whatever the posts do in whatever order: only the table's steps happen, and nothing is without owner or clock."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.orders.desk import Desk
from tests.orders.test_properties import _play_all
from ticketing.attachments import actions as attachments
from ticketing.attachments.actions import Attach
from ticketing.changes import Change
from ticketing.clocks.tables import clock
from ticketing.errors import Forbidden, Invalid, NotFound, Refused
from ticketing.orders import (
    chasing,
    closing,
    control,
    dispatching,
    extending,
    fieldwork,
    hearing,
    leading,
    proposing,
    reassigning,
    remedies,
    rework,
    settle,
    work,
)
from ticketing.orders.dispatching import CHECKS
from ticketing.orders.inputs import (
    Answer,
    Dispatch,
    FileAway,
    Finish,
    ForReason,
    HandToSenior,
    Intervene,
    Invalidate,
    OnOrder,
    Propose,
    Rate,
    Redispatch,
    Reply,
    SendBack,
    Solve,
    Stop,
    Supplement,
    TakeBack,
    Task,
    Transfer,
)
from ticketing.orders.model import ENDED, LIVE_WORK, State, WorkOrderState
from ticketing.orders.step_inputs import (
    AskExtension,
    AssignField,
    Chase,
    Coordinate,
    CustomerAdds,
    DecideRemedy,
    FieldReport,
    GrantExtension,
    Note,
    Opinion,
    Raise,
    Reassign,
    RefuseChange,
    Remedy,
    SendOn,
    Tell,
    ToLeader,
    ToManager,
)
from ticketing.orders.tables import customer_order, order_coordination, order_trail, review, work_order
from ticketing.orders.workflow import Verb, rows_from
from ticketing.papers.files import FileStore, Stored

_RUNS = itertools.count(1)
WELL = dict.fromkeys(CHECKS, True)
TASKS = (Task("city.network", "上门", 7200), Task("city.billing", "核对", 3600))
FAR = datetime(2026, 3, 15, tzinfo=UTC)


class Shelf(FileStore):
    """A store that keeps nothing on the disk."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere"))

    async def put(self, data: bytes) -> Stored:
        return Stored(token_hex(16), sha256(data).hexdigest(), len(data))

    async def drop(self, key: str) -> None:
        """There is nothing to take away."""


Made = tuple[Callable[..., Awaitable[Any]], type, dict[str, Any]]

ORDER: dict[Verb, Made] = {
    Verb.ANSWER: (closing.answer, Answer, {"opinion": "x", "satisfaction": "later", "fcr": True}),
    Verb.HAND_TO_SENIOR: (dispatching.hand_to_senior, HandToSenior, {"reason": "x"}),
    Verb.PROPOSE: (dispatching.propose, Propose, {"tasks": TASKS, "opinion": "x"}),
    Verb.SEND_BACK: (dispatching.send_back, SendBack, {"reason_code": "incomplete", "opinion": "x"}),
    Verb.APPROVE: (dispatching.approve, Dispatch, {"opinion": "x", "checks": WELL}),
    Verb.DISPATCH: (dispatching.dispatch, Dispatch, {"opinion": "x", "checks": WELL, "tasks": TASKS[:1]}),
    Verb.INVALIDATE: (
        dispatching.invalidate,
        Invalidate,
        {"opinion": "x", "checks": {**WELL, "valid": False}, "customer_told": "x"},
    ),
    Verb.SOLVE: (dispatching.solve, Solve, {"opinion": "x", "cause": "none"}),
    Verb.REPLY: (
        closing.reply,
        Reply,
        {"opinion": "x", "result": "x", "channel": "telephone", "satisfaction": "later"},
    ),
    Verb.RATE: (closing.rate, Rate, {"outcome": "satisfied", "grade": "satisfied"}),
    Verb.REDISPATCH: (
        closing.redispatch,
        Redispatch,
        {"cause": "none", "wanted": "x", "tasks": TASKS[:1], "opinion": "x"},
    ),
    Verb.FILE: (
        closing.file_away,
        FileAway,
        {"content": "x", "customer_nature": "ordinary", "department": "city.network"},
    ),
    Verb.TO_MANAGER: (control.to_manager, ToManager, {"trigger": "refuses_answer", "reason": "x"}),
    Verb.TO_LEADER: (leading.to_leader, ToLeader, {"question": "x", "level": 1}),
    Verb.RAISE: (leading.raise_, Raise, {"question": "x"}),
    Verb.COORDINATE: (
        leading.coordinate,
        Coordinate,
        {"decision": "x", "lead_unit": "city.network", "tasks": TASKS[:1]},
    ),
    Verb.CANCEL: (control.cancel, Stop, {"reason": "withdrew", "evidence": "x"}),
    Verb.ASK_FORCE_END: (proposing.ask_force_end, Stop, {"reason": "special", "evidence": "x"}),
    Verb.FORCE_END: (proposing.force_end, Opinion, {"opinion": "x"}),
    Verb.KEEP: (proposing.keep, Opinion, {"opinion": "x"}),
    Verb.CUSTOMER_ADDS: (hearing.customer_adds, CustomerAdds, {"text": "x", "outcome": "answered", "answer": "x"}),
    Verb.TELL: (hearing.tell, Tell, {"plan": "x", "time_reason": "x", "agreed": True}),
    Verb.REMEDY: (remedies.remedy, Remedy, {"remedy": "compensation", "reason": "x", "amount": Decimal(500)}),
    Verb.CHASE: (chasing.chase, Chase, {"asked_by": "customer", "reason": "x"}),
    Verb.DECIDE_REMEDY: (remedies.decide_remedy, DecideRemedy, {"granted": True, "opinion": "x"}),
    Verb.REASSIGN: (reassigning.reassign, Reassign, {"reason": "absent"}),
}
TOLD = {Verb.CUSTOMER_ADDS: "promise_due_at", Verb.TELL: "told_due_at"}
BESIDE = frozenset(
    {"warning", "second_person", "more_attempts", "nobody_asked", "asked_already", "both_needed", "at_the_top"}
    | {"has_it_already"}
    | {
        "work_is_live",
        "remedy_asked",
        "nothing_asked",
        "not_a_complaint",
        "not_a_suggestion",
        "top_level",
        "twice",
        "nobody_works",
    }
)
"""Why a step of the table may still be refused."""
WORK: dict[Verb, Made] = {
    Verb.ACCEPT: (work.accept, OnOrder, {}),
    Verb.BEGIN: (work.begin, OnOrder, {}),
    Verb.FINISH: (work.finish, Finish, {"result": "x", "cause": "none", "opinion": "x", "service_number": "1"}),
    Verb.TO_HEAD: (rework.to_head, ForReason, {"reason": "x"}),
    Verb.TAKE_BACK: (rework.take_back, TakeBack, {"decision": "x"}),
    Verb.RETURN: (rework.give_back, Intervene, {"reason_code": "wrong_unit", "reason": "x"}),
    Verb.TRANSFER: (
        rework.transfer,
        Transfer,
        {"from_workplace": "x", "reason": "x", "to_workplace": "x", "to_unit": "city.installation", "limit_s": 7200},
    ),
    Verb.SUPPLEMENT: (rework.supplement, Supplement, {"reason": "x", "limit_s": 9000}),
    Verb.RECALL: (rework.recall, Intervene, {"reason_code": "withdrawn", "reason": "x"}),
    Verb.ACKNOWLEDGE: (rework.acknowledge, OnOrder, {}),
    Verb.PROPOSE_SUPPLEMENT: (proposing.propose_supplement, Supplement, {"reason": "x", "limit_s": 9000}),
    Verb.PROPOSE_RECALL: (proposing.propose_recall, Intervene, {"reason_code": "withdrawn", "reason": "x"}),
    Verb.APPROVE_CHANGE: (proposing.approve_change, Opinion, {"opinion": "x"}),
    Verb.REFUSE_CHANGE: (proposing.refuse_change, RefuseChange, {"reason_code": "other", "opinion": "x"}),
    Verb.ASSIGN_FIELD: (fieldwork.assign_field, AssignField, {"person": "8201", "task": "x", "limit_s": 7200}),
    Verb.FIELD_REPORT: (fieldwork.field_report, FieldReport, {"result": "x", "overtime_reason": "x"}),
    Verb.NOTE: (fieldwork.note, Note, {"text": "x"}),
    Verb.SEND_ON: (rework.send_on, SendOn, {"opinion": "x", "checks": WELL, "tasks": TASKS[1:]}),
    Verb.DROP: (rework.drop, ForReason, {"reason": "x"}),
    Verb.REASSIGN_WORK: (reassigning.reassign_work, Reassign, {"reason": "absent"}),
    Verb.ATTACH: (attachments.attach, Attach, {"name": "x.txt", "data": b"x", "files": Shelf()}),
    Verb.ASK_EXTENSION: (extending.ask, AskExtension, {"reason": "parts", "due_at": FAR}),
    Verb.GRANT_EXTENSION: (extending.grant, GrantExtension, {"opinion": "x"}),
    Verb.REFUSE_EXTENSION: (extending.refuse, Opinion, {"opinion": "x"}),
}
WAY = (
    *(
        (Verb.PROPOSE, "1001"),
        (Verb.APPROVE, "2001"),
        (Verb.ACCEPT, "8001"),
        (Verb.BEGIN, "8001"),
        (Verb.FINISH, "8001"),
    ),
    *((Verb.ACCEPT, "8002"), (Verb.BEGIN, "8002"), (Verb.FINISH, "8002"), (Verb.REPLY, "2001"), (Verb.RATE, "7001")),
)
PEOPLE = (
    "1001",
    "2001",
    "3001",
    "4001",
    "5001",
    "7001",
    "8001",
    "8002",
    "8101",
    "8102",
    "8201",
    "9001",
    "9101",
    "9102",
)
#: the next step of the usual way, or anything by anybody
_STEPS = st.one_of(
    st.just(None),
    st.just(None),
    st.tuples(st.sampled_from([*ORDER, *WORK]), st.sampled_from(PEOPLE)),
)


class Story:
    """One order, and what was done to it."""

    def __init__(self, desk: Desk, change: Change) -> None:
        self.desk, self.order, self.minutes, self.next = desk, change.subject_id, 0, 0
        self.done: set[Verb] = set()
        self.beside: frozenset[str] = BESIDE

    async def play(self, step: tuple[Verb, str] | None) -> None:
        self.minutes += 7
        usual = step is None
        if step is None:
            step = WAY[self.next % len(WAY)]
            self.next += 1
        verb, number = step
        before = await self.state()
        allowed = verb in ORDER and any(
            row.verb is verb and row.posts & self.desk[number].posts for row in rows_from(before)
        )
        refusal = await self._try(verb, number)
        if refusal is None:
            assert verb in WORK or allowed, (before, verb, number)
            self.done.add(verb)
            return
        assert await self.state() == before, "a refusal changes nothing"
        assert not allowed or refusal in self.beside, (usual, verb, number, refusal)

    async def _try(self, verb: Verb, number: str) -> str | None:
        """The code of the refusal; None when it was done."""
        try:
            await (self._on_order if verb in ORDER else self._on_work)(verb, number)
        except (Refused, Forbidden, Invalid, NotFound) as refused:
            return refused.code
        return None

    async def state(self) -> State:
        async with self.desk.database.read() as conn:
            found = await conn.scalar(select(customer_order.c.state).where(customer_order.c.public_id == self.order))
        return State(str(found))

    async def _on_order(self, verb: Verb, number: str) -> None:
        action, made, said = ORDER[verb]
        async with self.desk.database.write() as conn:
            row = (await conn.execute(select(customer_order).where(customer_order.c.public_id == self.order))).one()
            if verb is Verb.APPROVE and row.cycle > 1:
                said = {**said, "warned_unit": "city.network"}
            now = self.desk.now + timedelta(minutes=self.minutes)
            if verb in TOLD:
                said = {**said, TOLD[verb]: now + timedelta(hours=9)}
            await action(conn, self.desk[number], made(self.order, row.version, **said), now)

    async def _on_work(self, verb: Verb, number: str) -> None:
        action, made, said = WORK[verb]
        now = self.desk.now + timedelta(minutes=self.minutes)
        if verb is Verb.FINISH:
            said = {**said, "handled_at": now, "overtime_reason": "x"}
        async with self.desk.database.write() as conn:
            order = select(customer_order.c.id).where(customer_order.c.public_id == self.order).scalar_subquery()
            newest = select(work_order).where(work_order.c.order_id == order).order_by(work_order.c.id.desc())
            unit = {"8002": "city.billing", "8102": "city.billing"}.get(number, "city.network")
            kind = work.FIELD if number == "8201" else work.WORK
            row = (await conn.execute(newest.where(work_order.c.unit == unit, work_order.c.kind == kind))).first()
            if row is None:
                raise NotFound
            await action(conn, self.desk[number], made(row.public_id, row.version, **said), now)

    async def check(self) -> None:
        """What holds after any story."""
        async with self.desk.database.read() as conn:
            row = (await conn.execute(select(customer_order).where(customer_order.c.public_id == self.order))).one()
            works = (await conn.execute(select(work_order).where(work_order.c.order_id == row.id))).all()
            clocks = (await conn.execute(select(clock).where(clock.c.order_id == row.id))).all()
            open_reviews = (
                await conn.execute(select(review).where(review.c.order_id == row.id, review.c.state == "open"))
            ).all()
            mine = order_coordination.c.order_id == row.id
            asked = (
                await conn.execute(select(order_coordination).where(mine, order_coordination.c.ended_at.is_(None)))
            ).all()
            versions = await conn.scalars(select(order_trail.c.version).where(order_trail.c.order_id == row.id))
        state, live = State(row.state), [each for each in works if WorkOrderState(each.state) in LIVE_WORK]
        running = [each for each in clocks if each.stopped_at is None]
        assert sorted(versions) == list(range(1, row.version + 1))
        assert (row.ended_at is not None) is (state in ENDED)
        assert state in ENDED or (row.owner_id is None) is not (row.owner_queue is None), "somebody owns it (IN-23)"
        assert all((each.owner_id is None) is not (each.owner_queue is None) for each in live)
        assert not (state in ENDED and (live or running)), "nothing of an ended order is alive"
        main = [each for each in live if each.kind == work.WORK]
        assert not main or state in settle.SETTLING, "work runs on beside the manager and the leaders, nowhere else"
        assert main or state is not State.IN_PROCESS
        keys = {each.id for each in main}
        assert all(each.parent_id in keys for each in live if each.kind == work.FIELD), "a sub-task lives with its own"
        assert len(asked) == (state is State.AT_LEADER)
        about = [each for each in open_reviews if each.work_order_id is not None]
        assert all(each.work_order_id in keys for each in about), "what is asked is about who holds the work"
        changes = [each for each in about if each.kind != "extension"]
        assert state not in ENDED or not open_reviews
        stages = {each.work_order_id for each in running if each.code == "K9"}
        assert stages == {each.id for each in live}, "each live work order has its clock, no other has one"
        assert ("K13" in {each.code for each in running}) is (state is State.SURVEY)
        assert ("K12" in {each.code for each in running}) is (state is State.REPLYING)
        reviewed = {each.work_order_id for each in running if each.code == "K8"}
        assert reviewed == {each.work_order_id for each in changes} | ({None} if state is State.IN_REVIEW else set())
        waiting = {each.work_order_id for each in running if each.code == "K6" and each.work_order_id is not None}
        back = {each.id for each in works if each.state == "returned" and not work.followed_up(each.form)}
        assert waiting <= back, "the dispatcher's hour runs for what came back, until he has dealt with it"


@pytest.mark.req("IN-23", "N4", "DP-11", "RV-01", "MN-09")
async def test_any_story_of_the_posts_keeps_what_must_hold(desk: Desk) -> None:
    ends: set[State] = set()
    done: set[Verb] = set()

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @example(steps=[None] * 10 + [(Verb.FILE, "5001")])
    @example(steps=[None] * 9 + [(Verb.REDISPATCH, "7001"), (Verb.APPROVE, "2001"), (Verb.ACCEPT, "8001")])
    @example(steps=[None, None, None, (Verb.CHASE, "7001"), (Verb.ACKNOWLEDGE, "8001"), (Verb.ACKNOWLEDGE, "8102")])
    @example(steps=[(Verb.ANSWER, "1001"), (Verb.RATE, "7001")])
    @example(steps=[(Verb.HAND_TO_SENIOR, "1001"), (Verb.SOLVE, "2001"), (Verb.REPLY, "2001")])
    @example(steps=[(Verb.PROPOSE, "1001"), (Verb.INVALIDATE, "2001"), (Verb.FILE, "5001")])
    @example(steps=[(Verb.PROPOSE, "1001"), (Verb.SEND_BACK, "2001"), (Verb.HAND_TO_SENIOR, "1001")])
    @example(steps=[None] * 4 + [(Verb.TO_HEAD, "8001"), (Verb.ASSIGN_FIELD, "8101"), (Verb.ACCEPT, "8201")])
    @example(
        steps=[None] * 3
        + [(Verb.ASSIGN_FIELD, "8101"), (Verb.ACCEPT, "8201"), (Verb.BEGIN, "8201"), (Verb.FIELD_REPORT, "8201")]
        + [(Verb.FINISH, "8101"), (Verb.TO_MANAGER, "2001"), (Verb.RETURN, "8102"), (Verb.DISPATCH, "2001")]
    )
    @example(
        steps=[None, None, (Verb.RETURN, "8101"), (Verb.SEND_ON, "2001"), (Verb.RETURN, "8102"), (Verb.DROP, "2001")]
    )
    @example(
        steps=[
            None,
            None,
            (Verb.RETURN, "8101"),
            (Verb.DROP, "2001"),
            (Verb.TO_LEADER, "8102"),
            (Verb.RAISE, "9102"),
            (Verb.COORDINATE, "9101"),
            (Verb.RECALL, "2001"),
            (Verb.ACKNOWLEDGE, "8001"),
            (Verb.NOTE, "8002"),
        ]
    )
    @example(
        steps=[
            None,
            None,
            (Verb.PROPOSE_SUPPLEMENT, "1001"),
            (Verb.APPROVE_CHANGE, "2001"),
            (Verb.SUPPLEMENT, "2001"),
            (Verb.PROPOSE_RECALL, "1001"),
            (Verb.REFUSE_CHANGE, "2001"),
            (Verb.PROPOSE_RECALL, "1001"),
            (Verb.TRANSFER, "8101"),
            (Verb.TO_HEAD, "8002"),
            (Verb.TAKE_BACK, "8102"),
            (Verb.CANCEL, "2001"),
        ]
    )
    @example(
        steps=[
            (Verb.HAND_TO_SENIOR, "1001"),
            (Verb.DISPATCH, "2001"),
            (Verb.CUSTOMER_ADDS, "1001"),
            (Verb.TELL, "1001"),
            (Verb.REMEDY, "2001"),
            (Verb.DECIDE_REMEDY, "9101"),
            (Verb.ASK_FORCE_END, "9001"),
            (Verb.KEEP, "9101"),
            (Verb.ASK_FORCE_END, "9101"),
            (Verb.FORCE_END, "9001"),
        ]
    )
    @example(
        steps=[
            *(None, None, (Verb.REASSIGN, "3001"), (Verb.ACCEPT, "8001"), (Verb.REASSIGN_WORK, "3001")),
            *((Verb.ASK_EXTENSION, "8001"), (Verb.REFUSE_EXTENSION, "3001"), (Verb.ATTACH, "8101")),
            *((Verb.ASK_EXTENSION, "8101"), (Verb.GRANT_EXTENSION, "3001"), (Verb.ASK_EXTENSION, "8001")),
            (Verb.TRANSFER, "8101"),
        ]
    )
    @given(steps=st.lists(_STEPS, min_size=4, max_size=16))
    async def play(steps: list[tuple[Verb, str] | None]) -> None:
        story = Story(desk, await desk.registered(f"f{next(_RUNS)}"))
        for step in steps:
            await story.play(step)
            await story.check()
        ends.add(await story.state())
        done.update(story.done)

    await _play_all(play)
    assert done >= {*ORDER, *WORK}
    assert {State.ARCHIVED, State.IN_PROCESS, State.SURVEY, State.INVALID, State.FORCE_ENDED, State.CANCELLED} <= ends
