"""The table and its interpreter: what is in it is allowed, what is not is refused with its code."""

from __future__ import annotations

import itertools
from importlib.resources import files
from pathlib import Path

import pytest

from ticketing.clocks.model import Clock
from ticketing.errors import Forbidden, HotlineError, Invalid, Refused
from ticketing.orders import diagram, follow_up, rules, settle, workflow
from ticketing.orders.model import ENDED, OPEN, UNBORN, Control, Kind, State, WorkOrderState
from ticketing.orders.workflow import Decision, Situation, Start, Stop, Transition, Verb, advance
from ticketing.roles import Post

SENIOR = frozenset({Post.SA})
GIVEN = {name: "given" for row in workflow.ROWS for name in row.required}


def decided(situation: Situation, verb: Verb, post: Post) -> Decision | HotlineError:
    """What the interpreter says, or why not."""
    try:
        return advance(situation, verb, frozenset({post}), GIVEN)
    except (Refused, Forbidden) as refusal:
        return refusal


@pytest.mark.parametrize("state", [None, *State, *WorkOrderState], ids=repr)
def test_every_state_action_and_post_is_in_the_table_or_refused(state: State | WorkOrderState | None) -> None:
    situation = Situation(state=state, kind=Kind.COMPLAINT, settled=State.REPLYING)
    rows = {row.verb: row for row in workflow.rows_from(state)}
    for verb, post in itertools.product(Verb, Post):
        told, row, found = f"{verb} by {post}", rows.get(verb), decided(situation, verb, post)
        if row is None:
            assert isinstance(found, Refused), told
            assert (found.code, found.details["action"]) == ("not_from_here", verb.value), told
        elif post not in row.posts:
            assert isinstance(found, Forbidden), told
            assert found.details["allowed"] == sorted(post.value for post in row.posts), told
        else:
            assert isinstance(found, Decision), told
            assert found.to in (row.targets or (state,)), told


@pytest.mark.parametrize("row", workflow.ROWS, ids=lambda row: f"{row.row}-{row.verb}")
def test_each_required_field_missing_is_refused_by_name(row: Transition) -> None:
    for name in row.required:
        if name == "complete":
            situation, given, wanted = Situation(row.sources[0], missing=("unit", "nature")), GIVEN, "unit"
        else:
            situation, given, wanted = Situation(row.sources[0]), {k: v for k, v in GIVEN.items() if k != name}, name
        with pytest.raises(Invalid) as refusal:
            advance(situation, row.verb, row.posts, given)
        assert (refusal.value.code, refusal.value.field) == ("missing", wanted)


def test_what_is_missing_is_told_whole_and_in_the_tables_order() -> None:
    """The page marks every field at once instead of one after the other."""
    row = next(row for row in workflow.rows_from(State.DRAFT) if row.verb is Verb.SUBMIT)
    assert row.required == ("complete",)
    with pytest.raises(Invalid) as refusal:
        advance(Situation(State.DRAFT, missing=("unit", "nature")), Verb.SUBMIT, SENIOR, {})
    assert refusal.value.details["missing"] == ["unit", "nature"]
    assert refusal.value.message == "something that is required is not filled in"
    with pytest.raises(Invalid) as late:
        advance(Situation(WorkOrderState.WORKING, red=True), Verb.FINISH, frozenset({Post.DS}), {"text": ""})
    fields = [
        name for row in workflow.rows_from(WorkOrderState.WORKING) if row.verb is Verb.FINISH for name in row.required
    ]
    assert late.value.details["missing"] == [*fields, "overtime_reason"]


@pytest.mark.parametrize(("value", "filled"), [(None, False), ("", False), ([], False), ((), False), ({}, False),
                                               (False, True), (0, True), ("x", True), ([0], True)])  # fmt: skip
