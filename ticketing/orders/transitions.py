"""The order's state machine, row by row: from, action, to, who, what must be filled in, which clocks. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ticketing.clocks.model import Anchor, Clock
from ticketing.orders.model import LIVE_WORK, OPEN, Control, State, WorkOrderState
from ticketing.orders.steps import Choice, Situation, Start, Stop, Subject, Transition, Verb
from ticketing.roles import Post


def _after_answer(situation: Situation) -> State:
    """Followed up where the kind of service asks for it, else over (SV-07, SV-08)."""
    return State.SURVEY if situation.follow_up else State.CLOSED


def _after_reply(situation: Situation) -> State:
    """A reply that is not the last leaves the order where its work stands (RP-03)."""
    if situation.final:
        return _after_answer(situation)
    return State.IN_PROCESS if situation.live_work else State.REPLYING


def _settled(situation: Situation) -> State:
    """As the work orders' states amount to (T18 to T20)."""
    assert situation.settled is not None, "settle acts only when there is something to do"
    return situation.settled


CHOICES: Mapping[str, Choice] = {
    "followed up or over": _after_answer,
    "after the reply": _after_reply,
    "as the work orders stand": _settled,
}
"""Rules that pick among several targets."""

_INTAKE = frozenset({Post.JA, Post.TE, Post.RX, Post.SA, Post.MH})
"""The papers' four intake posts, and the manager hotline, whose queue is answered by people as well."""

_ANSWERING = _INTAKE | {Post.FU}
"""Everybody who takes calls: whoever has a draft must be able to end it (PX-07)."""

_OFFICE = frozenset({Post.DS, Post.DH})
"""Who works on what a department was sent."""

_LIVE = tuple(sorted(OPEN))
"""Every state in which an order is somebody's work."""

