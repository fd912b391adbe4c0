"""The prompted form of an order, and its templates and phrases in an administrator's hands (IN-05, IN-16, IN-24)."""

from dataclasses import asdict

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.web.orderviews import api_name, core_name
from cti.web.route import Call, Route
from cti.web.schemas.order_forms import (
    AddPhrase,
    AddTemplate,
    ChangePhrase,
    ChangeTemplate,
    FormQuery,
    OrderForm,
    OrderTemplate,
    OrderTemplateList,
    PhraseList,
    PhraseQuery,
    PhraseView,
    Retire,
)
from ticketing.changes import Change
from ticketing.errors import NotFound
from ticketing.orders import form_templates, forms
from ticketing.orders.form_tables import order_template, phrase
from ticketing.orders.form_templates import Listed, Phrase
from ticketing.orders.forms import Template
from ticketing.roles import Action, require

__all__ = ["ROUTES"]

_TEMPLATES = "/api/order-templates"
_PHRASES = "/api/phrases"
_CODE = "{code:[a-z0-9_-]{1,40}}"


async def form(call: Call) -> OrderForm:
    """The form for what the draft says so far."""
    asked = call.filters(FormQuery)
    async with call.deps.database.read() as conn:
        template = await form_templates.fitting(conn, asked.model_dump())
    made = asdict(forms.form(asked.kind, template))
    for element in made["elements"]:
        element["field"] = api_name(element["field"])
    return OrderForm.model_validate(made)


async def templates(call: Call) -> OrderTemplateList:
    """Every template, retired ones too."""
    async with call.deps.database.read() as conn:
        found = await form_templates.listed(conn)
    await call.looked_up("order_template.listed", "order_template", "all")
    elements = {kind.value: [asdict(each) for each in forms.askable(kind)] for kind in form_templates.KINDS}
    return OrderTemplateList.model_validate({"items": [_template_view(each) for each in found], "elements": elements})


async def add_template(call: Call) -> OrderTemplate:
    """Add a template."""
    given = call.input(AddTemplate)
    async with call.write() as conn:
        change = await form_templates.save(conn, call.actor, _template(given, given.code), call.now, new=True)
        found = await _one(conn, change)
    call.changed(change)
    return _template_view(found)


async def change_template(call: Call) -> OrderTemplate:
    """Write a template anew."""
    given = call.input(ChangeTemplate)
    template = _template(given, call.part("code"), given.version)
    async with call.write() as conn:
        change = await form_templates.save(conn, call.actor, template, call.now, new=False)
        found = await _one(conn, change)
    call.changed(change)
    return _template_view(found)


async def retire_template(call: Call) -> OrderTemplate:
    """New orders are asked by it no more, or again."""
    return _template_view(await _retired(call, order_template))


async def phrases(call: Call) -> PhraseList:
    """Phrases on offer for a type of complaint; all of them for administrators."""
    asked = call.filters(PhraseQuery)
    if asked.all:
        require(call.actor, Action.ADMINISTER_SYSTEM)
    async with call.deps.database.read() as conn:
        if asked.all:
            return PhraseList(items=[_phrase_view(each) for each in await form_templates.all_phrases(conn)])
        found = await form_templates.phrases(conn, asked.complaint_type)
    return PhraseList(items=[_phrase_view(Listed(each, retired=False, edited=False)) for each in found])


async def add_phrase(call: Call) -> PhraseView:
    """Add a phrase."""
    given = call.input(AddPhrase)
    async with call.write() as conn:
        change = await form_templates.save_phrase(conn, call.actor, Phrase(**given.model_dump()), call.now, new=True)
        found = await _one(conn, change, phrase)
    call.changed(change)
    return _phrase_view(found)


async def change_phrase(call: Call) -> PhraseView:
    """Other words or another place."""
    given = Phrase(code=call.part("code"), **call.input(ChangePhrase).model_dump())
    async with call.write() as conn:
        change = await form_templates.save_phrase(conn, call.actor, given, call.now, new=False)
        found = await _one(conn, change, phrase)
    call.changed(change)
    return _phrase_view(found)


async def retire_phrase(call: Call) -> PhraseView:
    """Offer it no more, or again."""
    return _phrase_view(await _retired(call, phrase))


async def _retired(call: Call, table: Table) -> Listed:
    given = call.input(Retire)
    async with call.write() as conn:
        change = await form_templates.retire(
            conn, call.actor, table, call.part("code"), given.version, call.now, retired=given.retired
        )
        found = await _one(conn, change, table)
    call.changed(change)
    return found


async def _one(conn: AsyncConnection, change: Change, table: Table = order_template) -> Listed:
    listed = await (form_templates.listed(conn) if table is order_template else form_templates.all_phrases(conn))
    found = next((each for each in listed if each.value.code == change.subject_id), None)
    if found is None:
        raise NotFound(subject=table.name, id=change.subject_id)
    return found


def _template(given: AddTemplate | ChangeTemplate, code: str, version: int = 1) -> Template:
    plain = given.model_dump(exclude={"code", "version"})
    for name in ("asks", "prefill", "prompts"):
        plain[name] = {core_name(element): value for element, value in plain[name].items()}
    return Template(code=code, version=version, **plain)


def _template_view(found: Listed) -> OrderTemplate:
    return OrderTemplate.model_validate(asdict(found.value) | {"retired": found.retired, "edited": found.edited})


def _phrase_view(found: Listed) -> PhraseView:
    return PhraseView.model_validate(asdict(found.value) | {"retired": found.retired, "edited": found.edited})


ROUTES = (
    Route("order_form", "GET", "/api/order-form", form, "The prompted form.", query=FormQuery, answer=OrderForm),
    Route("order_templates.list", "GET", _TEMPLATES, templates, "Templates of orders.", answer=OrderTemplateList),
    Route(
        "order_templates.add",
        "POST",
        _TEMPLATES,
        add_template,
        "Add a template.",
        body=AddTemplate,
        answer=OrderTemplate,
        status=201,
        idempotent=True,
    ),
    Route(
        "order_templates.change",
        "POST",
        f"{_TEMPLATES}/{_CODE}",
        change_template,
        "Write a template anew.",
        body=ChangeTemplate,
        answer=OrderTemplate,
        idempotent=True,
    ),
    Route(
        "order_templates.retire",
        "POST",
        f"{_TEMPLATES}/{_CODE}/retire",
        retire_template,
        "Offer a template no more, or again.",
        body=Retire,
        answer=OrderTemplate,
        idempotent=True,
    ),
    Route("phrases.list", "GET", _PHRASES, phrases, "Common phrases.", query=PhraseQuery, answer=PhraseList),
    Route(
        "phrases.add",
        "POST",
        _PHRASES,
        add_phrase,
        "Add a phrase.",
        body=AddPhrase,
        answer=PhraseView,
        status=201,
        idempotent=True,
    ),
    Route(
        "phrases.change",
        "POST",
        f"{_PHRASES}/{_CODE}",
        change_phrase,
        "Other words.",
        body=ChangePhrase,
        answer=PhraseView,
        idempotent=True,
    ),
    Route(
        "phrases.retire",
        "POST",
        f"{_PHRASES}/{_CODE}/retire",
        retire_phrase,
        "Offer a phrase no more, or again.",
        body=Retire,
        answer=PhraseView,
        idempotent=True,
    ),
)
