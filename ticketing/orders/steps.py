"""Words of the order's state machine: verbs, conditions, and the shape of one row of the table. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ticketing.clocks.model import Anchor, Clock
from ticketing.orders.model import Control, Kind, State, WorkOrderState
from ticketing.roles import Post


class Verb(StrEnum):
    """What is done to an order; the name of the trail's row."""

    OPEN = "open"
    SUBMIT = "submit"
    END_WITHOUT_ORDER = "end_without_order"
    MERGE = "merge"
    ANSWER = "answer"  #: 现场答复
    HAND_TO_SENIOR = "hand_to_senior"  #: 转高级处理
    PROPOSE = "propose"  #: 拟派单
    SEND_BACK = "send_back"  #: 复核退回
    INVALIDATE = "invalidate"  #: 无效撤消
    SOLVE = "solve"  #: 不派单直接解决
    APPROVE = "approve"  #: 复核通过, 派单
    DISPATCH = "dispatch"  #: 高级自行派单
    REPLY = "reply"  #: 回复客户
    RATE = "rate"  #: 满意度调查
    REDISPATCH = "redispatch"  #: 二次派单
    FILE = "file"  #: 归档
    TO_MANAGER = "to_manager"  #: 转经理热线
    PAUSE = "pause"  #: 暂停
    RESUME = "resume"  #: 恢复
    CANCEL = "cancel"  #: 取消
    FORCE_END = "force_end"  #: 强制结束
    TO_ARCHIVIST = "to_archivist"  #: 建议转资料管理员
    REPORT = "report"  #: 建议摘报
    SETTLE = "settle"  #: what the work orders' states amount to
    TO_LEADER = "to_leader"  #: 交领导协调
    RAISE = "raise"  #: 交公司高层
    COORDINATE = "coordinate"  #: 领导协调决定
    ASK_FORCE_END = "ask_force_end"  #: 申请强制结束
    KEEP = "keep"  #: 不同意强制结束
    CUSTOMER_ADDS = "customer_adds"  #: 客户补充申诉
    TELL = "tell"  #: 告知方案与时间
    REMEDY = "remedy"  #: 补救
    DECIDE_REMEDY = "decide_remedy"  #: 审批补救
    CHASE = "chase"  #: 催单
    REASSIGN = "reassign"  #: 改派经办人

    ACCEPT = "accept"  #: 接单
    BEGIN = "begin"  #: 开始处理
    FINISH = "finish"  #: 回单
    TO_HEAD = "to_head"  #: 交部门负责人
    TAKE_BACK = "take_back"  #: 负责人退回经办
    RETURN = "return"  #: 退回
    TRANSFER = "transfer"  #: 转派
    SUPPLEMENT = "supplement"  #: 追单
    RECALL = "recall"  #: 退单(中心撤回)
    ACKNOWLEDGE = "acknowledge"  #: 签收追单、退单、催单
    PROPOSE_SUPPLEMENT = "propose_supplement"  #: 拟追单
    PROPOSE_RECALL = "propose_recall"  #: 拟退单
    APPROVE_CHANGE = "approve_change"  #: 追单、退单复核通过
    REFUSE_CHANGE = "refuse_change"  #: 追单、退单复核退回
    ASSIGN_FIELD = "assign_field"  #: 安排现场人员
    FIELD_REPORT = "field_report"  #: 现场反馈
    NOTE = "note"  #: 追加消息
    SEND_ON = "send_on"  #: 退回单改派
    DROP = "drop"  #: 退回单不再派
    REASSIGN_WORK = "reassign_work"  #: 工单改派经办人
    ATTACH = "attach"  #: 添附件
    ASK_EXTENSION = "ask_extension"  #: 申请延期
    GRANT_EXTENSION = "grant_extension"  #: 同意延期
    REFUSE_EXTENSION = "refuse_extension"  #: 不同意延期
    SEND = "send"  #: 前一环节办结，下达
    CALL_OFF = "call_off"  #: 前一环节撤回，不再下达
    FOLLOW = "follow"  #: 随职责调整移交
    STAY = "stay"  #: 职责调整后留在原单位


class Subject(StrEnum):
    """Whose state a row changes."""

    ORDER = "order"
    WORK_ORDER = "work_order"