def test_a_flag_that_is_off_and_a_zero_are_answers(value: object, filled: bool) -> None:
    given = {**GIVEN, "overtime_reason": value}
    late = Situation(WorkOrderState.WORKING, red=True)
    if filled:
        assert advance(late, Verb.FINISH, frozenset({Post.DS}), given).to == "done"
        return
    with pytest.raises(Invalid) as refusal:
        advance(late, Verb.FINISH, frozenset({Post.DS}), given)
    assert refusal.value.field == "overtime_reason"


def test_a_refusal_says_what_is_possible_instead() -> None:
    """The page that was behind offers the right buttons at once."""
    with pytest.raises(Refused) as refusal:
        advance(Situation(WorkOrderState.SENT), Verb.SUBMIT, SENIOR, {})
    verbs = [row.verb.value for row in workflow.rows_from(WorkOrderState.SENT)]
    assert refusal.value.details == {"state": "sent", "action": "submit", "allowed": verbs}
    assert refusal.value.message == "submit is not possible while the order is sent"
    with pytest.raises(Refused) as early:
        advance(Situation(None), Verb.SUBMIT, SENIOR, {})
    assert early.value.message == "submit is not possible while the order is not there"
    with pytest.raises(Forbidden) as forbidden:
        advance(Situation(State.DRAFT), Verb.SUBMIT, frozenset({Post.QC, Post.DM}), {})
    posts = sorted(post.value for post in Post if Verb.SUBMIT in workflow.allowed(State.DRAFT, {post}))
    assert forbidden.value.details == {"action": "submit", "posts": ["DM", "QC"], "allowed": posts}


def test_a_paused_order_stands_still() -> None:
    with pytest.raises(Refused) as refusal:
        advance(Situation(State.DRAFT, control=Control.PAUSED), Verb.SUBMIT, SENIOR, GIVEN)
    assert (refusal.value.code, refusal.value.details) == ("paused", {"action": "submit"})
    assert refusal.value.message == "the order is paused; resume it first"


@pytest.mark.req("MN-03")
@pytest.mark.parametrize("state", [None, *State, *WorkOrderState], ids=repr)
def test_the_buttons_of_a_page_are_the_steps_the_interpreter_takes(state: State | WorkOrderState | None) -> None:
    """Of a paused order what a pause does not hold up; resuming is offered then only, though it harms nothing else."""
    for post in Post:
        held = frozenset({post})
        mine = [row for row in workflow.rows_from(state) if post in row.posts]
        paused = workflow.allowed(state, held, Control.PAUSED)
        assert paused == tuple(row.verb for row in mine if row.while_paused)
        running = tuple(row.verb for row in mine if row.verb is not Verb.RESUME)
        assert workflow.allowed(state, held) == workflow.allowed(state, held, Control.RUN) == running
    if isinstance(state, State) and state in OPEN:
        assert Verb.RESUME in workflow.allowed(state, SENIOR, Control.PAUSED)
        assert Verb.PAUSE in workflow.allowed(state, SENIOR)
    assert workflow.allowed(state, ()) == workflow.allowed(state, (), Control.PAUSED) == ()


@pytest.mark.req("SV-07", "RP-03")
@pytest.mark.parametrize(
    ("follow_up", "final", "live", "to"),
    [
        (True, True, False, State.SURVEY),
        (False, True, False, State.CLOSED),
        (True, False, True, State.IN_PROCESS),
        (True, False, False, State.REPLYING),
    ],
)
def test_where_a_reply_leads(follow_up: bool, final: bool, live: bool, to: State) -> None:
    """The last one ends the order or has the customer called; another leaves it where its work stands."""
    replied = Situation(State.REPLYING, Kind.COMPLAINT, follow_up=follow_up, final=final, live_work=live)
    assert advance(replied, Verb.REPLY, SENIOR, GIVEN).to is to
    answered = Situation(State.REGISTERED, Kind.INQUIRY, follow_up=follow_up)
    assert advance(answered, Verb.ANSWER, SENIOR, GIVEN).to is (State.SURVEY if follow_up else State.CLOSED)


