"""Names and formulas of the figures in both languages, shown beside each of them (TL-12). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Formula:
    """One figure's name and how it is reckoned; T is the answer target, *joined* means entered a queue."""

    name_zh: str
    name_en: str
    text_zh: str
    text_en: str


#: The four usual formulas of the service level, by the name each has here (TL-12).
SERVICE_LEVELS: Final[Mapping[str, Formula]] = MappingProxyType(
    {
        "answered_of_joined": Formula(
            "服务水平（按入队）",
            "Service level of all who joined",
            "T 内接听 ÷ 全部入队",
            "answered within T / all who joined",
        ),
        "answered_of_answered": Formula(
            "服务水平（按接听）",
            "Service level of the answered",
            "T 内接听 ÷ 全部接听",
            "answered within T / all answered",
        ),
        "answered_or_gone_of_joined": Formula(
            "服务水平（含 T 内离开）",
            "Service level counting early leavers as served",
            "（T 内接听 + T 内未接离开）÷ 全部入队",
            "(answered within T + left unanswered within T) / all who joined",
        ),
        "answered_of_joined_less_gone": Formula(
            "服务水平（扣除 T 内离开）",
            "Service level without early leavers",
            "T 内接听 ÷（全部入队 − T 内未接离开）",
            "answered within T / (all who joined - left unanswered within T)",
        ),
    }
)

#: Every other share and clock.
FORMULAS: Final[Mapping[str, Formula]] = MappingProxyType(
    {
        **SERVICE_LEVELS,
        "fifteen_second_rate": Formula(
            "15秒人工接通率",
            "15-second answer rate",
            "要求人工后 T 内由人接听 ÷ 全部要求人工",
            "answered by a person within T after asking for one / all who asked",
        ),
        "ended_at_announcement": Formula(
            "公告后结束率",
            "Ended at the announcement",
            "听到公告后挂机、未再选择 ÷ 全部听到公告",
            "hung up at the announcement / all who heard one",
        ),
        "ask_to_answer": Formula(
            "要求人工 → 接听",
            "Asking to answer",
            "从要求人工到有人接听，仅计已接听",
            "from asking for a person to the answer, of the answered",
        ),
        "join_to_answer": Formula(
            "入队 → 接听（平均应答速度 ASA）",
            "Joining to answer (mean: ASA)",
            "从首次入队到有人接听，仅计已接听；平均值即 ASA",
            "from first joining a queue to the answer, of the answered; the mean is the ASA",
        ),
        "ct02": Formula(
            "有坐席空闲后的等候",
            "Wait with an agent idle",
            "从入队（若更晚，则从有合格坐席空闲）到接听或离开",
            "from joining, or from the first idle agent if that is later, to the answer or to leaving",
        ),
        "forecast_within": Formula(
            "预计等候准确率",
            "Expected wait within the band",
            "预计与实际相差不超过 30%（或 1 分钟）÷ 听到预计并已接听的来电",
            "told within 30 % (or a minute) of the wait that came / told and answered",
        ),
        "graded": Formula(
            "评价率",
            "Graded",
            "给出按键评价 ÷ 全部接听",
            "gave a grade by key / all answered",
        ),
        "talk": Formula("通话时长", "Talk time", "从接听到通话结束", "from the answer to the end of the talk"),
    }
)
