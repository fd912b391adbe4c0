"""Asterisk's own counters beside ours, with what makes the difference (TL-13). Pure.

app_queue counts stays: who leaves unanswered because his time is over is abandoned to it (P13), who leaves by a key is
not counted at all, and a talk counts when it ends. We count callers by how their call ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cti.calls.events import QueueSeen
from cti.calls.formulas import Formula
from cti.calls.model import CallRecord, Counters, Floor, Outcome, Stay

#: counters that are older are compared from now on: longer ago we would read for nothing (default)
LONGEST: Final = timedelta(days=7)
#: nobody stays in a call for longer; so far back calls are read that may have left a queue since
LONGEST_CALL: Final = timedelta(hours=12)
_GAVE_UP: Final = frozenset({Outcome.ABANDONED, Outcome.SHORT_ABANDONED})

#: Why the counters differ, in words; the number beside each is theirs less ours.
REASONS: Final[Mapping[str, Formula]] = {
    "moved": Formula(
        "等候到时后转入录音、回呼或再次排队",
        "moved on to the dialogue or to a second wait",
        "Asterisk 计为放弃，来电者其实没有挂机",
        "abandoned to Asterisk, yet the caller had not hung up",
    ),
    "gave_up_later": Formula(
        "离开队列后才挂机",
        "hung up after leaving the queue",
        "我们计为放弃，Asterisk 已在离开队列时计过",
        "given up to us; Asterisk has counted the leaving already",
    ),
    "never_joined": Formula(
        "要求人工后、入队前挂机",
        "hung up between asking and joining",
        "我们计为放弃，队列从未见过",
        "given up to us; the queue never saw the caller",
    ),
    "ended_otherwise": Formula(
        "在队列中断线，另有结局",
        "left with the queue and has another outcome",
        "Asterisk 计为放弃，我们计为故障等其他结局",
        "abandoned to Asterisk; failed or another outcome to us",
    ),
    "still_talking": Formula(
        "仍在通话",
        "still talking",
        "接听即计入我们的数字，通话结束才计入 Asterisk",
        "counted by us at the answer, by Asterisk at the end of the talk",
    ),
    "joined_before": Formula(
        "在计数开始前入队",
        "joined before the counters began",
        "离开时计入 Asterisk，不在我们的时间范围内",
        "counted by Asterisk at leaving, not among the calls compared",
    ),
    "unseen": Formula(
        "没有看到",
        "unseen",
        "服务中断期间进出的来电，或刚刚发生、尚未写入的来电",
        "came and went while nobody looked, or a moment ago and not yet written",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One counter of Asterisk's and ours; the reasons add up to the difference."""

    theirs: int
    ours: int
    #: by name of REASONS, only those that count
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One queue, theirs beside ours since the same moment."""

    queue: str
    since: datetime
    #: when the counters were read
    at: datetime
    answered: Side
    abandoned: Side
    service_level_s: int
    #: ServicelevelPerf of Asterisk, percent of the completed; None when it does not say
    level_percent: float | None
    #: ours: answered within the queue's own level, of the answered
    in_time: int


@dataclass(slots=True, kw_only=True)
class Tally:
    """What calls amount to for one queue; tallies of different calls add up."""

    answered: int = 0
    abandoned: int = 0
    in_time: int = 0
    answered_reasons: Counter[str] = field(default_factory=Counter)
    abandoned_reasons: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Tally) -> Tally:
        # Counter's own + drops what is below nothing
        answered, abandoned = Counter(self.answered_reasons), Counter(self.abandoned_reasons)
        answered.update(other.answered_reasons)
        abandoned.update(other.abandoned_reasons)
        return Tally(
            answered=self.answered + other.answered,
            abandoned=self.abandoned + other.abandoned,
            in_time=self.in_time + other.in_time,
            answered_reasons=answered,
            abandoned_reasons=abandoned,
        )


def look(floor: Floor, seen: QueueSeen) -> None:
    """Takes in what Asterisk says of one queue."""
    before, known = floor.queues.get(seen.queue), floor.counters.get(seen.queue)
    floor.counters[seen.queue] = follow(known, before, seen, floor.pbx_started_at)
    floor.queues[seen.queue] = seen


def follow(
    known: Counters | None, before: QueueSeen | None, seen: QueueSeen, pbx_started_at: datetime | None
) -> Counters:
    """Where the comparison begins, after another look at the counters.

    At Asterisk's start they are nothing. Counters that fell were reset by somebody: from then on. Those of an Asterisk
    that has run for too long, or whose start is not known, are compared from the first look on.
    """
    here = Counters(since=seen.at, completed=seen.completed, abandoned=seen.abandoned)
    started = pbx_started_at if pbx_started_at is not None and pbx_started_at <= seen.at else None
    if known is None or (started is not None and started > known.since):
        return here if started is None or seen.at - started > LONGEST else Counters(since=started)
    fell = before is not None and (seen.completed < before.completed or seen.abandoned < before.abandoned)
    return here if fell or seen.at - known.since > LONGEST else known


def tally(record: CallRecord, queue: str, since: datetime, until: datetime, level_s: int) -> Tally:
    """What one call, open or closed, adds to a queue's numbers between two moments."""
    found = Tally()
    if record.reason == "callback":
        return found
    stays = [stay for stay in record.stays if stay.queue == queue]
    for stay in stays:
        _stay(found, record, stay, since=since, until=until, level_s=level_s)
    last = record.stays[-1] if record.stays else None
    left = record.ended_at is not None and since <= record.ended_at <= until
    # whoever left the queue while it was his last stay is counted there; who gave up elsewhere, here
    if record.outcome in _GAVE_UP and record.queue == queue and left and record.entered_at >= since:
        if last is None:
            found.abandoned += 1
            found.abandoned_reasons["never_joined"] -= 1
        elif last.status != "ABANDONED":
            found.abandoned += 1
            found.abandoned_reasons["gave_up_later"] -= 1
    return found