@pytest.mark.req("T18", "T19", "T20")
@pytest.mark.parametrize("to", [State.REPLYING, State.AT_SENIOR, State.CANCELLED])
def test_the_product_settles_an_order_as_its_work_orders_amount_to(to: State) -> None:
    settled = Situation(State.IN_PROCESS, Kind.COMPLAINT, settled=to)
    decision = advance(settled, Verb.SETTLE, frozenset(), {}, system=True)
    assert decision.to is to
    assert decision.stop_all == ("stop" if to is State.CANCELLED else "")


def test_the_product_itself_opens_drafts_hands_vips_over_and_settles_and_nothing_else() -> None:
    by_itself = {Verb.OPEN, Verb.HAND_TO_SENIOR, Verb.SETTLE, Verb.SEND, Verb.CALL_OFF}
    assert {row.verb for row in workflow.ROWS if row.system} == by_itself
    assert advance(Situation(None), Verb.OPEN, frozenset(), GIVEN, system=True).to is State.DRAFT
    with pytest.raises(Forbidden):
        advance(Situation(State.DRAFT), Verb.SUBMIT, frozenset(), GIVEN, system=True)


def test_an_order_and_a_work_order_share_names_of_states_but_no_steps() -> None:
    assert State.ACCEPTED.value == WorkOrderState.ACCEPTED.value
    of_order = {
        Verb.PAUSE,
        Verb.RESUME,
        Verb.CANCEL,
        Verb.ASK_FORCE_END,
        Verb.FORCE_END,
        Verb.KEEP,
        Verb.CUSTOMER_ADDS,
        Verb.REASSIGN,
    }
    assert {row.verb for row in workflow.rows_from(State.ACCEPTED)} == of_order
    assert {row.verb for row in workflow.rows_from(WorkOrderState.ACCEPTED)} & {Verb.BEGIN, Verb.CANCEL} == {Verb.BEGIN}


@pytest.mark.req("PR-06")
def test_a_condition_may_ask_for_more() -> None:
    late = Situation(WorkOrderState.WORKING, red=True)
    with pytest.raises(Invalid) as refusal:
        advance(late, Verb.FINISH, frozenset({Post.DS}), GIVEN)
    assert refusal.value.field == "overtime_reason"
    assert advance(late, Verb.FINISH, frozenset({Post.DS}), {**GIVEN, "overtime_reason": "x"}).to == "done"


SETTLED = [
    (["done", "done"], State.REPLYING),
    (["done", "working"], None),
    (["done", "proposed"], None),
    (["done", "returned"], State.AT_SENIOR),
    (["returned"], State.AT_SENIOR),
    (["transferred", "done"], State.REPLYING),
    (["recalled", "done"], State.REPLYING),
    (["recalled", "transferred", "recalled"], State.CANCELLED),
    (["transferred"], None),
    (["recalled", "returned"], State.AT_SENIOR),
    (["recalled", "transferred", "cancelled"], State.CANCELLED),
    (["recalled", "force_ended"], None),
    ([], None),
]


@pytest.mark.req("T18", "T19", "T20")
@pytest.mark.parametrize(("works", "to"), SETTLED, ids=str)
def test_what_work_orders_amount_to(works: list[str], to: State | None) -> None:
    found = [WorkOrderState(work) for work in works]
    assert {settle.settled(state, found) for state in settle.SETTLING} == {to}
    assert settle.settled(State.REPLYING, found) is None
    assert settle.is_live(found) is ("working" in works or "proposed" in works)


def test_who_is_called_back_is_data() -> None:
    rules_ = follow_up.parse('[kind]\ncomplaint = true\n[business]\nmobile = false\n[nature]\n"mistake.x" = true\n')
    asked = [
        {"kind": "complaint"},
        {"kind": "complaint", "business": "mobile.data"},
        {"kind": "inquiry", "business": "mobile.data", "nature": "mistake.x"},
        {"kind": "inquiry"},
    ]
    assert [rules_.share(order) > 0 for order in asked] == [True, False, True, False]
    for text in ("[wind]", "[kind]\ncomplaint = 2", "["):
        with pytest.raises(Invalid, match="bad_follow_up"):
            follow_up.parse(text)
    assert follow_up.shipped().share({"kind": "complaint"}) == 1