ROWS: tuple[Transition, ...] = (
    Transition(
        row="T1",
        verb=Verb.OPEN,
        sources=(None,),
        targets=(State.DRAFT,),
        posts=_ANSWERING,
        system=True,
        required=("channel", "received_at"),
        starts=(
            Start(Clock.DISPATCH, anchor=Anchor.A, from_receipt=True),
            Start(Clock.ENTRY, when="paper", from_receipt=True),
            Start(Clock.TEXT_HANDOFF, when="paper", from_receipt=True),
        ),
        source="IN-18 TL-32",
    ),
    Transition(
        row="T2",
        verb=Verb.SUBMIT,
        sources=(State.DRAFT,),
        targets=(State.REGISTERED,),
        posts=_INTAKE,
        required=("complete",),
        starts=(
            Start(Clock.WHOLE),
            Start(Clock.LEGAL, when="complaint"),
            Start(Clock.PROMISE, when="promised"),
            Start(Clock.HANDOFF, when="needs a hand-off"),
            Start(Clock.URGENT, when="complaint at once", anchor=Anchor.A, from_receipt=True),
        ),
        stops=(Stop(Clock.ENTRY), Stop(Clock.DISPATCH, when="not a complaint", void=True)),
        source="IN-11 IN-17",
    ),
    Transition(
        row="T37",
        verb=Verb.END_WITHOUT_ORDER,
        sources=(State.DRAFT,),
        targets=(State.NO_ORDER,),
        posts=_ANSWERING,
        required=("reason",),
        stop_all="void",
        source="PX-07 G16",
    ),
    Transition(
        row="T38",
        verb=Verb.MERGE,
        sources=(State.DRAFT,),
        targets=(State.MERGED,),
        posts=_ANSWERING,
        required=("into_serial",),
        stop_all="void",
        source="RT-10 PX-07",
    ),
    Transition(
        row="T3",
        verb=Verb.ANSWER,
        sources=(State.REGISTERED,),
        targets=(State.SURVEY, State.CLOSED),
        choose="followed up or over",
        posts=_INTAKE,
        required=("opinion", "satisfaction", "fcr"),
        starts=(Start(Clock.SURVEY, when="followed up"),),
        stops=(
            Stop(Clock.HANDOFF),
            Stop(Clock.DISPATCH),
            Stop(Clock.URGENT),
            Stop(Clock.TEXT_HANDOFF),
            Stop(Clock.PROMISE),
            Stop(Clock.LEGAL),
        ),
        stop_all="stop",
        stop_all_when="not followed up",
        source="IN-02 SV-07",
    ),
    Transition(
        row="T4",
        verb=Verb.HAND_TO_SENIOR,
        sources=(State.REGISTERED,),
        targets=(State.AT_SENIOR,),
        posts=_INTAKE,
        system=True,
        required=("reason",),
        starts=(Start(Clock.DISPATCH, anchor=Anchor.B),),
        stops=(Stop(Clock.HANDOFF), Stop(Clock.TEXT_HANDOFF)),
        source="RT-02 RT-03 RT-11 RT-12",
    ),
    Transition(
        row="T6",
        verb=Verb.PROPOSE,
        sources=(State.REGISTERED,),
        targets=(State.IN_REVIEW,),
        posts=frozenset({Post.JA, Post.TE, Post.RX}),
        required=("tasks", "opinion"),
        starts=(Start(Clock.REVIEW), Start(Clock.DISPATCH, anchor=Anchor.B)),
        stops=(Stop(Clock.HANDOFF), Stop(Clock.TEXT_HANDOFF)),
        source="RV-01 IN-19 G4",
    ),
    Transition(
        row="T7",
        verb=Verb.SEND_BACK,
        sources=(State.IN_REVIEW,),
        targets=(State.REGISTERED,),
        posts=frozenset({Post.SA}),
        required=("opinion",),
        stops=(Stop(Clock.REVIEW),),
        source="RV-05",
    ),
    Transition(
        row="T8",
        verb=Verb.INVALIDATE,
        sources=(State.IN_REVIEW, State.AT_SENIOR),
        targets=(State.INVALID,),
        posts=frozenset({Post.SA}),
        required=("checks", "opinion", "customer_told"),
        stop_all="stop",
        source="RV-06",
    ),
    Transition(
        row="T9",
        verb=Verb.SOLVE,
        sources=(State.IN_REVIEW, State.AT_SENIOR, State.AT_MANAGER),
        targets=(State.REPLYING,),
        posts=frozenset({Post.SA, Post.MH}),
        required=("opinion", "cause"),
        starts=(Start(Clock.REPLY),),
        stops=(Stop(Clock.REVIEW), Stop(Clock.DISPATCH), Stop(Clock.URGENT)),
        source="PR-16 CT-06",
    ),
    Transition(
        row="T10",
        verb=Verb.APPROVE,
        sources=(State.IN_REVIEW,),
        targets=(State.IN_PROCESS,),
        posts=frozenset({Post.SA}),
        required=("checks", "opinion", "tasks"),
        stops=(Stop(Clock.REVIEW), Stop(Clock.DISPATCH), Stop(Clock.URGENT)),
        source="RV-02 DP-02",
    ),
    Transition(
        row="T11",
        verb=Verb.DISPATCH,
        sources=(State.AT_SENIOR, State.AT_MANAGER),
        targets=(State.IN_PROCESS,),
        posts=frozenset({Post.SA, Post.MH}),
        required=("checks", "opinion", "tasks"),
        stops=(Stop(Clock.DISPATCH), Stop(Clock.URGENT)),
        source="G3 RV-03 DP-03",
    ),
    Transition(
        row="T12",
        verb=Verb.ACCEPT,
        sources=(WorkOrderState.SENT,),
        targets=(WorkOrderState.ACCEPTED,),
        posts=_OFFICE,
        subject=Subject.WORK_ORDER,
        source="PR-01 DP-13",
    ),
    Transition(
        row="T12",
        verb=Verb.BEGIN,
        sources=(WorkOrderState.ACCEPTED,),
        targets=(WorkOrderState.WORKING,),
        posts=_OFFICE | {Post.FS},
        subject=Subject.WORK_ORDER,
        source="PR-03",
    ),
    Transition(
        row="T13",
        verb=Verb.FINISH,
        sources=(WorkOrderState.WORKING,),
        targets=(WorkOrderState.DONE,),
        posts=_OFFICE,
        required=("result", "cause", "opinion", "service_number", "handled_at"),
        required_when=(("red", "overtime_reason"),),
        stops=(Stop(Clock.STAGE),),
        subject=Subject.WORK_ORDER,
        source="PR-02 PR-04 PR-06",
    ),
    Transition(
        row="T18 T19 T20",
        verb=Verb.SETTLE,
        sources=(State.IN_PROCESS,),
        targets=(State.REPLYING, State.AT_SENIOR, State.CANCELLED),
        choose="as the work orders stand",
        posts=frozenset(),
        system=True,
        starts=(
            Start(Clock.REPLY, when="to reply"),
            Start(Clock.DISPATCH, when="back to the senior", anchor=Anchor.B),
        ),
        stop_all="stop",
        stop_all_when="cancelled",
        source="RP-01 PR-10 DP-09",
    ),
    Transition(
        row="T22",
        verb=Verb.REPLY,
        sources=(State.REPLYING,),
        targets=(State.SURVEY, State.CLOSED, State.REPLYING, State.IN_PROCESS),
        choose="after the reply",
        posts=frozenset({Post.JA, Post.SA, Post.MH, Post.SV}),
        required=("opinion", "result", "channel", "satisfaction"),
        starts=(Start(Clock.SURVEY, when="followed up"), Start(Clock.REPLY, when="not final")),
        stops=(Stop(Clock.REPLY), Stop(Clock.PROMISE), Stop(Clock.LEGAL, when="final")),
        stop_all="stop",
        stop_all_when="not followed up",
        source="RP-01 RP-02 RP-04 RP-05",
    ),
    Transition(
        row="T23",
        verb=Verb.RATE,
        sources=(State.SURVEY,),
        targets=(State.CLOSED,),
        posts=frozenset({Post.SV}),
        required=("outcome",),
        required_when=(("complained again", "cause"), ("complained again", "handled")),
        stop_all="stop",
        source="SV-01 SV-02 SV-04 SV-05",
    ),
    Transition(
        row="T24",
        verb=Verb.REDISPATCH,
        sources=(State.SURVEY,),
        targets=(State.IN_REVIEW,),
        posts=frozenset({Post.SV}),
        required=("cause", "wanted", "tasks", "opinion"),
        starts=(Start(Clock.DISPATCH, anchor=Anchor.B), Start(Clock.REVIEW)),
        stops=(Stop(Clock.SURVEY),),
        source="SV-02 PR-07 RV-07",
    ),
    Transition(
        row="T25",
        verb=Verb.FILE,
        sources=(State.CLOSED, State.REPORTED),
        targets=(State.ARCHIVED,),
        posts=frozenset({Post.DM}),
        required=("content", "customer_nature", "department"),
        stop_all="stop",
        source="KB-09 KB-12",
    ),
    Transition(
        row="T5",
        verb=Verb.TO_MANAGER,
        sources=(State.REGISTERED, State.AT_SENIOR, State.REPLYING, State.SURVEY),
        targets=(State.AT_MANAGER,),
        posts=frozenset({Post.JA, Post.SA}),
        required=("reason",),
        stops=(Stop(Clock.HANDOFF), Stop(Clock.SURVEY), Stop(Clock.REPLY)),
        source="RT-04 RT-05",
    ),
    Transition(
        row="T14",
        verb=Verb.TO_HEAD,
        sources=(WorkOrderState.SENT, WorkOrderState.ACCEPTED, WorkOrderState.WORKING),
        targets=(WorkOrderState.AT_HEAD,),
        posts=frozenset({Post.DS}),
        required=("reason",),
        subject=Subject.WORK_ORDER,
        source="PR-05 PR-11",
    ),
    Transition(
        row="T14",
        verb=Verb.TAKE_BACK,
        sources=(WorkOrderState.AT_HEAD,),
        targets=(WorkOrderState.WORKING,),
        posts=frozenset({Post.DH}),
        required=("decision",),
        subject=Subject.WORK_ORDER,
        source="PR-11",
    ),
    Transition(
        row="T14",
        verb=Verb.RETURN,
        sources=(WorkOrderState.AT_HEAD, WorkOrderState.SENT, WorkOrderState.ACCEPTED, WorkOrderState.WORKING),
        targets=(WorkOrderState.RETURNED,),
        posts=frozenset({Post.DH}),
        required=("reason",),
        stops=(Stop(Clock.STAGE),),
        subject=Subject.WORK_ORDER,
        source="PR-05 PR-10",
    ),
    Transition(
        row="T15",
        verb=Verb.TRANSFER,
        sources=(WorkOrderState.AT_HEAD, WorkOrderState.SENT, WorkOrderState.ACCEPTED, WorkOrderState.WORKING),
        targets=(WorkOrderState.TRANSFERRED,),
        posts=frozenset({Post.DH, Post.SA}),
        required=("from_workplace", "reason", "to_workplace", "to_unit", "limit_s"),
        stops=(Stop(Clock.STAGE),),
        subject=Subject.WORK_ORDER,
        source="PR-08 PR-09",
    ),
    Transition(
        row="T16",
        verb=Verb.SUPPLEMENT,
        sources=tuple(sorted(LIVE_WORK)),
        targets=(),
        posts=frozenset({Post.SA}),
        required=("reason",),
        subject=Subject.WORK_ORDER,
        source="DP-08",
    ),
    Transition(
        row="T17",
        verb=Verb.RECALL,
        sources=tuple(sorted(LIVE_WORK)),
        targets=(WorkOrderState.RECALLED,),
        posts=frozenset({Post.SA}),
        required=("reason",),
        stops=(Stop(Clock.STAGE),),
        subject=Subject.WORK_ORDER,
        source="DP-09",
    ),
    Transition(
        row="T16 T17",
        verb=Verb.ACKNOWLEDGE,
        sources=(*sorted(LIVE_WORK), WorkOrderState.RECALLED),
        targets=(),
        posts=_OFFICE,
        subject=Subject.WORK_ORDER,
        while_paused=True,
        source="DP-08 DP-09",
    ),
    Transition(
        row="T26",
        verb=Verb.PAUSE,
        sources=_LIVE,
        targets=(),
        posts=frozenset({Post.AD, Post.SA}),
        required=("reason", "resume_expected_at"),
        control=Control.PAUSED,
        source="MN-04",
    ),
    Transition(
        row="T26",
        verb=Verb.RESUME,
        sources=_LIVE,
        targets=(),
        posts=frozenset({Post.AD, Post.SA}),
        while_paused=True,
        control=Control.RUN,
        source="MN-03",
    ),
    Transition(
        row="T27",
        verb=Verb.CANCEL,
        sources=_LIVE,
        targets=(State.CANCELLED,),
        posts=frozenset({Post.AD, Post.SA}),
        required=("reason", "evidence"),
        stop_all="stop",
        while_paused=True,
        source="MN-05",
    ),
    Transition(
        row="T28",
        verb=Verb.FORCE_END,
        sources=_LIVE,
        targets=(State.FORCE_ENDED,),
        posts=frozenset({Post.AD, Post.LD}),
        required=("reason", "evidence"),
        stop_all="stop",
        while_paused=True,
        source="MN-06",
    ),
    Transition(
        row="T31",
        verb=Verb.TO_ARCHIVIST,
        sources=(State.REGISTERED,),
        targets=(State.AT_ARCHIVIST,),
        posts=_INTAKE,
        required=("thanks",),
        stops=(Stop(Clock.HANDOFF),),
        source="RT-09",
    ),
    Transition(
        row="T31",
        verb=Verb.REPORT,
        sources=(State.AT_ARCHIVIST,),
        targets=(State.REPORTED,),
        posts=frozenset({Post.DM}),
        required=("digest", "addressees"),
        source="KB-08",
    ),
)