def _stay(found: Tally, record: CallRecord, stay: Stay, *, since: datetime, until: datetime, level_s: int) -> None:
    if stay.left_at is None or stay.left_at > until:
        return
    if stay.status == "ANSWERED":
        done_at = record.talk_ended_at
        if stay.joined_at < since:
            found.answered_reasons["joined_before"] += done_at is not None and since <= done_at <= until
            return
        found.answered += 1
        found.in_time += stay.left_at - stay.joined_at <= timedelta(seconds=level_s)
        found.answered_reasons["still_talking"] -= done_at is None or done_at > until
        return
    if stay.left_at < since or stay.status == "KEY":
        return
    if stay.joined_at < since:
        found.abandoned_reasons["joined_before"] += 1
    elif stay.status != "ABANDONED":
        found.abandoned_reasons["moved"] += 1
    elif record.open or record.outcome in _GAVE_UP:
        found.abandoned += 1
    else:
        found.abandoned_reasons["ended_otherwise"] += 1


def compare(tallied: Tally, seen: QueueSeen, counters: Counters) -> Compared:
    """Theirs beside ours; what no call of ours explains is `unseen`."""
    return Compared(
        queue=seen.queue,
        since=counters.since,
        at=seen.at,
        answered=_side(seen.completed - counters.completed, tallied.answered, tallied.answered_reasons),
        abandoned=_side(seen.abandoned - counters.abandoned, tallied.abandoned, tallied.abandoned_reasons),
        service_level_s=seen.service_level_s,
        level_percent=seen.level_percent,
        in_time=tallied.in_time,
    )


def _side(theirs: int, ours: int, known: Mapping[str, int]) -> Side:
    reasons = {code: count for code, count in known.items() if count}
    rest = theirs - ours - sum(reasons.values())
    return Side(theirs=theirs, ours=ours, reasons=reasons | ({"unseen": rest} if rest else {}))


def final(records: Iterable[CallRecord], until: datetime) -> datetime:
    """Calls that entered before this moment will never tally otherwise: all are closed, and ended before `until`."""
    return min(
        (r.entered_at for r in records if r.open or r.ended_at is None or r.ended_at > until),
        default=until,
    )
