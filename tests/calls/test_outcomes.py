"""Outcomes, stays and offers of single calls (TL-12)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cti.calls import events as ev
from cti.calls.model import CallRecord, FloorSettings, OfferResult, Outcome, agent_of, agent_of_channel
from cti.calls.stats import figures
from tests.calls.stories import Caller, at, member, told

A, B = "PJSIP/1001", "PJSIP/1002"
Story = Callable[[Caller], list[ev.CallEvent]]


def answered(caller: Caller) -> list[ev.CallEvent]:
    return [*caller.asks(0), caller.offered(3, A), *caller.talks(5, 60, A)]


def abandoned(caller: Caller) -> list[ev.CallEvent]:
    return [*caller.asks(0), caller.left(6), caller.abandoned(6), caller.ended(6.1, "queue"), caller.hung_up(6.1)]


def short(caller: Caller) -> list[ev.CallEvent]:
    return [*caller.asks(0), caller.left(3), caller.abandoned(3), caller.ended(3.1, "queue"), caller.hung_up(3.1)]


def moved(caller: Caller, *more: ev.CallEvent) -> list[ev.CallEvent]:
    """Asterisk says abandoned, yet the caller went on in the dialplan (P13)."""
    return [*caller.asks(0), caller.left(42), caller.abandoned(42), caller.returned(42, "TIMEOUT"), *more]


def recorded(caller: Caller) -> list[ev.CallEvent]:
    return [*moved(caller), caller.recording(60, "recorded"), caller.hung_up(61)]


def booked(caller: Caller) -> list[ev.CallEvent]:
    return [*moved(caller), caller.ended(60, "booked"), caller.hung_up(61)]


def unanswered(caller: Caller) -> list[ev.CallEvent]:
    return [*moved(caller), caller.ended(60, "unanswered"), caller.hung_up(61)]


def gone_after_timeout(caller: Caller) -> list[ev.CallEvent]:
    return [*moved(caller), caller.ended(43, "queue"), caller.hung_up(43)]


def refused(caller: Caller) -> list[ev.CallEvent]:
    return [caller.opened(0), caller.refused(0.1), caller.hung_up(3)]


def closed(caller: Caller) -> list[ev.CallEvent]:
    return [caller.opened(0), caller.entered(0.1), caller.routed(1), caller.refused(2, "closed"), caller.hung_up(3)]


def out_of_hours(caller: Caller) -> list[ev.CallEvent]:
    """The menu itself ends his way, before he could ask for anybody (TL-06)."""
    return [
        *(caller.opened(0), caller.entered(0.1), caller.stepped(1), caller.stepped(2, "closed", "")),
        *(caller.ended(9, "ivr"), caller.hung_up(10)),
    ]


def full(caller: Caller) -> list[ev.CallEvent]:
    return [caller.opened(0), caller.entered(0.1), caller.routed(1), caller.returned(2, "FULL"), caller.hung_up(9)]


def empty(caller: Caller) -> list[ev.CallEvent]:
    return [*moved(caller), caller.returned(50, "JOINEMPTY"), caller.hung_up(59)]


def menu(caller: Caller) -> list[ev.CallEvent]:
    return [caller.opened(0), caller.entered(0.1), caller.stepped(1, "standards", "4"), caller.hung_up(20)]


OUTCOMES: list[tuple[Story, Outcome, str, str]] = [
    (answered, Outcome.ANSWERED, "", "agent"),
    (abandoned, Outcome.ABANDONED, "", "caller"),
    (short, Outcome.SHORT_ABANDONED, "", "caller"),
    (recorded, Outcome.LEFT_RECORDING, "", "hung_up"),
    (booked, Outcome.BOOKED_CALLBACK, "", "hung_up"),
    (unanswered, Outcome.FAILED, "", "hung_up"),
    (gone_after_timeout, Outcome.ABANDONED, "", "hung_up"),
    (refused, Outcome.REFUSED, "caller_number", "hung_up"),
    (closed, Outcome.REFUSED, "closed", "hung_up"),
    (out_of_hours, Outcome.REFUSED, "closed", "hung_up"),
    (full, Outcome.REFUSED, "full", "hung_up"),
    (empty, Outcome.REFUSED, "empty", "hung_up"),
    (menu, Outcome.SERVED_BY_IVR, "", "hung_up"),
]


@pytest.mark.req("TL-12")
@pytest.mark.parametrize(
    ("story", "outcome", "refusal", "reason"), OUTCOMES, ids=lambda value: getattr(value, "__name__", None)
)
def test_each_call_has_one_outcome(story: Story, outcome: Outcome, refusal: str, reason: str) -> None:
    record = told(story(Caller()))
    assert (record.outcome, record.refusal, record.end_reason) == (outcome, refusal, reason)
    assert not record.open
    assert record.unseen == ()


@pytest.mark.req("TL-12")
def test_outcomes_of_a_mixed_day_add_up() -> None:
    day = [told(story(Caller(number))) for number, (story, *_) in enumerate(OUTCOMES, 1)]
    found = figures(day)
    assert found.adds_up
    assert found.total == len(OUTCOMES)
    assert found.outcomes == {
        Outcome.ANSWERED: 1,
        Outcome.ABANDONED: 2,
        Outcome.SHORT_ABANDONED: 1,
        Outcome.LEFT_RECORDING: 1,
        Outcome.BOOKED_CALLBACK: 1,
        Outcome.REFUSED: 5,
        Outcome.FAILED: 1,
        Outcome.SERVED_BY_IVR: 1,
    }
    assert found.asked == len(OUTCOMES) - 3


@pytest.mark.parametrize(
    ("hangs_up", "limit", "outcome"),
    [
        (5.999, 5_000, Outcome.SHORT_ABANDONED),
        (6.0, 5_000, Outcome.ABANDONED),
        (6.0, 5_001, Outcome.SHORT_ABANDONED),
    ],
)
def test_short_abandon_is_measured_from_asking(hangs_up: float, limit: int, outcome: Outcome) -> None:
    caller = Caller()
    facts = [*caller.asks(0), caller.left(hangs_up), caller.abandoned(hangs_up), caller.hung_up(hangs_up)]
    assert told(facts, FloorSettings(short_abandon_ms=limit)).outcome is outcome


@pytest.mark.req("TL-07")
def test_a_hang_up_in_the_menu_keeps_the_path() -> None:
    caller = Caller()
    record = told(
        [*menu(caller)[:2], caller.stepped(1, "main", "3"), caller.stepped(2, "progress", ""), caller.hung_up(3)]
    )
    assert [(step.node, step.key, step.at) for step in record.path] == [("main", "3", at(1)), ("progress", "", at(2))]
    assert record.entered_at == at(0.1)
    assert record.ended_at == at(3)
    assert record.asked_at is None
    assert record.wait_ms is None
    assert record.talk_ms is None


def test_what_the_menu_found_out_is_in_the_record() -> None:
    record = told(answered(Caller()))
    assert (record.dnis, record.ani, record.lang, record.notice) == ("1860", "13800001111", "zh", "notice")
    assert (record.customer, record.match, record.vip) == ("c-7", "one", "major")
    assert (record.queue, record.priority, record.reason) == ("complaint", 5, "menu")
    assert (record.asked_at, record.joined_at) == (at(1), at(2))
    assert record.recording == "started"
    assert record.end_step == "talked"
    assert record.left_status == "ANSWERED"
    assert record.talk_ended_at == at(60)
    assert record.ended_at == at(60.01)
    assert not record.rescued
    assert {leg.uniqueid: (leg.channel, leg.ended_at, leg.cause) for leg in record.legs} == {
        "1773106200.100": ("PJSIP/trunk-00000001", at(60.01), 16),
        "1773106200.101": ("PJSIP/1001-00000001", at(60.005), 16),
    }


@pytest.mark.req("TL-11")
def test_offers_end_missed_withdrawn_or_answered() -> None:
    caller = Caller()
    record = told(
        [
            *caller.asks(0),
            caller.offered(2, A),
            *caller.rings_out(10, A),
            caller.offered(11, A),
            caller.offered(11.1, B),
            *caller.talks(13, 60, B),
        ]
    )
    assert [(offer.agent, offer.result, offer.at, offer.answered_at, offer.ended_at) for offer in record.offers] == [
        ("1001", OfferResult.MISSED, at(2), None, at(10)),
        ("1001", OfferResult.WITHDRAWN, at(11), None, at(13)),
        ("1002", OfferResult.ANSWERED, at(11.1), at(13), at(60)),
    ]


def test_a_ring_cut_by_the_end_of_the_callers_time_is_no_miss() -> None:
    caller = Caller()
    ring = [caller.offered(40, A), caller.missed(42, A, 2000), caller.hung_up(42, A)]
    record = told([*caller.asks(0), *ring, *moved(caller)[7:], caller.hung_up(50)])
    assert [(offer.result, offer.ended_at) for offer in record.offers] == [(OfferResult.WITHDRAWN, at(42))]


def test_a_ring_whose_leg_ended_is_over() -> None:
    caller = Caller()
    record = told([*caller.asks(0), caller.offered(3, A), caller.hung_up(5, A), *abandoned(caller)[7:]])
    assert [(offer.result, offer.ended_at) for offer in record.offers] == [(OfferResult.WITHDRAWN, at(5))]


@pytest.mark.req("TL-12")
def test_two_rounds_are_two_stays() -> None:
    caller = Caller()
    record = told([*moved(caller), caller.joined(50), caller.left(55), caller.abandoned(55), caller.hung_up(55)])
    assert [(stay.queue, stay.joined_at, stay.left_at, stay.status) for stay in record.stays] == [
        ("complaint", at(2), at(42), "TIMEOUT"),
        ("complaint", at(50), at(55), "ABANDONED"),
    ]
    assert record.left_status == "ABANDONED"
    assert record.outcome is Outcome.ABANDONED
    assert record.joined_at == at(2)


def test_the_rescue_path_asks_for_a_person() -> None:
    caller = Caller()
    record = told(
        [
            caller.opened(0),
            caller.entered(0.1),
            caller.rescued(1),
            caller.joined(5),
            caller.offered(5.1, A),
            *caller.talks(6, 9, A),
        ]
    )
    assert record.rescued
    assert record.rescue_why == "no_service"
    assert record.asked_at == at(1)
    assert record.unseen == ()


def test_the_grade_and_the_last_reason_are_kept() -> None:
    caller = Caller()
    graded = ev.Graded(at=at(59), call_id=caller.id, uniqueid=caller.channel, grade="1")
    record = told(
        [
            *caller.asks(0),
            caller.offered(3, A),
            caller.answered(5, A),
            graded,
            caller.completed(58, A, "caller"),
            caller.hung_up(58, A),
            caller.hung_up(60),
        ]
    )
    assert (record.grade, record.end_reason) == ("1", "caller")


@pytest.mark.req("PX-04")
def test_a_call_that_a_supervisor_ended_says_so() -> None:
    """Whichever side Asterisk reports as having hung up."""
    caller = Caller()
    ends = ev.CallDisconnected(at=at(20), call_id=caller.id, by="3001")
    record = told([*caller.asks(0), caller.offered(3, A), *caller.talks(5, 20.1, A), ends])
    assert (record.outcome, record.end_reason, record.answered_by) == (Outcome.ANSWERED, "supervisor", "1001")


@pytest.mark.req("TL-70")
def test_what_was_not_seen_is_named() -> None:
    caller = Caller()
    record = told([caller.opened(0), caller.answered(5, A), caller.hung_up(9, ""), caller.ended(9, "talked")])
    assert record.unseen == ("asked_at", "entered_at", "joined_at", "offered_at", "talk_ended_at")
    assert [(offer.at, offer.result, offer.ring_ms) for offer in record.offers] == [(at(5), OfferResult.ANSWERED, 0)]
    assert record.outcome is Outcome.ANSWERED
    assert record.talk_ended_at == at(9)


@pytest.mark.req("TL-70")
@pytest.mark.parametrize(
    ("step", "outcome"),
    [("queue", Outcome.ABANDONED), ("unanswered", Outcome.FAILED), ("ivr", Outcome.SERVED_BY_IVR)],
)
def test_the_last_step_proves_that_a_person_was_asked_for(step: str, outcome: Outcome) -> None:
    caller = Caller()
    record = told([caller.opened(0), caller.entered(0.1), caller.ended(9, step), caller.hung_up(9)])
    assert record.outcome is outcome
    assert record.asked_at == (None if step == "ivr" else at(0.1))
    assert record.unseen == (() if step == "ivr" else ("asked_at",))


def test_a_wait_of_unknown_length_is_never_short() -> None:
    caller = Caller()
    record = told(
        [caller.opened(0), caller.entered(0.1), caller.joined(1), caller.ended(2, "queue"), caller.hung_up(2)]
    )
    assert (record.outcome, record.asked_at, record.unseen) == (Outcome.ABANDONED, at(1), ("asked_at",))


def test_a_miss_without_its_offer_is_placed_by_the_ring_time() -> None:
    caller = Caller()
    record = told([*caller.asks(0), caller.missed(10, A), *abandoned(caller)[7:], caller.hung_up(20)])
    assert [(offer.at, offer.result) for offer in record.offers] == [(at(2), OfferResult.MISSED)]
    assert record.unseen == ("offered_at",)


def test_a_queue_without_its_join_begins_with_the_routing() -> None:
    caller = Caller()
    record = told([*caller.asks(0)[:-1], caller.offered(3, A), *caller.talks(5, 60, A)])
    assert record.joined_at == at(1)
    assert record.unseen == ("joined_at",)


@pytest.mark.parametrize(
    ("interface", "agent"),
    [("PJSIP/1001", "1001"), ("Local/1001@agents/n", "1001"), ("SIP/1001/x", "1001"), ("1001", ""), ("", "")],
)
def test_agent_of_an_interface(interface: str, agent: str) -> None:
    assert agent_of(interface) == agent


@pytest.mark.parametrize(
    ("channel", "agent"), [("PJSIP/1001-0000000a", "1001"), ("PJSIP/web-1001-00000001", "web-1001"), ("x", "")]
)
def test_agent_of_a_channel(channel: str, agent: str) -> None:
    assert agent_of_channel(channel) == agent


def test_an_open_call_has_no_outcome() -> None:
    record = CallRecord(call_id="x", entered_at=at(0))
    assert record.open
    assert member(0, A).interface == A
