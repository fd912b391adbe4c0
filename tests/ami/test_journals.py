"""Lines of `queue_log` and of the channel event log become the facts that the events of the same calls tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cti.ami.journals import CEL_WITHIN_MS, QUEUE_LOG_WITHIN_MS, CelRow, QueueLine, cel_row, ends, facts, queue_line
from cti.calls import events as ev
from cti.calls.model import Floor, OfferResult, Outcome
from cti.calls.record import record_of
from cti.calls.reducer import close_all, reduce, take_changed

DATA = Path(__file__).resolve().parents[1] / "data" / "journals"
ABANDONED, ANSWERED = "20261128231458-000000932384", "20261128231516-000020784685"


def captured() -> tuple[list[CelRow], list[QueueLine]]:
    """Both journals of two real calls: one abandoned while it rang, one missed once and then answered."""
    rows = [cel_row(line) for line in (DATA / "two_calls.csv").read_text(encoding="utf-8").splitlines()]
    lines = [queue_line(line) for line in (DATA / "two_calls.queue_log").read_text(encoding="utf-8").splitlines()]
    assert all(rows)
    return [row for row in rows if row], [line for line in lines if line]


def moment(text: str) -> datetime:
    """A time of the captured day, UTC."""
    return datetime.fromisoformat(f"2026-11-28T{text}").replace(tzinfo=UTC)


@pytest.mark.req("TL-70", "N2", "F01")
def test_two_calls_nobody_heard_of_have_their_records() -> None:
    """The times are those the manager's events had, within the precision that is marked."""
    told = facts(*captured())
    floor = Floor()
    reduce(floor, ev.JournalRead(at=told[-1].at, facts=tuple(told)))
    close_all(floor)
    abandoned, answered = take_changed(floor)
    within = timedelta(milliseconds=CEL_WITHIN_MS)
    assert (abandoned.call_id, abandoned.outcome, abandoned.end_reason) == (ABANDONED, Outcome.ABANDONED, "caller")
    assert (abandoned.ani, abandoned.dnis, abandoned.notice, abandoned.end_step) == (
        "13800138002",
        "1860",
        "notice@1",
        "queue",
    )
    assert abandoned.joined_at is not None
    assert abs(abandoned.joined_at - moment("23:15:12.947670")) < within
    assert [(offer.agent, offer.result, offer.queue) for offer in abandoned.offers] == [
        ("1002", OfferResult.WITHDRAWN, "complaint")
    ]
    assert (answered.call_id, answered.outcome, answered.answered_by) == (ANSWERED, Outcome.ANSWERED, "1002")
    assert (answered.end_reason, answered.left_status, answered.priority) == ("agent", "ANSWERED", 5)
    assert [offer.result for offer in answered.offers] == [OfferResult.MISSED, OfferResult.ANSWERED]
    times = (answered.entered_at, answered.asked_at, answered.joined_at, answered.answered_at)
    heard = ("23:15:16.009481", "23:15:25.131896", "23:15:30.823973", "23:15:39.853127")
    for time, text in zip((*times, answered.talk_ended_at), (*heard, "23:15:41.869861"), strict=True):
        assert time is not None
        assert abs(time - moment(text)) < within
    assert {"answered_at~100ms", "events", "talk_ended_at~100ms"} <= set(answered.unseen)


@pytest.mark.req("TL-70")
def test_without_channel_events_times_are_known_to_the_second() -> None:
    """The call is known from elsewhere; `queue_log` alone says who answered, and the record says how precisely."""
    _, lines = captured()
    told = facts([], lines, {"1795907716.20": ANSWERED}.get)
    assert {fact.within_ms for fact in told} == {QUEUE_LOG_WITHIN_MS}
    assert {fact.call_id for fact in told} == {ANSWERED}
    assert [type(fact).__name__ for fact in told] == [
        *("CallerJoined", "AgentMissed", "CallerLeft", "AgentAnswered", "AgentCompleted"),
    ]
    floor = Floor()
    reduce(floor, ev.JournalRead(at=told[-1].at, facts=tuple(told)))
    record = record_of(floor.calls[ANSWERED], floor.settings)
    assert (record.answered_by, record.answered_at) == ("1002", moment("23:15:39"))
    assert {"answered_at~1000ms", "joined_at~1000ms", "talk_ended_at~1000ms"} <= set(record.unseen)


