"""The prompted form: which elements an order shows, which template fits it, what that asks for and fills in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ticketing.orders import rules
from ticketing.orders.fields import FIELDS, FieldKind
from ticketing.orders.model import Kind
from ticketing.taxonomy import Taxonomies

Label = Mapping[str, str]
"""Words by language, zh and en."""


@dataclass(frozen=True, slots=True)
class Template:
    """What the orders of one kind, type of complaint and service are asked beyond what their kind must say (IN-05)."""

    code: str
    kind: str
    zh: str
    en: str
    #: leaf or branch; None: every type
    complaint_type: str | None = None
    #: leaf or branch: the service the order is about; None: every service (IN-24)
    business: str | None = None
    #: element -> true: "refused" and "not applicable" are answers too; false: it must be filled in (IN-17)
    asks: Mapping[str, bool] = field(default_factory=dict)
    #: element -> what it says at first (IN-16)
    prefill: Mapping[str, str] = field(default_factory=dict)
    #: element -> what the agent is told to ask for
    prompts: Mapping[str, Label] = field(default_factory=dict)
    version: int = 1


@dataclass(frozen=True, slots=True)
class Shown:
    """One element as the form shows it."""

    name: str
    group: str
    label: Label
    #: kinds that show it without being asked to; empty: all
    kinds: tuple[Kind | None, ...] = ()
    #: comes from the telephone or the product: shown, never typed (IN-18)
    given: bool = False


@dataclass(frozen=True, slots=True)
class FormElement:
    """One element of a form as it is served."""

    field: str
    group: str
    #: given, choice, tree, line, lines, number, time or flag
    input: str
    label: Label
    required: bool
    codeable: bool
    prompt: Label | None
    #: characters; None where there is no limit
    limit: int | None
    #: kind of the taxonomy its values are from
    vocabulary: str | None
    #: past, future or None, of a time
    when: str | None
    #: what the template writes at first
    prefill: str | None


@dataclass(frozen=True, slots=True)
class Askable:
    """One element as the administrators' page lists it: what a template may say of it."""

    field: str
    group: str
    input: str
    label: Label
    limit: int | None
    vocabulary: str | None
    #: what the kind says of it without a template: required, codeable (required, or coded absent), optional or hidden
    rule: str
    #: a template may take "refused" and "not applicable" as answers
    codeable: bool
    #: a template may fill it in
    prefillable: bool


@dataclass(frozen=True, slots=True)
class Form:
    """The form of one kind, type and service (IN-24)."""

    kind: str | None
    template: str | None
    version: int | None
    name: Label | None
    elements: Sequence[FormElement]


_CASE: Final = (Kind.COMPLAINT, Kind.SUGGESTION, Kind.APPEAL, Kind.COORDINATION)
_WRONGED: Final = (Kind.COMPLAINT, Kind.APPEAL, Kind.COORDINATION)


def _shown(name: str, group: str, zh: str, en: str, *kinds: Kind | None, given: bool = False) -> Shown:
    return Shown(name, group, {"zh": zh, "en": en}, kinds, given)


LAYOUT: Final = (
    _shown("serial", "head", "定单号", "Order number", given=True),
    _shown("owner", "head", "受理人员", "Taken by", given=True),
    _shown("caller_number", "head", "主叫号码", "Caller's number", given=True),
    _shown("kind", "head", "受理类型", "Kind"),
    _shown("business", "what", "业务分类", "Business"),
    _shown("nature", "what", "投诉性质", "Nature", *_CASE),
    _shown("unit", "what", "被投诉单位", "Unit complained about", *_WRONGED),
    _shown("complaint_type", "what", "投诉类型", "Type of complaint", *_WRONGED),
    _shown("suggestion_category", "what", "建议类别", "Category", Kind.SUGGESTION),
    _shown("service_number", "what", "投诉号码", "Number complained about"),
    _shown("operation_serial", "what", "操作流水号", "Operation number", *_WRONGED),
    _shown("description", "event", "事件描述", "What happened"),
    _shown("verbatim", "event", "客户原话", "Customer's own words"),
    _shown("event_at", "event", "发生时间", "When it happened", *_CASE),
    _shown("event_place", "event", "发生地点", "Where it happened", *_CASE),
    _shown("wanted_result", "wants", "期望结果", "Wanted result", *_CASE),
    _shown("wanted_limit_at", "wants", "期望时限", "Wanted by", *_CASE),
    _shown("promise_text", "wants", "承诺内容", "What was promised", *_CASE),
    _shown("promise_due_at", "wants", "承诺时限", "Promised by", *_CASE),
    _shown("contact_name", "who", "联系人", "Name"),
    _shown("contact_number", "who", "联系电话", "Telephone"),
    _shown("reply_mode", "who", "回复方式", "Reply by"),
    _shown("contact_address", "who", "联系地址", "Address"),
    _shown("complainant_type", "who", "投诉人类型", "Type of customer"),
    _shown("urgent", "who", "加急", "Urgent", None, Kind.INQUIRY, *_WRONGED),
)
"""Every element in the order of the form; number, department and person stand on each (IN-24)."""

_TREES: Final = frozenset({"business", "nature", "unit"})

