"""Figures of a time: outcomes, shares and clocks over the calls, each with its formula (TL-10, TL-12)."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti import store
from cti.calls import stats
from cti.calls.formulas import FORMULAS
from cti.calls.model import Ratio
from cti.web.route import Call, Route
from cti.web.schemas.common import Label
from cti.web.schemas.figures import (
    AgentCount,
    BreachFigure,
    CalibrationFigure,
    ClockFigure,
    CountersView,
    CountFigure,
    FiguresQuery,
    FiguresView,
    GradeCount,
    GradeFigure,
    ShareFigure,
)
from ticketing.errors import Invalid
from ticketing.staff.tables import staff
from ticketing.surveys import rules as grades

__all__ = ["ROUTES"]

#: the longest time and the most calls of one answer (default)
LONGEST = timedelta(days=31)
MOST = 50_000


async def figures(call: Call) -> FiguresView:
    """Figures of the calls that entered in this time; without one, of the operator's day so far."""
    asked = call.filters(FiguresQuery)
    since, until = period(asked.since, asked.until, call.now, call.deps.zone)
    async with call.deps.database.read() as conn:
        records = await store.material(conn, since, until, queue=asked.queue, limit=MOST)
        names = await _names(conn)
    # a month is some hundred milliseconds of reckoning: beside the event loop, not in it
    scale = grades.shipped().grades
    scores = {key: grade.score for key, grade in scale.items()}
    found = await asyncio.to_thread(stats.figures, records, call.deps.target_ms, scores)
    shares = {"fifteen_second_rate": found.fifteen_second_rate, **found.service_levels}
    shares["ended_at_announcement"] = found.announcement
    return FiguresView(
        since=since,
        until=until,
        queue=asked.queue,
        target_s=call.deps.target_ms / 1000,
        total=found.total,
        still_open=sum(record.open for record in records),
        asked=found.asked,
        joined=found.joined,
        answered=found.answered,
        outcomes=[CountFigure(code=code.value, count=count) for code, count in found.outcomes.items()],
        shares=[_share(code, ratio) for code, ratio in shares.items()],
        clocks=[_clock(code, spread) for code, spread in found.clocks.items()],
        longest_wait_ms=found.longest_wait_ms,
        breaches=[
            BreachFigure(code=code.value, count=count, agents=_agents(found.breach_agents[code], names))
            for code, count in found.breaches.items()
        ],
        misses=_agents(found.misses, names),
        abandons=[CountFigure(code=code.value, count=count) for code, count in found.abandons.items()],
        satisfaction=GradeFigure(
            graded=_share("graded", found.graded),
            mean_score=found.mean_score,
            grades=[GradeCount(grade=key, name=_grade_name(key), count=count) for key, count in found.grades.items()],
        ),
        calibration=CalibrationFigure(
            told=found.calibration.told,
            judged=found.calibration.judged,
            bias_ms=found.calibration.bias_ms,
            mean_absolute_ms=found.calibration.mean_absolute_ms,
            within=_share("forecast_within", found.calibration.within),
        ),
    )


async def counters(call: Call) -> list[CountersView]:
    """Asterisk's own counters beside ours, with what makes the difference (TL-13)."""
    return list(await call.deps.telephony.counters(call.actor.language))


def period(since: datetime | None, until: datetime | None, now: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """The time asked for; its default begins at the midnight before its end, in the operator's zone. Raises Invalid."""
    end = until or now
    midnight = end.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    start = since or midnight.astimezone(UTC)
    if not timedelta(0) <= end - start <= LONGEST:
        raise Invalid("period_too_long", field="from")
    return start, end


def _share(code: str, ratio: Ratio) -> ShareFigure:
    name, formula = _told(code)
    return ShareFigure(code=code, name=name, formula=formula, part=ratio.part, whole=ratio.whole, value=ratio.value)


def _clock(code: str, spread: stats.Spread) -> ClockFigure:
    name, formula = _told(code)
    return ClockFigure(
        code=code,
        name=name,
        formula=formula,
        count=spread.count,
        mean_ms=spread.mean_ms,
        p50_ms=spread.p50_ms,
        p95_ms=spread.p95_ms,
        longest_ms=spread.longest_ms,
    )


def _told(code: str) -> tuple[Label, Label]:
    formula = FORMULAS[code]
    return Label(zh=formula.name_zh, en=formula.name_en), Label(zh=formula.text_zh, en=formula.text_en)


def _grade_name(key: str) -> Label:
    """What the grade is called; a key that the scale does not have is its own name."""
    grade = grades.shipped().grades.get(key)
    return Label(zh=grade.zh, en=grade.en) if grade else Label(zh=key, en=key)


def _agents(counts: Mapping[str, int], names: Mapping[str, str]) -> list[AgentCount]:
    """Most first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [AgentCount(agent=agent, name=names.get(agent), count=count) for agent, count in ordered]


async def _names(conn: AsyncConnection) -> Mapping[str, str]:
    return {row.number: row.name for row in await conn.execute(select(staff.c.number, staff.c.name))}


ROUTES = (
    Route(
        "figures",
        "GET",
        "/api/figures",
        figures,
        "Figures of a time, each with its formula.",
        query=FiguresQuery,
        answer=FiguresView,
    ),
    Route(
        "counters",
        "GET",
        "/api/counters",
        counters,
        "Asterisk's counters beside ours.",
        answer=list[CountersView],
    ),
)