def test_a_call_known_to_neither_is_left_out() -> None:
    _, lines = captured()
    assert facts([], lines) == []
    headset = CelRow(moment("23:00:00"), "CHAN_START", "1.1", "1.1", "PJSIP/1002-00000001", "", "", "")
    assert facts([headset], []) == []


@pytest.mark.parametrize(
    "line",
    [
        "",
        "1795907695|NONE|NONE|NONE|QUEUESTART|",
        "1795907698|MANAGER|complaint|PJSIP/1002|ADDMEMBER|",
        "1795907712|1795907698.0|complaint",
        "yesterday|1795907698.0|complaint|NONE|ABANDON|1|1|0",
        "\uff11|1795907698.0|complaint|NONE|ABANDON|1|1|0",
        "99999999999999999|1795907698.0|complaint|NONE|ABANDON|1|1|0",
    ],
)
def test_a_line_about_no_caller_or_cut_short_is_none(line: str) -> None:
    assert queue_line(line) is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        '"1795907698.386729","CHAN_START"',
        '"1795907698.386729","CHAN_START","1.0","1.0","PJSIP/trunk-0","","","","more"',
        '"now","CHAN_START","1.0","1.0","PJSIP/trunk-0","","",""',
        '"1795907698.386729","CHAN_START","1.0","1.0","PJSIP/tr',
    ],
)
def test_a_row_of_another_form_or_cut_short_is_none(line: str) -> None:
    assert cel_row(line) is None


@pytest.mark.req("S03")
@pytest.mark.parametrize(
    "extra",
    [
        "",
        "Step: queue",
        "[]",
        '{"extra": 7}',
        '{"extra": "Step: queue\\r\\nEvent: Hangup"}',
        '{"extra": "Step: queue\\n"}',
    ],
)
def test_what_is_no_word_of_the_dialplan_tells_nothing(extra: str) -> None:
    row = CelRow(moment("23:00:00"), "CtiEnd", "1.0", "1.0", "PJSIP/trunk-0", "", ANSWERED, extra)
    assert facts([row], []) == []


def test_an_account_that_is_no_call_of_ours_is_none() -> None:
    row = cel_row('"1795907698.386729","HANGUP","1.0","1.0","PJSIP/trunk-0","","accounts-1",""')
    assert row is not None
    assert row.call_id == ""


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("ABANDON", ["CallerLeft", "CallerAbandoned"]),
        ("EXITWITHTIMEOUT", ["CallerLeft", "CallerAbandoned"]),
        ("EXITEMPTY", ["CallerLeft", "CallerAbandoned"]),
        ("EXITWITHKEY", ["CallerLeft"]),
        ("BLINDTRANSFER", ["AgentCompleted"]),
        ("RINGCANCELED", []),
    ],
)
def test_each_way_out_of_a_queue(kind: str, names: list[str]) -> None:
    line = queue_line(f"1795907712|1.0|complaint|1002|{kind}|1|1|0")
    assert line is not None
    assert [type(fact).__name__ for fact in facts([], [line], {"1.0": ANSWERED}.get)] == names


def test_a_member_without_a_name_is_called_by_its_interface() -> None:
    line = queue_line("1795907738|1.0|complaint|PJSIP/4001|RINGNOANSWER|8000")
    assert line is not None
    (missed,) = facts([], [line], {"1.0": ANSWERED}.get)
    assert isinstance(missed, ev.AgentMissed)
    assert (missed.interface, missed.agent, missed.ring_ms) == ("PJSIP/4001", "4001", 8000)


def test_a_call_the_product_placed_offers_nobody() -> None:
    """The phone of the agent who is kept for a callback is told of by who placed the call."""
    row = CelRow(moment("23:00:00"), "CHAN_START", "1.5", "cb-123456789-1", "PJSIP/1002-00000001", "", "", "")
    assert facts([row], [], {"cb-123456789-1": ANSWERED}.get) == []


