"""The clocks of TL-10 and the 15 seconds of CT-02. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from cti.calls.model import Breach, Clocks, FloorSettings, Idle, Offer, OfferResult, milliseconds


def first_idle(
    stretches: Iterable[Idle], *, call_id: str, since: datetime, until: datetime, settle_ms: int
) -> datetime | None:
    """First moment in `since`..`until` at which an agent was idle for this caller (CT-02); None = nobody was.

    A stretch counts when this caller's own offer ended it, or when it lasted `settle_ms` inside the wait: an agent
    who comes free and is given to the next caller in line within a moment was never idle for the others.
    """
    found: datetime | None = None
    for stretch in stretches:
        start = max(stretch.start, since)
        end = until if stretch.end is None else min(stretch.end, until)
        if end < start or (stretch.taken_by != call_id and milliseconds(start, end) < settle_ms):
            continue
        if start == since:  # none is earlier
            return start
        if found is None or start < found:
            found = start
    return found


def clocks(
    *,
    asked_at: datetime | None,
    joined_at: datetime | None,
    answered_at: datetime | None,
    left_at: datetime | None,
    idle_from: datetime | None,
    offers: Sequence[Offer],
    settings: FloorSettings,
) -> Clocks:
    """All clocks of one caller; `left_at` is the end of the wait of a caller nobody answered."""
    end = answered_at or left_at
    rung = [offer for offer in offers if end is None or offer.at <= end]
    start = _ct02_from(joined_at, idle_from, rung)
    ct02_ms = milliseconds(start, end) if start and end else None
    breach: Breach | None = None
    agents: tuple[str, ...] = ()
    if joined_at and end:
        breach, agents = _breach(milliseconds(joined_at, end), start, end, rung, settings.target_ms)
    return Clocks(
        ask_to_answer_ms=milliseconds(asked_at, answered_at) if asked_at and answered_at else None,
        join_to_answer_ms=milliseconds(joined_at, answered_at) if joined_at and answered_at else None,
        ct02_from=start,
        ct02_ms=ct02_ms,
        breach=breach,
        breach_agents=agents,
    )


def _ct02_from(joined_at: datetime | None, idle_from: datetime | None, rung: Sequence[Offer]) -> datetime | None:
    """Joining, or the first idle moment if that is later; an offer is itself proof that an agent was idle."""
    idle = [moment for moment in (idle_from, rung[0].at if rung else None) if moment is not None]
    if joined_at is None or not idle:
        return None
    return max(joined_at, min(idle))


def _breach(
    waited_ms: int, start: datetime | None, end: datetime, rung: Sequence[Offer], target_ms: int
) -> tuple[Breach | None, tuple[str, ...]]:
    """Why the wait was longer than the target, and who let it ring."""
    if start is None or milliseconds(start, end) <= target_ms:
        return (Breach.NOBODY_IDLE if waited_ms > target_ms else None), ()
    agents = tuple(dict.fromkeys(offer.agent for offer in rung))
    ringing_ms = milliseconds(start, start + _ringing(rung, start, end))
    silent_ms = milliseconds(start, end) - ringing_ms
    slow = any(offer.result is OfferResult.MISSED for offer in rung) or ringing_ms >= silent_ms
    return (Breach.IDLE_AGENT_SLOW if slow else Breach.NOT_OFFERED), agents


def _ringing(rung: Sequence[Offer], start: datetime, end: datetime) -> timedelta:
    """Time in which at least one phone rang."""
    total, covered = timedelta(0), start
    for offer in rung:
        ring_end = min(offer.answered_at or offer.ended_at or end, end)
        if ring_end > covered:
            total += ring_end - max(offer.at, covered)
            covered = ring_end
    return total