ASKABLE: Final = frozenset(name for name in FIELDS if name not in {"kind", "urgent", "promise_text", "promise_due_at"})
"""What a template may ask for, prompt for, and fill in."""

SELECTORS: Final = ("kind", "complaint_type", "business")
"""What decides which template an order has."""


def pick(
    templates: Iterable[Template], words: Taxonomies, kind: str | None, complaint_type: str | None, business: str | None
) -> Template | None:
    """The template that fits best: the finest type of complaint first, then the finest service (IN-05, IN-24).

    None when the kind has none of its own: then the kind's elements are the form.
    """
    types = [node.code for node in words.way("complaint_type", complaint_type)] if complaint_type else []
    services = [node.code for node in words.way("business", business)] if business else []
    best: tuple[int, int] = (-1, -1)
    found: Template | None = None
    for template in templates:
        if template.kind != kind:
            continue
        rank = (_rank(template.complaint_type, types), _rank(template.business, services))
        if min(rank) >= 0 and rank > best:
            best, found = rank, template
    return found


def _rank(wanted: str | None, way: Sequence[str]) -> int:
    """How fine a template's code is: 0 for "every one", -1 where it does not fit; `way` runs from the leaf up."""
    if wanted is None:
        return 0
    return len(way) - way.index(wanted) if wanted in way else -1


def kept(template: Template | None) -> dict[str, Any] | None:
    """What an order keeps of its template: it is judged by what it was asked, whatever becomes of the template."""
    if template is None:
        return None
    return {
        "template": template.code,
        "version": template.version,
        "asks": dict(template.asks),
        "prefill": dict(template.prefill),
    }


def prefilled(
    template: Template | None, before: Mapping[str, Any] | None, filled: Mapping[str, object], coded: Mapping[str, str]
) -> dict[str, str | None]:
    """What the template writes: into what is empty, and into what still says what the template before it wrote;
    what a person wrote or coded is never touched (IN-16)."""
    old: Mapping[str, str] = (before or {}).get("prefill", {})
    new = template.prefill if template is not None else {}
    written: dict[str, str | None] = {}
    for name in (*old, *(each for each in new if each not in old)):
        untouched = filled.get(name) in (None, "") or filled.get(name) == old.get(name)
        if untouched and name not in coded:
            written[name] = new.get(name)
    return written


def form(kind: str | None, template: Template | None) -> Form:
    """The form as it is served: every element with what it takes and whether it must be answered (IN-24)."""
    asks = template.asks if template is not None else {}
    needed = {each.field: each for each in rules.elements(Kind(kind) if kind else None, asks)}
    elements = [
        _element(each, needed.get(each.name), template)
        for each in LAYOUT
        if not each.kinds or (Kind(kind) if kind else None) in each.kinds or each.name in needed
    ]
    return Form(
        kind=kind,
        template=template.code if template is not None else None,
        version=template.version if template is not None else None,
        name={"zh": template.zh, "en": template.en} if template is not None else None,
        elements=elements,
    )


def askable(kind: Kind) -> tuple[Askable, ...]:
    """What a template of this kind may ask for, prompt for and fill in, in the order of the form (IN-05, IN-17)."""
    needed = {each.field: each for each in rules.elements(kind)}
    return tuple(_askable(each, kind, needed.get(each.name)) for each in LAYOUT if each.name in ASKABLE)


def _askable(shown: Shown, kind: Kind, needed: rules.Element | None) -> Askable:
    own = FIELDS[shown.name]
    if needed is not None:
        rule = "codeable" if needed.codeable else "required"
    else:
        rule = "optional" if not shown.kinds or kind in shown.kinds else "hidden"
    return Askable(
        field=shown.name,
        group=shown.group,
        input=_input(shown.name, own.kind),
        label=shown.label,
        limit=own.limit or None,
        vocabulary=shown.name if own.kind is FieldKind.LEAF else None,
        rule=rule,
        codeable=shown.name in rules.CODEABLE and rule != "required",
        prefillable=prefillable(shown.name),
    )


def prefillable(name: str) -> bool:
    """A choice or words of ours may be filled in at first; the customer's own words, numbers and times may not."""
    return FIELDS[name].kind in {FieldKind.LEAF, FieldKind.TEXT, FieldKind.LINES} and name != "verbatim"


def _element(shown: Shown, needed: rules.Element | None, template: Template | None) -> FormElement:
    rule = None if shown.given else FIELDS[shown.name]
    when = None if rule is None or rule.future is None else ("future" if rule.future else "past")
    return FormElement(
        field=shown.name,
        group=shown.group,
        input="given" if rule is None else _input(shown.name, rule.kind),
        label=shown.label,
        required=needed is not None,
        codeable=needed is not None and needed.codeable,
        prompt=template.prompts.get(shown.name) if template is not None else None,
        limit=rule.limit or None if rule is not None else None,
        vocabulary=shown.name if rule is not None and rule.kind is FieldKind.LEAF else None,
        when=when,
        prefill=template.prefill.get(shown.name) if template is not None else None,
    )


def _input(name: str, kind: FieldKind) -> str:
    match kind:
        case FieldKind.LEAF:
            return "tree" if name in _TREES else "choice"
        case FieldKind.KIND:
            return "choice"
        case FieldKind.TEXT:
            return "line"
        case _:
            return kind.value
