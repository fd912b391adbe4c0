"""Words of an order: kinds, states, flags, and the short form lists and pops show. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What the customer asks for (IN-01); a draft may not know yet."""

    COMPLAINT = "complaint"  #: 投诉
    SUGGESTION = "suggestion"  #: 建议
    INQUIRY = "inquiry"  #: 咨询
    APPEAL = "appeal"  #: 申诉
    COORDINATION = "coordination"  #: 协调


class State(StrEnum):
    """Where an order stands; overdue, urgent and paused are no states."""

    DRAFT = "draft"  #: 登记中
    REGISTERED = "registered"  #: 已受理
    NO_ORDER = "no_order"  #: 无需立单
    MERGED = "merged"  #: 并入
    AT_SENIOR = "at_senior"  #: 待高级处理
    IN_REVIEW = "in_review"  #: 复核
    AT_MANAGER = "at_manager"  #: 经理热线
    IN_PROCESS = "in_process"  #: 处理中
    REPLYING = "replying"  #: 待回复客户
    SURVEY = "survey"  #: 待调查/回访
    CLOSED = "closed"  #: 办结
    ARCHIVED = "archived"  #: 归档
    AT_LEADER = "at_leader"  #: 领导协调
    INVALID = "invalid"  #: 无效撤消
    CANCELLED = "cancelled"  #: 取消
    FORCE_ENDED = "force_ended"  #: 强制结束
    AT_ARCHIVIST = "at_archivist"  #: 资料管理员
    REPORTED = "reported"  #: 已摘报
    ACCEPTED = "accepted"  #: 申诉受理
    VERIFYING = "verifying"  #: 核实中
    ARBITRATION = "arbitration"  #: 仲裁
    WITHDRAWN = "withdrawn"  #: 撤单
    REPORTING = "reporting"  #: 行文上报
    ANALYSIS = "analysis"  #: 归档分析
    RELAYING = "relaying"  #: 转办中
    RELAYED = "relayed"  #: 已转办
    RESULT_BACK = "result_back"  #: 结果已回


ENDED = frozenset(
    {State.NO_ORDER, State.MERGED, State.CLOSED, State.ARCHIVED, State.INVALID, State.CANCELLED, State.FORCE_ENDED}
)
"""The customer's case is over: a further contact makes a new, linked order (G15)."""

UNBORN = frozenset({State.DRAFT, State.NO_ORDER, State.MERGED})
"""Never became an order: not in anyone's history, never said to a caller (PX-07)."""

OPEN = frozenset(State) - ENDED - UNBORN
"""Orders somebody must still do something about."""


class WorkOrderState(StrEnum):
    """Where one department's task stands."""

    PROPOSED = "proposed"
    SENT = "sent"
    ACCEPTED = "accepted"
    WORKING = "working"
    AT_HEAD = "at_head"  #: 部门负责人
    DONE = "done"  #: 回单
    RETURNED = "returned"  #: 退回
    TRANSFERRED = "transferred"  #: 转派
    RECALLED = "recalled"  #: 退单(中心撤回)
    CANCELLED = "cancelled"
    FORCE_ENDED = "force_ended"


LIVE_WORK = frozenset({WorkOrderState.SENT, WorkOrderState.ACCEPTED, WorkOrderState.WORKING, WorkOrderState.AT_HEAD})
"""Work orders a department still holds; no ended order has one."""


class Control(StrEnum):
    """Orthogonal to the state (MN-03, MN-04)."""

    RUN = "run"
    PAUSED = "paused"


class Channel(StrEnum):
    """How the request reached us (IN-25, IN-26); the codes of taxonomy `channel` that the product acts on."""

    TELEPHONE = "telephone"
    CALLBACK = "callback"
    RECORDING = "recording"
    LETTER = "letter"
    FAX = "fax"
    EMAIL = "email"
    DEPARTMENT = "department"  #: 部门转交
    WALK_IN = "walk_in"
    WEB = "web"


PAPER = frozenset({Channel.LETTER, Channel.FAX, Channel.EMAIL, Channel.DEPARTMENT, Channel.WEB, Channel.RECORDING})
"""Channels with a receipt stamp and two hours for entry (K3, K4)."""


class Absence(StrEnum):
    """Why a required element is empty, so that nobody types 无 (IN-17)."""

    REFUSED = "refused"
    NOT_APPLICABLE = "not_applicable"


class LinkKind(StrEnum):
    """Why two orders belong together."""

    REPEAT_OF = "repeat_of"
    MERGED_INTO = "merged_into"
    APPEAL_OF = "appeal_of"


class ReviewKind(StrEnum):
    """What a second person is asked to approve (RV-02)."""

    DISPATCH = "dispatch"
    SUPPLEMENT = "supplement"
    RECALL = "recall"
    SECOND_DISPATCH = "second_dispatch"
    FORCE_END = "force_end"
    #: another limit for a work order, asked for by its unit and decided by the supervisor (PX-05)
    EXTENSION = "extension"


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """One line of a list or of the pop; field names are those of the JSON."""

    #: public id, random: the one in addresses
    id: str
    serial: str
    #: None while a draft does not know
    kind: str | None
    state: str
    #: first line of the description, for reading at a glance
    summary: str
    business: str | None
    nature: str | None
    created_at: datetime
    registered_at: datetime | None
    #: nearest limit that is running (whole process, promise); None while none runs
    due_at: datetime | None
    overdue: bool
    card: str
    contact_no: int
    repeat_no: int
    urgent: bool
    vip_class: str | None
    customer_name: str | None
    caller_number: str | None
    #: 工号 of the owner, or the queue's name
    owner: str | None
    version: int
    #: run or paused
    control: str = Control.RUN
    #: times it was chased (T29)
    chase_no: int = 0
