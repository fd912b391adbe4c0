"""Figures over call records: service levels by name, the 15-second rate, outcomes that add up. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cti.calls.model import Breach, CallRecord, OfferResult, Outcome, milliseconds

#: Formulas of the service level by name, as shown beside each figure (TL-12). T = target; *joined* = entered a queue.
FORMULAS: Final[Mapping[str, str]] = {
    "answered_of_joined": "answered within T / all who joined",
    "answered_of_answered": "answered within T / all answered",
    "answered_or_gone_of_joined": "(answered within T + left unanswered within T) / all who joined",
    "answered_of_joined_less_gone": "answered within T / (all who joined - left unanswered within T)",
}


#: routing reason of a call that the product placed for a booked callback
CALLBACK: Final = "callback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A share with both its numbers; no share of nothing."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """0..1, or None when the whole is nothing."""
        return self.part / self.whole if self.whole else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Figures of a set of closed calls."""

    total: int
    #: calls by outcome, every outcome named; their sum is `total` (TL-12)
    outcomes: Mapping[Outcome, int]
    #: callers who asked for a person
    asked: int
    #: 15秒人工接通率 (TL-10): answered within the target after asking / all who asked
    fifteen_second_rate: Ratio
    #: by name of FORMULAS
    service_levels: Mapping[str, Ratio]
    #: average speed of answer: mean of joining to answer, ms; None when nobody was answered
    asa_ms: float | None
    #: longest wait in a queue of one caller, ms
    longest_wait_ms: int
    #: late callers by reason (CT-02)
    breaches: Mapping[Breach, int]
    #: missed offers by agent (TL-11)
    misses: Mapping[str, int]

    @property
    def adds_up(self) -> bool:
        """True when every call has exactly one outcome."""
        return sum(self.outcomes.values()) == self.total


def figures(records: Iterable[CallRecord], target_ms: int = 15_000) -> Figures:
    """Figures of the closed calls among the records; open calls have no outcome yet and are left out.

    Callbacks are left out too: nobody waited in them, and they have an outcome of their own.
    """
    closed = [record for record in records if not record.open and record.reason != CALLBACK]
    asked = [record for record in closed if record.asked_at is not None]
    counts = Counter(record.outcome for record in closed)
    waits = [record.clocks.join_to_answer_ms for record in closed if record.clocks.join_to_answer_ms is not None]
    late = Counter(record.clocks.breach for record in closed if record.clocks.breach is not None)
    missed = Counter(offer.agent for record in closed for offer in record.offers if offer.result is OfferResult.MISSED)
    return Figures(
        total=len(closed),
        outcomes={outcome: counts[outcome] for outcome in Outcome},
        asked=len(asked),
        fifteen_second_rate=Ratio(
            part=sum(_within(record.clocks.ask_to_answer_ms, target_ms) for record in asked), whole=len(asked)
        ),
        service_levels=service_levels(closed, target_ms),
        asa_ms=sum(waits) / len(waits) if waits else None,
        longest_wait_ms=max((queued_ms(record) or 0 for record in closed), default=0),
        breaches={breach: late[breach] for breach in Breach},
        misses=dict(sorted(missed.items())),
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


def _within(waited_ms: int | None, target_ms: int) -> bool:
    return waited_ms is not None and waited_ms <= target_ms
