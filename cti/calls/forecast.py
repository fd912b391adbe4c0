"""How long a waiting caller will wait, and how good the forecasts were (TL-14). Pure.

The forecast: of `n` agents who are all busy one comes free every `mean handling time / n`, so the caller at place `p`
is answered after `p` of these. Handling is talk and wrap-up of the queue's last talks. Agents who also serve other
queues count in each of them, so a forecast may be short when those are busy; the calibration shows by how much.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cti.calls.agents import members_of
from cti.calls.model import CallRecord, Floor, Phase, Ratio, milliseconds

#: talks of a queue that its handling time is the mean of; with fewer than the least nothing is told (default)
KEPT: Final = 20
LEAST: Final = 3
#: a talk longer ago says nothing of now (default)
FRESH: Final = timedelta(days=1)
#: a forecast is good within so much of the truth, or within a minute, since minutes are spoken (default)
BAND: Final = 0.3
BAND_MS: Final = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Forecasts beside what came of them; only callers who were answered can judge theirs."""

    #: callers who were told a time
    told: int
    #: and were answered
    judged: int
    #: mean of forecast less truth: above nothing means told too long
    bias_ms: float | None
    mean_absolute_ms: float | None
    #: within the band / all judged
    within: Ratio


def expected_wait_s(place: int | None, handling_ms: Sequence[int], staffed: int) -> int | None:
    """Whole seconds until the caller at this place is answered; None without a place, agents or enough talks."""
    if place is None or place < 1 or staffed < 1 or len(handling_ms) < LEAST:
        return None
    return round(place * sum(handling_ms) / len(handling_ms) / staffed / 1000)


def note_talk(floor: Floor, queue: str, talk_ms: int) -> None:
    """Remembers one more talk of a queue."""
    floor.talks.setdefault(queue, deque(maxlen=KEPT)).append(talk_ms)


def handling_ms(floor: Floor, queue: str) -> list[int]:
    """Talk and wrap-up of the queue's last talks; the wrap-up is what the settings give."""
    return [talk + floor.settings.wrap_up_s * 1000 for talk in floor.talks.get(queue, ())]


def staffed(floor: Floor, queue: str) -> int:
    """Agents who serve the queue's callers now: idle or busy with one, not paused, not away, no helpers (G14)."""
    found = set()
    for member in members_of(floor, queue):
        agent = floor.agents.get(member.agent)
        working = agent is not None and agent.phase is not Phase.READY
        if member.penalty < floor.settings.overflow_penalty and (working or member.can_be_rung):
            found.add(member.agent)
    return len(found)


def calibration(records: Iterable[CallRecord]) -> Calibration:
    """What came of the forecasts that were told; only closed calls count."""
    told = [record for record in records if record.forecast_s is not None and not record.open]
    pairs = [pair for record in told if (pair := _truth(record)) is not None]
    errors = [forecast - truth for forecast, truth in pairs]
    good = sum(abs(forecast - truth) <= max(BAND_MS, BAND * truth) for forecast, truth in pairs)
    return Calibration(
        told=len(told),
        judged=len(pairs),
        bias_ms=sum(errors) / len(errors) if errors else None,
        mean_absolute_ms=sum(abs(error) for error in errors) / len(errors) if errors else None,
        within=Ratio(part=good, whole=len(pairs)),
    )


def _truth(record: CallRecord) -> tuple[int, int] | None:
    """Forecast and what it was in the end, ms; None for who was not answered."""
    if record.forecast_s is None or record.forecast_at is None or record.answered_at is None:
        return None
    return record.forecast_s * 1000, milliseconds(record.forecast_at, record.answered_at)
