"""Posts, what each may do, and the one table that says so (requirements part 3). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from ticketing.errors import Forbidden


class Post(StrEnum):
    """The posts of such a centre; a person may hold several."""

    JA = "JA"  #: 初级话务员 junior agent
    TE = "TE"  #: 文本录入员 text-entry clerk
    RX = "RX"  #: 录音提取员 recording clerk
    SA = "SA"  #: 高级话务员 senior agent
    SV = "SV"  #: 用户满意度调查员 satisfaction surveyor
    DM = "DM"  #: 资料管理员 archivist
    QC = "QC"  #: 质检员 quality inspector
    MH = "MH"  #: 经理热线 manager hotline
    DS = "DS"  #: 部门人员 department staff
    DH = "DH"  #: 部门负责人 department head
    FS = "FS"  #: 外线人员 field staff
    LD = "LD"  #: 领导 leader
    FU = "FU"  #: 跟单人员 appeal desk
    SU = "SU"  #: 班长/值班主任 supervisor
    AD = "AD"  #: 系统管理员 administrator


POST_LABELS: dict[Post, tuple[str, str]] = {
    Post.JA: ("初级话务员", "Junior agent"),
    Post.TE: ("文本录入员", "Text-entry clerk"),
    Post.RX: ("录音提取员", "Recording clerk"),
    Post.SA: ("高级话务员", "Senior agent"),
    Post.SV: ("用户满意度调查员", "Satisfaction surveyor"),
    Post.DM: ("资料管理员", "Archivist"),
    Post.QC: ("质检员", "Quality inspector"),
    Post.MH: ("经理热线", "Manager hotline"),
    Post.DS: ("部门人员", "Department staff"),
    Post.DH: ("部门负责人", "Department head"),
    Post.FS: ("外线人员", "Field staff"),
    Post.LD: ("领导", "Leader"),
    Post.FU: ("跟单人员", "Appeal desk"),
    Post.SU: ("班长", "Supervisor"),
    Post.AD: ("系统管理员", "Administrator"),
}
"""Chinese and English name of each post."""


class Action(StrEnum):
    """What a person may be allowed to do; the web asks for one of these before every use case."""

    TAKE_CALLS = "take_calls"
    CREATE_ORDER = "create_order"
    EDIT_DRAFT = "edit_draft"
    SUBMIT_ORDER = "submit_order"
    END_WITHOUT_ORDER = "end_without_order"
    MERGE_ORDER = "merge_order"
    PROPOSE_DISPATCH = "propose_dispatch"
    HANDLE_VIP = "handle_vip"
    HAND_OVER = "hand_over"
    DISPATCH = "dispatch"
    REVIEW = "review"
    SUPPLEMENT = "supplement"
    RECALL = "recall"
    REPLY_CUSTOMER = "reply_customer"
    DECIDE_AT_MANAGER = "decide_at_manager"
    COORDINATE = "coordinate"
    ARCHIVE = "archive"
    CLASSIFY_SUGGESTION = "classify_suggestion"
    WORK_WORK_ORDER = "work_work_order"
    ASSIGN_FIELD_STAFF = "assign_field_staff"
    HANDLE_APPEAL = "handle_appeal"
    SURVEY = "survey"
    CHASE = "chase"
    PAUSE_FLOW = "pause_flow"
    CANCEL_ORDER = "cancel_order"
    FORCE_END = "force_end"
    ESCALATE = "escalate"
    HEAR_CUSTOMER = "hear_customer"
    EXPLAIN_PLAN = "explain_plan"
    GRANT_REMEDY = "grant_remedy"
    NOTE_WORK = "note_work"
    PROPOSE_CHANGE = "propose_change"
    FOLLOW_THROUGH = "follow_through"
    TRANSFER_WORK = "transfer_work"
    DECIDE_EXTENSION = "decide_extension"
    VIEW_ORDERS = "view_orders"
    VIEW_ALL_ORDERS = "view_all_orders"
    VIEW_DRAFTS_OF_OTHERS = "view_drafts_of_others"
    VIEW_CUSTOMERS = "view_customers"
    VIEW_PERSONAL = "view_personal"
    UNMASK = "unmask"
    EXPORT_ORDERS = "export_orders"
    EDIT_CUSTOMERS = "edit_customers"
    IMPORT_CUSTOMERS = "import_customers"
    VIEW_OWN_CALLS = "view_own_calls"
    VIEW_ALL_CALLS = "view_all_calls"
    PLAY_RECORDING = "play_recording"
    PLAY_ANY_RECORDING = "play_any_recording"
    VIEW_ITEMS = "view_items"
    WORK_ITEMS = "work_items"
    VIEW_PAPERS = "view_papers"
    WORK_PAPERS = "work_papers"
    FILE_ORIGINALS = "file_originals"
    VIEW_CALLBACKS = "view_callbacks"
    BOOK_CALLBACK = "book_callback"
    WORK_CALLBACKS = "work_callbacks"
    REASSIGN_WORK = "reassign_work"
    ANNOUNCE = "announce"
    RESTRICT_CALLERS = "restrict_callers"
    DISCONNECT_CALL = "disconnect_call"
    MESSAGE_UNITS = "message_units"
    VIEW_ENTRY_FIGURES = "view_entry_figures"
    VIEW_FOLLOW_UPS = "view_follow_ups"
    VIEW_FLOOR = "view_floor"
    CONTROL_AGENTS = "control_agents"
    LISTEN_IN = "listen_in"
    INSPECT_QUALITY = "inspect_quality"
    VIEW_REPORTS = "view_reports"
    EDIT_KNOWLEDGE = "edit_knowledge"
    READ_AUDIT = "read_audit"
    ADMINISTER_STAFF = "administer_staff"
    ADMINISTER_SYSTEM = "administer_system"


_EVERY = frozenset(Post)
_INTAKE = frozenset({Post.JA, Post.TE, Post.RX, Post.SA})
_CENTRE = _INTAKE | {Post.SV, Post.DM, Post.MH, Post.FU, Post.SU}
_DEPARTMENT = frozenset({Post.DS, Post.DH, Post.FS})
_SEE_ALL = frozenset({Post.SA, Post.SV, Post.DM, Post.QC, Post.MH, Post.LD, Post.FU, Post.SU, Post.AD})

PERMISSIONS: dict[Action, frozenset[Post]] = {
    Action.TAKE_CALLS: _INTAKE | {Post.MH, Post.FU},
    Action.CREATE_ORDER: _INTAKE | {Post.MH, Post.FU},
    Action.EDIT_DRAFT: _INTAKE | {Post.MH, Post.FU},
    Action.SUBMIT_ORDER: _INTAKE | {Post.MH},
    Action.END_WITHOUT_ORDER: _INTAKE | {Post.MH, Post.FU},
    Action.MERGE_ORDER: _INTAKE | {Post.MH, Post.FU},
    Action.PROPOSE_DISPATCH: _INTAKE | {Post.SV},
    Action.HANDLE_VIP: frozenset({Post.SA, Post.MH}),
    Action.HAND_OVER: _INTAKE | {Post.MH, Post.SU},
    Action.DISPATCH: frozenset({Post.SA, Post.MH, Post.FU}),
    Action.REVIEW: frozenset({Post.SA}),
    Action.SUPPLEMENT: frozenset({Post.SA}),
    Action.RECALL: frozenset({Post.SA}),
    Action.REPLY_CUSTOMER: _INTAKE | {Post.SV, Post.MH, Post.FU},
    Action.DECIDE_AT_MANAGER: frozenset({Post.MH}),
    Action.COORDINATE: frozenset({Post.LD}),
    Action.ARCHIVE: frozenset({Post.DM}),
    Action.CLASSIFY_SUGGESTION: frozenset({Post.DM}),
    Action.WORK_WORK_ORDER: _DEPARTMENT,
    Action.ASSIGN_FIELD_STAFF: frozenset({Post.DH}),
    Action.HANDLE_APPEAL: frozenset({Post.FU}),
    Action.SURVEY: frozenset({Post.SV}),
    Action.CHASE: _INTAKE | {Post.MH, Post.SV, Post.FU, Post.SU},
    Action.PAUSE_FLOW: frozenset({Post.SA, Post.AD}),
    Action.CANCEL_ORDER: frozenset({Post.SA, Post.AD}),
    Action.TRANSFER_WORK: frozenset({Post.DH, Post.SA}),
    Action.DECIDE_EXTENSION: frozenset({Post.SU}),
    Action.FORCE_END: frozenset({Post.LD, Post.AD}),
    Action.ESCALATE: frozenset({Post.DH, Post.SA, Post.MH}),
    Action.HEAR_CUSTOMER: _INTAKE | {Post.MH},
    Action.EXPLAIN_PLAN: frozenset({Post.JA, Post.SA, Post.MH}),
    Action.GRANT_REMEDY: frozenset({Post.SA, Post.MH}),
    Action.NOTE_WORK: _DEPARTMENT | {Post.SA, Post.MH},
    Action.PROPOSE_CHANGE: frozenset({Post.JA, Post.TE, Post.RX}),
    Action.FOLLOW_THROUGH: _INTAKE | {Post.MH, Post.SV, Post.FU, Post.DS, Post.DH},
    Action.VIEW_ORDERS: _EVERY,
    Action.VIEW_ALL_ORDERS: _SEE_ALL | {Post.JA, Post.TE, Post.RX},
    Action.VIEW_DRAFTS_OF_OTHERS: frozenset({Post.SU, Post.AD}),
    Action.VIEW_CUSTOMERS: _CENTRE | {Post.QC},
    Action.VIEW_PERSONAL: _INTAKE | {Post.SV, Post.MH, Post.FU, Post.SU},
    Action.UNMASK: _DEPARTMENT | {Post.DM, Post.QC, Post.LD, Post.AD},
    Action.EXPORT_ORDERS: frozenset(
        {Post.SA, Post.SV, Post.DM, Post.QC, Post.MH, Post.DH, Post.LD, Post.FU, Post.SU, Post.AD}
    ),
    Action.IMPORT_CUSTOMERS: frozenset({Post.AD}),
    Action.EDIT_CUSTOMERS: _INTAKE | {Post.SV, Post.MH},
    Action.VIEW_OWN_CALLS: _CENTRE | {Post.QC},
    Action.VIEW_ALL_CALLS: frozenset({Post.SA, Post.MH, Post.QC, Post.SU, Post.AD}),
    Action.PLAY_RECORDING: _CENTRE | _DEPARTMENT | {Post.QC, Post.LD},
    Action.PLAY_ANY_RECORDING: frozenset({Post.SA, Post.RX, Post.MH, Post.QC, Post.SU, Post.FU}),
    Action.VIEW_ITEMS: frozenset({Post.RX, Post.SA, Post.MH, Post.QC, Post.SU, Post.AD}),
    Action.WORK_ITEMS: frozenset({Post.RX, Post.SA}),
    Action.VIEW_PAPERS: frozenset({Post.TE, Post.SA, Post.MH, Post.DM, Post.QC, Post.SU, Post.AD}),
    Action.WORK_PAPERS: frozenset({Post.TE, Post.SA}),
    Action.FILE_ORIGINALS: frozenset({Post.DM}),
    Action.VIEW_CALLBACKS: _INTAKE | {Post.SV, Post.MH, Post.QC, Post.FU, Post.SU, Post.AD},
    Action.BOOK_CALLBACK: _INTAKE | {Post.MH, Post.FU, Post.SU},
    Action.WORK_CALLBACKS: frozenset({Post.RX, Post.SA, Post.MH, Post.SU}),
    Action.REASSIGN_WORK: frozenset({Post.SU, Post.AD}),
    Action.ANNOUNCE: frozenset({Post.SU, Post.MH}),
    Action.RESTRICT_CALLERS: frozenset({Post.SU, Post.MH, Post.AD}),
    Action.DISCONNECT_CALL: frozenset({Post.SU}),
    Action.VIEW_ENTRY_FIGURES: frozenset({Post.QC, Post.MH, Post.SU, Post.AD}),
    Action.MESSAGE_UNITS: frozenset({Post.SA, Post.MH, Post.SU, Post.LD, Post.DS, Post.DH}),
    Action.VIEW_FOLLOW_UPS: frozenset({Post.SV, Post.QC, Post.MH, Post.FU, Post.SU, Post.AD}),
    Action.VIEW_FLOOR: frozenset({Post.SU, Post.MH, Post.QC, Post.LD, Post.AD}),
    Action.CONTROL_AGENTS: frozenset({Post.SU}),
    Action.LISTEN_IN: frozenset({Post.SU, Post.QC}),
    Action.INSPECT_QUALITY: frozenset({Post.QC}),
    Action.VIEW_REPORTS: frozenset({Post.SV, Post.QC, Post.MH, Post.DH, Post.LD, Post.FU, Post.SU, Post.AD}),
    Action.EDIT_KNOWLEDGE: frozenset({Post.DM}),
    Action.READ_AUDIT: frozenset({Post.QC, Post.AD}),
    Action.ADMINISTER_STAFF: frozenset({Post.AD}),
    Action.ADMINISTER_SYSTEM: frozenset({Post.AD}),
}
"""The only place that says which post may do what; a test shows that no action is missing."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: given to every action by the edge, never read from the request's body."""

    staff_id: int
    #: 工号
    number: str
    name: str
    posts: frozenset[Post] = field(default_factory=frozenset)
    team_id: int | None = None
    #: zh or en
    language: str = "zh"


#: the product itself: draft at answer, clocks, listeners; holds no post and needs none
SYSTEM = Actor(staff_id=0, number="system", name="系统")


def may(posts: Iterable[Post], action: Action) -> bool:
    """True when one of the posts may do this."""
    return not PERMISSIONS[action].isdisjoint(posts)


def permissions(posts: Iterable[Post]) -> frozenset[Action]:
    """Everything the posts together may do, for the page."""
    held = frozenset(posts)
    return frozenset(action for action, allowed in PERMISSIONS.items() if not allowed.isdisjoint(held))


def require(actor: Actor, action: Action) -> None:
    """Raises Forbidden unless the actor may; the system itself always may."""
    if actor.staff_id == SYSTEM.staff_id or may(actor.posts, action):
        return
    raise Forbidden(action=action.value, posts=sorted(post.value for post in actor.posts))
