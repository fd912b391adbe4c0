"""The prompted form of an order, its templates and common phrases (IN-05, IN-16, IN-17, IN-24). Pure."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from cti.web.schemas.common import Code, Input, Label, Line, Output, Text, Version

__all__ = [
    "AddPhrase",
    "AddTemplate",
    "AskableElement",
    "ChangePhrase",
    "ChangeTemplate",
    "FormElement",
    "FormQuery",
    "OrderForm",
    "OrderTemplate",
    "OrderTemplateList",
    "PhraseList",
    "PhraseQuery",
    "PhraseView",
    "Retire",
]

#: The name of a template or a phrase: it stays.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,40}$")]
Words = Annotated[Line, StringConstraints(min_length=1, max_length=64)]
Prompt = Annotated[Line, StringConstraints(min_length=1, max_length=120)]
Phrased = Annotated[Text, StringConstraints(min_length=1, max_length=500)]


def _example(**values: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [values]})


class FormQuery(Input):
    """Which form: as the draft is classified so far."""

    kind: Literal["complaint", "suggestion", "inquiry"] | None = None
    complaint_type: Code | None = None
    business: Code | None = None


class FormElement(Output):
    """One element of the form."""

    #: as `PATCH /api/orders/{id}` takes it; `promise.due_at` is a part of `promise`
    field: str
    group: Literal["head", "what", "event", "wants", "who"]
    #: `given` comes from the telephone or the service and is never written
    input: Literal["given", "choice", "tree", "line", "lines", "number", "time", "flag"]
    label: Label
    #: must be filled in, or coded, before the order can be submitted
    required: bool
    #: `refused` and `not_applicable` are answers too
    codeable: bool
    #: what to ask the customer for
    prompt: Label | None
    #: characters
    limit: int | None
    #: vocabulary of `GET /api/taxonomies` its values are from
    vocabulary: str | None
    #: of a time
    when: Literal["past", "future"] | None
    #: what the template writes at first
    prefill: str | None


class OrderForm(Output):
    """The prompted form of one kind, type of complaint and service."""

    kind: str | None
    #: null: the kind's own elements
    template: str | None
    version: int | None
    name: Label | None
    elements: list[FormElement]


class OrderTemplate(Output):
    """A template as administrators see it."""

    code: str
    kind: str
    complaint_type: str | None
    business: str | None
    zh: str
    en: str
    asks: dict[str, bool]
    prefill: dict[str, str]
    prompts: dict[str, Label]
    version: int
    #: new orders are not asked by it
    retired: bool
    #: an administrator has written it: the data file changes it no more
    edited: bool


class AskableElement(Output):
    """What a template of a kind may say of one element."""

    field: str
    group: Literal["head", "what", "event", "wants", "who"]
    input: Literal["choice", "tree", "line", "lines", "number", "time", "flag"]
    label: Label
    #: characters
    limit: int | None
    vocabulary: str | None
    #: of the kind itself: `codeable` is required unless coded absent
    rule: Literal["required", "codeable", "optional", "hidden"]
    #: `refused` and `not_applicable` may be taken as answers
    codeable: bool
    #: the template may fill it in
    prefillable: bool


class OrderTemplateList(Output):
    """Every template, retired ones too."""

    items: list[OrderTemplate]
    #: by kind: what a template may ask for, prompt for and fill in, in the order of the form
    elements: dict[Literal["complaint", "suggestion", "inquiry"], list[AskableElement]]


class PromptInput(Input):
    """What the agent is told to ask for."""

    zh: Prompt
    en: Prompt


class _Template(Input):
    kind: Literal["complaint", "suggestion", "inquiry"]
    zh: Words
    en: Words
    complaint_type: Code | None = None
    business: Code | None = None
    #: element -> true: may be coded absent; false: must be filled in
    asks: Annotated[dict[Code, bool], Field(max_length=30)] = Field(default_factory=dict)
    prefill: Annotated[dict[Code, Text], Field(max_length=30)] = Field(default_factory=dict)
    prompts: Annotated[dict[Code, PromptInput], Field(max_length=30)] = Field(default_factory=dict)


class AddTemplate(_Template):
    """A template for the orders of one kind, type and service; what it does not ask, the kind still does."""

    code: Name

    model_config = _example(
        code="relocation",
        kind="complaint",
        complaint_type="business",
        business="data.broadband",
        zh="宽带移机",
        en="Broadband relocation",
        asks={"event_place": False},
        prefill={"description": "原地址：\n新地址："},
        prompts={"event_place": {"zh": "新装机地址", "en": "The new address"}},
    )


class ChangeTemplate(_Template):
    """The template written anew; its code stays."""

    version: Version

    model_config = _example(version=1, kind="suggestion", zh="建议", en="Suggestion", asks={"contact_address": True})


class Retire(Input):
    """Offer it no more, or again."""

    version: Version
    retired: bool

    model_config = _example(version=2, retired=True)


class PhraseQuery(Input):
    """Which phrases."""

    complaint_type: Code | None = None
    #: retired ones and those of every type too, for administrators
    all: bool = False


class PhraseView(Output):
    """Words often used."""

    code: str
    #: element it is offered for
    field: str
    complaint_type: str | None
    zh: str
    en: str
    place: int
    version: int
    retired: bool = False
    edited: bool = False


class PhraseList(Output):
    """Phrases in the order of the page."""

    items: list[PhraseView]


class _Phrase(Input):
    field: Code
    zh: Phrased
    en: Phrased
    complaint_type: Code | None = None
    place: Annotated[int, Field(ge=0, le=100_000)] = 0


class AddPhrase(_Phrase):
    """A phrase for one text of the form."""

    code: Name

    model_config = _example(code="no-invoice", field="description", zh="客户未收到发票。", en="No invoice came.")


class ChangePhrase(_Phrase):
    """Other words or another place."""

    version: Version

    model_config = _example(version=1, field="description", zh="客户称未收到发票。", en="He says no invoice came.")