def test_how_the_calls_that_the_product_placed_ended() -> None:
    """After a start the journal is what tells whether somebody was rung: only channels of ours, only their ends."""
    line = '"1795907700.5","{}","{}","{}","Local/cb-1@cti-out-0a;1","AppDial2","","{}"'
    said = [
        ("HANGUP", "cb-100000017-1.1", '{""hangupcause"":17,""dialstatus"":""BUSY""}'),
        ("HANGUP", "cb-100000025-1.1", '{""hangupcause"":16}'),
        ("HANGUP", "cb-100000033-1.1", '{""dialstatus"":7}'),
        ("HANGUP", "cb-100000041-1.1", "cut short"),
        ("CHAN_END", "cb-100000058-1.1", '{""dialstatus"":""ANSWER""}'),
        ("HANGUP", "1795907698.0", '{""dialstatus"":""ANSWER""}'),
    ]
    rows = [cel_row(line.format(kind, channel, channel, extra)) for kind, channel, extra in said]
    assert ends(row for row in rows if row) == {
        "cb-100000017-1.1": "BUSY",
        "cb-100000025-1.1": "",
        "cb-100000033-1.1": "",
        "cb-100000041-1.1": "",
    }
    assert len([row for row in rows if row]) == len(said)


@pytest.mark.req("TL-70")
def test_a_phone_that_begins_to_ring_and_a_channel_that_ends_are_told_in_full() -> None:
    """As the manager's events tell them, so that a call known to both is the same call; the queue is not known here."""
    row = CelRow(moment("23:00:00"), "CHAN_START", "1.5", "1.1", "PJSIP/1002-00000001", "", ANSWERED, "")
    ids = {"at": row.at, "call_id": ANSWERED, "linkedid": "1.1", "within_ms": CEL_WITHIN_MS}
    assert facts([row], []) == [
        ev.AgentOffered(
            **ids,  # type: ignore[arg-type]
            uniqueid="1.1",
            queue="",
            interface="PJSIP/1002",
            agent="1002",
            leg="1.5",
            channel="PJSIP/1002-00000001",
        )
    ]
    for channel, uniqueid in (("PJSIP/trunk-00000001", "1.5"), ("PJSIP/1002-00000001", "1.1")):
        assert facts([replace(row, channel=channel, uniqueid=uniqueid)], []) == []
    for extra, cause in (('{"hangupcause":17}', 17), ('{"hangupcause":"17"}', 0), ('{"cause":17}', 0), ("", 0)):
        gone = replace(row, kind="HANGUP", extra=extra)
        (ended,) = facts([gone], [])
        assert ended == ev.ChannelEnded(**ids, uniqueid="1.5", channel=row.channel, cause=cause)  # type: ignore[arg-type]


@pytest.mark.req("TL-70")
def test_what_a_queue_did_is_told_in_full() -> None:
    """Each field as the manager's events have it, the time from the channel event that goes with the line."""
    kinds = (ev.CallerJoined, ev.AgentMissed, ev.CallerLeft, ev.AgentAnswered, ev.AgentCompleted)
    told = [fact for fact in facts(*captured()) if isinstance(fact, kinds) and fact.call_id == ANSWERED]
    ids: dict[str, Any] = {"call_id": ANSWERED, "uniqueid": "1795907716.20", "linkedid": "1795907716.20"}
    ids |= {"within_ms": CEL_WITHIN_MS, "queue": "complaint"}
    agent: dict[str, Any] = {"interface": "PJSIP/1002", "agent": "1002"}
    answered_at = moment("23:15:39.848956")
    assert told == [
        ev.CallerJoined(at=moment("23:15:30.823614"), **ids, ani="13800138003", position=1),
        ev.AgentMissed(at=moment("23:15:38.831533"), **ids, **agent, leg="1795907730.31", ring_ms=8000),
        ev.CallerLeft(at=answered_at, **ids),
        ev.AgentAnswered(at=answered_at, **ids, **agent, leg="1795907739.35", channel="PJSIP/1002-00000004"),
        ev.AgentCompleted(at=moment("23:15:41.902246"), **ids, **agent, leg="1795907739.35", reason="agent"),
    ]
