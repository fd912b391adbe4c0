"""Figures over call records: service levels by name, the 15-second rate, outcomes that add up. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import ceil
from statistics import mean
from types import MappingProxyType
from typing import Final, TypeVar

from cti.calls.forecast import Calibration, calibration
from cti.calls.model import Breach, CallRecord, OfferResult, Outcome, Ratio, milliseconds

Number = TypeVar("Number", int, float)

#: routing reason of a call that the product placed for a booked callback
CALLBACK: Final = "callback"
#: the dialplan's word for the dialogue of who waits while everybody is busy
_DIALOGUE: Final = "overflow"
#: node of the path at which announcements are told
_ANNOUNCEMENT: Final = "announcement"
#: what the path has as key where nothing was pressed
_NO_KEY: Final = frozenset({"", "heard", "silence"})
#: a phone that stops within this time of the caller's leaving rang until he left
_TOGETHER: Final = timedelta(milliseconds=200)


class Abandon(StrEnum):
    """Where a caller gave up, disjoint; he had neither a person nor the menu's answer (TL-12)."""

    #: ended in the menu, no key pressed: he never asked for a person
    IN_MENU = "in_menu"
    #: gave up sooner after asking than the limit of short abandons
    SHORT = "short"
    #: while he waited and no phone rang for him
    WAITING = "waiting"
    #: while an agent's phone rang for him
    RINGING = "ringing"
    #: in the dialogue that offers a recording or a callback
    IN_DIALOGUE = "in_dialogue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How a clock is spread over the calls that have it, milliseconds; None where there is none."""

    count: int
    mean_ms: float | None
    p50_ms: int | None
    p95_ms: int | None
    longest_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Figures of a set of closed calls."""

    total: int
    #: calls by outcome, every outcome named; their sum is `total` (TL-12)
    outcomes: Mapping[Outcome, int]
    #: callers who asked for a person, entered a queue, were answered
    asked: int
    joined: int
    answered: int
    #: 15秒人工接通率 (TL-10): answered within the target after asking / all who asked
    fifteen_second_rate: Ratio
    #: by name of formulas.SERVICE_LEVELS
    service_levels: Mapping[str, Ratio]
    #: average speed of answer: mean of joining to answer, ms; None when nobody was answered
    asa_ms: float | None
    #: longest wait in a queue of one caller, ms
    longest_wait_ms: int
    #: `ask_to_answer`, `join_to_answer`, `ct02`, `talk`
    clocks: Mapping[str, Spread]
    #: late callers by reason (CT-02)
    breaches: Mapping[Breach, int]
    #: and how often each agent let a late caller's call ring, by reason
    breach_agents: Mapping[Breach, Mapping[str, int]]
    #: missed offers by agent (TL-11)
    misses: Mapping[str, int]
    #: where callers gave up, every class named
    abandons: Mapping[Abandon, int]
    #: callers who hung up at an announcement / all who heard one (TL-26)
    announcement: Ratio
    #: callers who gave a grade / all who were answered, and the mean of its scores; None without one (TL-08)
    graded: Ratio
    mean_score: float | None
    #: calls by grade, only those that were given
    grades: Mapping[str, int]
    #: the expected waits that were told beside what came of them (TL-14)
    calibration: Calibration

    @property
    def adds_up(self) -> bool:
        """True when every call has exactly one outcome."""
        return sum(self.outcomes.values()) == self.total


def figures(
    records: Iterable[CallRecord], target_ms: int = 15_000, scores: Mapping[str, float] = MappingProxyType({})
) -> Figures:
    """Figures of the closed calls among the records; open calls have no outcome yet and are left out.

    Callbacks are left out too: nobody waited in them, and they have an outcome of their own. `scores` says what each
    grade counts in the mean.
    """
    closed = [record for record in records if not record.open and record.reason != CALLBACK]
    asked = [record for record in closed if record.asked_at is not None]
    counts = Counter(record.outcome for record in closed)
    late = Counter(record.clocks.breach for record in closed if record.clocks.breach is not None)
    missed = Counter(offer.agent for record in closed for offer in record.offers if offer.result is OfferResult.MISSED)
    gone = Counter(abandon(record) for record in closed)
    answered = [record for record in closed if record.answered_at is not None]
    given = [scores[record.grade] for record in answered if record.grade in scores]
    clocks = {
        "ask_to_answer": spread(record.clocks.ask_to_answer_ms for record in closed),
        "join_to_answer": spread(record.clocks.join_to_answer_ms for record in closed),
        "ct02": spread(record.clocks.ct02_ms for record in closed),
        "talk": spread(record.talk_ms for record in closed),
    }
    return Figures(
        total=len(closed),
        outcomes={outcome: counts[outcome] for outcome in Outcome},
        asked=len(asked),
        joined=sum(record.joined_at is not None for record in closed),
        answered=len(answered),
        fifteen_second_rate=Ratio(
            part=sum(_within(record.clocks.ask_to_answer_ms, target_ms) for record in asked), whole=len(asked)
        ),
        service_levels=service_levels(closed, target_ms),
        asa_ms=clocks["join_to_answer"].mean_ms,
        longest_wait_ms=max((queued_ms(record) or 0 for record in closed), default=0),
        clocks=clocks,
        breaches={breach: late[breach] for breach in Breach},
        breach_agents={breach: _blamed(closed, breach) for breach in Breach},
        misses=dict(sorted(missed.items())),
        abandons={place: gone[place] for place in Abandon},
        announcement=Ratio(
            part=sum(_ended_at_announcement(record) for record in closed),
            whole=sum(any(step.node == _ANNOUNCEMENT for step in record.path) for record in closed),
        ),
        graded=Ratio(part=sum(bool(record.grade) for record in answered), whole=len(answered)),
        mean_score=mean(given) if given else None,
        grades=dict(sorted(Counter(record.grade for record in answered if record.grade).items())),
        calibration=calibration(closed),
    )


def service_levels(records: Iterable[CallRecord], target_ms: int) -> dict[str, Ratio]:
    """The service level in the four usual formulas, by name."""
    joined = [record for record in records if record.joined_at is not None]
    answered = [record for record in joined if record.answered_at is not None]
    in_time = sum(_within(record.clocks.join_to_answer_ms, target_ms) for record in answered)
    gone = sum(_within(queued_ms(record), target_ms) for record in joined if record.answered_at is None)
    return {
        "answered_of_joined": Ratio(part=in_time, whole=len(joined)),
        "answered_of_answered": Ratio(part=in_time, whole=len(answered)),
        "answered_or_gone_of_joined": Ratio(part=in_time + gone, whole=len(joined)),
        "answered_of_joined_less_gone": Ratio(part=in_time, whole=len(joined) - gone),
    }


def queued_ms(record: CallRecord) -> int | None:
    """Milliseconds from joining to the answer, or to leaving the last queue; None for who never joined."""
    end = record.answered_at or (record.stays[-1].left_at if record.stays else None) or record.ended_at
    return None if record.joined_at is None or end is None else milliseconds(record.joined_at, end)


def abandon(record: CallRecord) -> Abandon | None:
    """Where a closed call's caller gave up; None for who did not."""
    if record.outcome is Outcome.SERVED_BY_IVR:
        chose = any(step.key not in _NO_KEY for step in record.path if step.node != _ANNOUNCEMENT)
        return None if chose or _ended_at_announcement(record) else Abandon.IN_MENU
    if record.outcome is Outcome.SHORT_ABANDONED:
        return Abandon.SHORT
    if record.outcome is not Outcome.ABANDONED:
        return None
    if record.end_step == _DIALOGUE:
        return Abandon.IN_DIALOGUE
    return Abandon.RINGING if _rang_until_gone(record) else Abandon.WAITING


