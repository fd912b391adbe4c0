"""The rows of the order itself: from, action, to, who, what must be filled in, which clocks. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ticketing.clocks.model import Anchor, Clock
from ticketing.orders.model import OPEN, Control, State
from ticketing.orders.steps import Choice, Situation, Start, Stop, Transition, Verb
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
    """As the work orders' states amount to (T18 to T20); settle acts only when they amount to something."""
    assert situation.settled is not None
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

_LIVE = tuple(sorted(OPEN))
"""Every state in which an order is somebody's work."""

_HANDLED = (State.REGISTERED, State.AT_SENIOR, State.AT_MANAGER, State.AT_LEADER, State.IN_PROCESS, State.REPLYING)
"""States in which a solution is being found and told."""

_REASSIGNS = frozenset({Post.SU, Post.AD})
"""Who hands work to somebody else (PX-04)."""

_HIGH = frozenset({Post.AD, Post.LD})
"""Both are needed to end an order by force: one asks, the other confirms (T28)."""

_CHASING = _ANSWERING | {Post.SV, Post.SU}
"""Whoever hears an impatient customer, and whose duty it is to warn and to urge (SV-03)."""

_REPROMISED = (
    Stop(Clock.PROMISE, when="re-promised in time", void=True),
    Stop(Clock.PROMISE, when="re-promised late"),
)
"""Another promise takes the place of one that still ran; one that had passed stays broken."""

ORDER_ROWS: tuple[Transition, ...] = (
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
        required=("reason_code", "opinion"),
        stops=(Stop(Clock.REVIEW),),
        source="RV-05 MN-02",
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
        row="T18 T19 T20",
        verb=Verb.SETTLE,
        sources=(State.IN_PROCESS, State.AT_MANAGER, State.AT_LEADER),
        targets=(State.REPLYING, State.AT_SENIOR, State.CANCELLED),
        choose="as the work orders stand",
        posts=frozenset(),
        system=True,
        starts=(
            Start(Clock.REPLY, when="to reply"),
            Start(Clock.DISPATCH, when="back to the senior", anchor=Anchor.B),
        ),
        stops=(Stop(Clock.DISPATCH, when="back to the senior", void=True),),
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
        sources=(State.REGISTERED, State.AT_SENIOR, State.IN_PROCESS, State.REPLYING, State.SURVEY),
        targets=(State.AT_MANAGER,),
        posts=frozenset({Post.JA, Post.SA}),
        required=("trigger", "reason"),
        required_when=(("overdue repeat", "earlier_serial"),),
        stops=(Stop(Clock.HANDOFF), Stop(Clock.SURVEY), Stop(Clock.REPLY)),
        source="RT-04 RT-05",
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
        verb=Verb.ASK_FORCE_END,
        sources=_LIVE,
        targets=(),
        posts=_HIGH,
        required=("reason", "evidence"),
        while_paused=True,
        source="MN-06",
    ),
    Transition(
        row="T28",
        verb=Verb.FORCE_END,
        sources=_LIVE,
        targets=(State.FORCE_ENDED,),
        posts=_HIGH,
        required=("opinion",),
        stop_all="stop",
        while_paused=True,
        source="MN-06",
    ),
    Transition(
        row="T28",
        verb=Verb.KEEP,
        sources=_LIVE,
        targets=(),
        posts=_HIGH,
        required=("opinion",),
        while_paused=True,
        source="MN-06",
    ),
    Transition(
        row="T30",
        verb=Verb.CUSTOMER_ADDS,
        sources=_LIVE,
        targets=(),
        posts=_INTAKE,
        required=("text", "outcome"),
        required_when=(("answered", "answer"),),
        starts=(Start(Clock.PROMISE, when="re-promised"),),
        stops=_REPROMISED,
        while_paused=True,
        source="RT-07 RT-10",
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
    Transition(
        row="T21",
        verb=Verb.TO_LEADER,
        sources=(State.REGISTERED, State.AT_SENIOR, State.AT_MANAGER, State.IN_PROCESS, State.REPLYING),
        targets=(State.AT_LEADER,),
        posts=frozenset({Post.DH, Post.SA, Post.MH}),
        required=("question", "level"),
        stops=(Stop(Clock.HANDOFF), Stop(Clock.REPLY)),
        source="PR-14 PR-15",
    ),
    Transition(
        row="T21",
        verb=Verb.RAISE,
        sources=(State.AT_LEADER,),
        targets=(),
        posts=frozenset({Post.LD}),
        required=("question",),
        source="PR-15",
    ),
    Transition(
        row="T21",
        verb=Verb.COORDINATE,
        sources=(State.AT_LEADER,),
        targets=(State.IN_PROCESS,),
        posts=frozenset({Post.LD}),
        required=("decision", "lead_unit"),
        required_when=(("nobody works", "tasks"),),
        stops=(Stop(Clock.DISPATCH), Stop(Clock.URGENT)),
        source="PR-14",
    ),
    Transition(
        row="PR-20",
        verb=Verb.TELL,
        sources=_HANDLED,
        targets=(),
        posts=frozenset({Post.JA, Post.SA, Post.MH}),
        required=("plan", "told_due_at", "time_reason", "agreed"),
        starts=(Start(Clock.PROMISE, when="re-promised"),),
        stops=_REPROMISED,
        source="PR-20",
    ),
    Transition(
        row="PR-17",
        verb=Verb.REMEDY,
        sources=_HANDLED,
        targets=(),
        posts=frozenset({Post.SA, Post.MH}),
        required=("remedy", "reason"),
        required_when=(("money", "amount"),),
        source="PR-17",
    ),
    Transition(
        row="PR-17",
        verb=Verb.DECIDE_REMEDY,
        sources=_HANDLED,
        targets=(),
        posts=frozenset({Post.LD}),
        required=("granted", "opinion"),
        source="PR-17",
    ),
    Transition(
        row="T29",
        verb=Verb.CHASE,
        sources=(State.IN_PROCESS, State.AT_MANAGER, State.AT_LEADER),
        targets=(),
        posts=_CHASING,
        required=("asked_by", "reason"),
        source="SV-03 DP-07",
    ),
    Transition(
        row="PX-04",
        verb=Verb.REASSIGN,
        sources=(State.DRAFT, *_LIVE),
        targets=(),
        posts=_REASSIGNS,
        required=("reason",),
        while_paused=True,
        source="PX-04",
    ),
)
