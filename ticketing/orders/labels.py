"""Chinese and English names of an order's states, kinds, cards and queues, for what leaves the page. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Names = Mapping[str, tuple[str, str]]

STATES: Final[Names] = {
    "draft": ("登记中", "Draft"),
    "registered": ("已受理", "Registered"),
    "no_order": ("无需立单", "No order needed"),
    "merged": ("已并入", "Merged"),
    "at_senior": ("待高级处理", "With senior agent"),
    "in_review": ("复核中", "In review"),
    "at_manager": ("经理热线", "Manager hotline"),
    "in_process": ("处理中", "In process"),
    "replying": ("待回复客户", "Reply due"),
    "survey": ("待回访", "Follow-up due"),
    "closed": ("已办结", "Closed"),
    "archived": ("已归档", "Archived"),
    "at_leader": ("领导协调", "With leaders"),
    "invalid": ("无效撤消", "Invalid"),
    "cancelled": ("已取消", "Cancelled"),
    "force_ended": ("强制结束", "Force-ended"),
    "at_archivist": ("资料管理员处", "With archivist"),
    "reported": ("已摘报", "Reported"),
    "accepted": ("申诉受理", "Appeal accepted"),
    "verifying": ("核实中", "Verifying"),
    "arbitration": ("仲裁", "Arbitration"),
    "withdrawn": ("已撤单", "Withdrawn"),
    "reporting": ("行文上报", "Reporting"),
    "analysis": ("归档分析", "Analysis"),
    "relaying": ("转办中", "Relaying"),
    "relayed": ("已转办", "Relayed"),
    "result_back": ("结果已回", "Result back"),
}
WORK_STATES: Final[Names] = {
    "proposed": ("待复核", "Proposed"),
    "sent": ("已派出", "Sent"),
    "accepted": ("部门受理", "Accepted"),
    "working": ("处理中", "Working"),
    "at_head": ("部门负责人", "Department head"),
    "done": ("已回单", "Done"),
    "returned": ("已退回", "Returned"),
    "transferred": ("已转派", "Transferred"),
    "recalled": ("已撤回", "Recalled"),
    "cancelled": ("已取消", "Cancelled"),
    "force_ended": ("强制结束", "Force-ended"),
}
KINDS: Final[Names] = {
    "complaint": ("投诉", "Complaint"),
    "suggestion": ("建议", "Suggestion"),
    "inquiry": ("咨询", "Inquiry"),
    "appeal": ("申诉", "Appeal"),
    "coordination": ("协调", "Coordination"),
}
CARDS: Final[Names] = {"none": ("正常", "In time"), "yellow": ("黄牌", "Yellow"), "red": ("红牌", "Red")}
YES_NO: Final[Names] = {"True": ("是", "yes"), "False": ("否", "no")}


def name(names: Names, code: str | None, language: str) -> str:
    """The name in the reader's language; an unknown code is shown as it is."""
    zh, en = names.get(code or "", (code or "", code or ""))
    return en if language == "en" else zh