@pytest.mark.parametrize(
    ("situation", "started", "stopped"),
    [
        (Situation(State.DRAFT, Kind.COMPLAINT, promised=True), {"K10", "K10L", "K11", "K5"}, {"K3"}),
        (Situation(State.DRAFT, Kind.COMPLAINT, at_once=True), {"K10", "K10L", "K5", "K7"}, {"K3"}),
        (Situation(State.DRAFT, Kind.SUGGESTION), {"K10", "K5"}, {"K3", "K6"}),
        (Situation(State.DRAFT, Kind.INQUIRY), {"K10"}, {"K3", "K6"}),
    ],
)
def test_submission_turns_the_clocks_of_its_kind(situation: Situation, started: set[str], stopped: set[str]) -> None:
    decision = advance(situation, Verb.SUBMIT, SENIOR, {})
    assert {start.clock.value for start in decision.starts} == started
    assert {stop.clock.value for stop in decision.stops} == stopped


def test_a_table_with_two_answers_or_an_unknown_word_is_no_table() -> None:
    row = workflow.ROWS[1]
    with pytest.raises(ValueError, match="already T2"):
        workflow.table([row, row])
    odd = Transition("T99", Verb.OPEN, (None,), (State.DRAFT,), SENIOR, starts=(Start(Clock.WHOLE, when="full moon"),))
    with pytest.raises(ValueError, match="unknown"):
        workflow.table([odd])
    for words in ({"stop_all_when": "full moon"}, {"required_when": (("full moon", "text"),)}):
        with pytest.raises(ValueError, match="T97: unknown"):
            workflow.table([Transition("T97", Verb.OPEN, (None,), (State.DRAFT,), SENIOR, **words)])
    with pytest.raises(ValueError, match="choice"):
        workflow.table([Transition("T98", Verb.OPEN, (None,), (State.SURVEY, State.CLOSED), SENIOR)])


def test_states_are_sorted_once() -> None:
    assert frozenset(State) == OPEN | ENDED | UNBORN
    assert not OPEN & ENDED
    assert not OPEN & UNBORN
    assert all(rules.takes_contacts(state) is (state in OPEN) for state in State)


def test_the_voice_menu_has_a_step_for_every_open_state_and_none_for_the_rest() -> None:
    for state in State:
        expected = state in OPEN - {State.REPORTING, State.ANALYSIS}
        assert (rules.next_step(state, Control.RUN) is not None) is expected, state
    assert rules.next_step(State.IN_PROCESS, Control.PAUSED) is None


def test_diagram_and_tables_are_printed_from_the_rows() -> None:
    drawn = diagram.mermaid()
    assert drawn.startswith("stateDiagram-v2\n    [*] --> draft: T1 open\n")
    assert "    draft --> registered: T2 submit\n" in drawn
    assert "    no_order --> [*]\n" in drawn
    assert "| T38 | DRAFT → MERGED | merge | JA TE RX SA MH FU | into_serial | stop all (void) |" in diagram.table()
    assert "start K6-A from receipt; start K3 if paper from receipt" in diagram.table()
    assert len(diagram.permissions().splitlines()) == 2 + len(workflow.ROWS)
    assert diagram.clocks(Transition("T0", Verb.OPEN, (None,), (), SENIOR, stops=(Stop(Clock.ENTRY),))) == "stop K3"


def test_the_page_of_transitions_is_what_the_table_prints() -> None:
    page = Path(workflow.__file__).parents[2] / "docs" / "transitions.md"
    assert page.read_text(encoding="utf-8") == diagram.document()


def test_the_readme_shows_the_table_as_it_is() -> None:
    readme = files("ticketing.orders").joinpath("README.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{diagram.mermaid()}```" in readme
    assert diagram.table() in readme