def spread(values: Iterable[int | None]) -> Spread:
    """Mean, median, 95th percentile and longest of a clock; calls without it are left out."""
    known = sorted(value for value in values if value is not None)
    return Spread(
        count=len(known),
        mean_ms=sum(known) / len(known) if known else None,
        p50_ms=percentile(known, 0.5),
        p95_ms=percentile(known, 0.95),
        longest_ms=known[-1] if known else None,
    )


def percentile(values: Sequence[Number], share: float) -> Number | None:
    """Nearest rank: the smallest value that at least `share` of all do not exceed."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def _blamed(records: Iterable[CallRecord], breach: Breach) -> dict[str, int]:
    late = [record.clocks.breach_agents for record in records if record.clocks.breach is breach]
    found = Counter(agent for agents in late for agent in agents)
    return dict(sorted(found.items()))


def _ended_at_announcement(record: CallRecord) -> bool:
    """He chose nothing after it: what is chosen is a step of its own."""
    return record.outcome is Outcome.SERVED_BY_IVR and bool(record.path) and record.path[-1].node == _ANNOUNCEMENT


def _rang_until_gone(record: CallRecord) -> bool:
    gone_at = (record.stays[-1].left_at if record.stays else None) or record.ended_at
    return gone_at is not None and any(
        offer.result is OfferResult.WITHDRAWN and offer.ended_at is not None and offer.ended_at >= gone_at - _TOGETHER
        for offer in record.offers
    )


def _within(waited_ms: int | None, target_ms: int) -> bool:
    return waited_ms is not None and waited_ms <= target_ms