@dataclass(frozen=True, slots=True)
class Situation:
    """What the interpreter knows of the order before it decides."""

    #: None before the order exists
    state: State | WorkOrderState | None
    kind: Kind | None = None
    control: Control = Control.RUN
    #: came in writing or as a recording: has a receipt stamp
    paper: bool = False
    #: urgent, or the customer is of a VIP class (DP-06)
    at_once: bool = False
    #: the customer was told a time
    promised: bool = False
    #: required elements neither filled nor coded (IN-17)
    missing: tuple[str, ...] = ()
    #: the kind and the template ask for a call-back (SV-07)
    follow_up: bool = False
    #: reached, and complained of it before: why, and what was done for him, is written down (SV-04)
    repeated: bool = False
    #: the reply is the last one of this order (RP-04)
    final: bool = True
    #: a department still holds a work order
    live_work: bool = False
    #: past its limit: the work order's own clock (PR-06)
    red: bool = False
    #: what the work orders amount to, as `settle` found it
    settled: State | None = None
    #: facts of the request that decide what else must be said and which clocks turn, by the names of `CONDITIONS`
    said: frozenset[str] = frozenset()


Condition = Callable[[Situation], bool]

CONDITIONS: Mapping[str, Condition] = {
    "always": lambda s: True,
    "paper": lambda s: s.paper,
    "promised": lambda s: s.promised,
    "complaint": lambda s: s.kind is Kind.COMPLAINT,
    "complaint at once": lambda s: s.kind is Kind.COMPLAINT and s.at_once,
    "not a complaint": lambda s: s.kind is not Kind.COMPLAINT,
    "needs a hand-off": lambda s: s.kind in {Kind.COMPLAINT, Kind.SUGGESTION},
    "at once": lambda s: s.at_once,
    "followed up": lambda s: s.final and s.follow_up,
    "not followed up": lambda s: s.final and not s.follow_up,
    "complained again": lambda s: s.repeated,
    "final": lambda s: s.final,
    "not final": lambda s: not s.final and not s.live_work,
    "red": lambda s: s.red,
    "to reply": lambda s: s.settled is State.REPLYING,
    "back to the senior": lambda s: s.settled is State.AT_SENIOR,
    "cancelled": lambda s: s.settled is State.CANCELLED,
    "nobody works": lambda s: not s.live_work,
    "overdue repeat": lambda s: "overdue repeat" in s.said,
    "answered": lambda s: "answered" in s.said,
    "re-promised": lambda s: bool({"re-promised in time", "re-promised late"} & s.said),
    "re-promised in time": lambda s: "re-promised in time" in s.said,
    "re-promised late": lambda s: "re-promised late" in s.said,
    "money": lambda s: "money" in s.said,
}
"""Named so that the table stays readable and printable."""


@dataclass(frozen=True, slots=True)
class Start:
    """A clock that begins with the step."""

    clock: Clock
    when: str = "always"
    anchor: Anchor = Anchor.NONE
    #: counts from the answer or the receipt stamp instead of from now
    from_receipt: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """A clock that ends with the step."""

    clock: Clock
    when: str = "always"
    #: it never counted: neither met nor breached (G16)
    void: bool = False


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table: from, action, to, who, what must be filled in, which clocks."""

    #: row of requirements part 4
    row: str
    verb: Verb
    sources: tuple[State | WorkOrderState | None, ...]
    #: none: the state stays; several: a named rule chooses
    targets: tuple[State | WorkOrderState, ...]
    posts: frozenset[Post]
    #: fields of the request that must be given; `complete` = every element the kind requires
    required: tuple[str, ...] = ()
    starts: tuple[Start, ...] = ()
    stops: tuple[Stop, ...] = ()
    #: required only when the condition holds: (condition, field)
    required_when: tuple[tuple[str, str], ...] = ()
    #: every clock of the order that still runs ends: "" no, "stop" judged, "void" never counted
    stop_all: str = ""
    #: the condition under which `stop_all` applies
    stop_all_when: str = "always"
    #: name in CHOICES of the rule that picks one of several targets
    choose: str = ""
    subject: Subject = Subject.ORDER
    #: the product itself may do it
    system: bool = False
    #: allowed while the order is paused
    while_paused: bool = False
    #: what it turns beside the state: clocks that pause stand still or run on
    control: Control | None = None
    #: where it is written
    source: str = ""


Choice = Callable[[Situation], State | WorkOrderState]
