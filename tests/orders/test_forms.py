"""Templates of orders, what they ask and fill in, phrases, and the guard of the hand-off."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select

from tests.orders.desk import VIP, Desk, complaint
from ticketing import audit, taxonomy
from ticketing.errors import Forbidden, HotlineError, Invalid, Refused
from ticketing.orders import dispatching, form_templates, forms, rules
from ticketing.orders.form_tables import order_template
from ticketing.orders.form_templates import Phrase
from ticketing.orders.forms import Template
from ticketing.orders.inputs import HandToSenior
from ticketing.orders.model import Kind
from ticketing.roles import Actor

ORDINARY = "13611112222"


@pytest.fixture
async def templated(desk: Desk) -> Desk:
    """The desk with the shipped templates and phrases."""
    async with desk.database.write() as conn:
        text = form_templates.SHIPPED.read_text(encoding="utf-8")
        assert await form_templates.load(conn, text, desk.now) > 10
        assert await form_templates.load(conn, text, desk.now) == 0
    return desk


async def saved(desk: Desk, given: Template, *, new: bool = True, by: str = "9001") -> None:
    async with desk.database.write() as conn:
        await form_templates.save(conn, desk[by], given, desk.now, new=new)


@pytest.mark.req("IN-05")
def test_each_type_picks_its_own_template_the_finest_first() -> None:
    words = taxonomy.Taxonomies(taxonomy.parse(taxonomy.SAMPLE.read_text(encoding="utf-8")))
    templates, _ = form_templates.parse(form_templates.SHIPPED.read_text(encoding="utf-8"))

    def picked(kind: str, complaint_type: str | None, business: str | None = None) -> str | None:
        found = forms.pick(templates, words, kind, complaint_type, business)
        return found.code if found else None

    types = words.choosable("complaint_type", datetime(2026, 3, 10).date())  # noqa: DTZ001 - a day
    of_types = {each: picked("complaint", each, "mobile.voice") for each in types}
    assert of_types == {each: each for each in ("charges", "service", "network", "business")}
    assert picked("complaint", "network", "data.broadband") == "network-data"
    assert picked("complaint", "charges", "data.broadband") == "charges"
    assert picked("complaint", None, "data.broadband") is None
    assert picked("suggestion", None) == "suggestion"
    assert picked("inquiry", None) is None
    branch = [
        Template("b", "complaint", "乙", "B", business="data"),
        Template("l", "complaint", "丙", "L", business="data.iptv"),
    ]
    assert [forms.pick(branch, words, "complaint", None, each) for each in ("data.iptv", "data.broadband", "card")] == [
        branch[1],
        branch[0],
        None,
    ]


@pytest.mark.req("IN-24")
def test_the_form_has_number_department_and_person_and_prompts_by_service() -> None:
    templates, _ = form_templates.parse(form_templates.SHIPPED.read_text(encoding="utf-8"))
    by_code = {each.code: each for each in templates}
    for kind in (*Kind, None):
        form = forms.form(kind.value if kind else None, None)
        shown = {each.field: each for each in form.elements}
        assert {"serial", "owner", "caller_number", "contact_name"} <= set(shown)
        assert {name for name, each in shown.items() if each.input == "given"} == {"serial", "owner", "caller_number"}
        required = [each.field for each in form.elements if each.required]
        assert sorted(required) == sorted(each.field for each in rules.REQUIRED[kind])
        assert len(shown) == len(form.elements)
    asked = forms.form("complaint", by_code["network-data"])
    shown = {each.field: each for each in asked.elements}
    assert shown["unit"].input == "tree"
    assert (shown["unit"].vocabulary, shown["unit"].codeable) == ("unit", False)
    assert shown["service_number"].prompt == {"zh": "宽带账号或专线号", "en": "Broadband account or number of the line"}
    assert (shown["service_number"].required, shown["service_number"].codeable) == (True, True)
    assert (shown["event_at"].when, shown["wanted_limit_at"].when) == ("past", "future")
    assert shown["verbatim"].limit == 8000
    assert shown["unit"].required
    charges = {each.field: each for each in forms.form("complaint", by_code["charges"]).elements}
    assert (charges["service_number"].required, charges["service_number"].codeable) == (True, False)
    assert (charges["operation_serial"].required, charges["operation_serial"].codeable) == (True, True)


@pytest.mark.req("IN-05", "IN-17")
async def test_what_the_template_asks_blocks_submission_until_filled_or_coded(templated: Desk) -> None:
    desk = templated
    draft = await desk.call(caller=ORDINARY)
    whole = complaint(desk.now, complaint_type="charges", business="mobile.data", nature="charges.bill")
    draft = await desk.edit(draft, **whole)
    order = await desk.read(draft)
    assert (order.order_template, order.missing, order.completeness) == ("charges", ("operation_serial",), 95)
    with pytest.raises(Invalid) as refused:
        await desk.submit(draft)
    assert (refused.value.code, refused.value.field) == ("missing", "operation_serial")
    coded = await desk.edit(draft, coded={"operation_serial": "not_applicable"})
    assert (await desk.read(coded)).completeness == 100
    emptied = await desk.edit(coded, service_number=None, coded={"service_number": "refused"})
    with pytest.raises(Invalid) as of_type:  # the kind would take the code, the template wants the number
        await desk.submit(emptied)
    assert of_type.value.details["missing"] == ["service_number"]
    # another type, another template: what was asked before is asked no more
    other = await desk.edit(emptied, complaint_type="service")
    assert (await desk.read(other)).order_template == "service"
    assert (await desk.submit(other)).kind == "order.submitted"


@pytest.mark.req("IN-17")
@pytest.mark.parametrize("word", ["无", " 无。", "没有", "不详", "N/A", "-", "none"])
async def test_nobody_types_that_there_is_none(desk: Desk, word: str) -> None:
    draft = await desk.call(caller=ORDINARY)
    with pytest.raises(Invalid) as refused:
        await desk.edit(draft, contact_address=word)
    assert (refused.value.code, refused.value.field) == ("says_nothing", "contact_address")
    assert refused.value.details["allowed"] == ["refused", "not_applicable"]
    kept = await desk.edit(draft, contact_address="无锡市中山路 1 号")
    assert (await desk.read(kept)).contact_address == "无锡市中山路 1 号"


@pytest.mark.req("IN-16")
async def test_a_template_fills_what_is_empty_and_its_outline_is_no_answer(templated: Desk) -> None:
    desk = templated
    draft = await desk.edit(await desk.call(caller=ORDINARY), kind="complaint", complaint_type="charges")
    order = await desk.read(draft)
    assert order.description is not None
    assert order.description.startswith("账期：")
    assert "description" in order.missing
    changed = await desk.edit(draft, complaint_type="service")
    outline = (await desk.read(changed)).description
    assert outline is not None
    assert outline.startswith("服务渠道：")
    written = await desk.edit(changed, description=outline.replace("服务渠道：", "服务渠道：营业厅"))
    assert "description" not in (await desk.read(written)).missing
    kept = await desk.edit(written, complaint_type="network")
    assert (await desk.read(kept)).description == outline.replace("服务渠道：", "服务渠道：营业厅")
    own = await desk.edit(await desk.call("c2", caller=ORDINARY), **complaint(desk.now))
    assert (await desk.read(own)).description == complaint(desk.now)["description"]


@pytest.mark.req("IN-16", "IN-05")
async def test_administrators_change_templates_and_registered_orders_keep_theirs(templated: Desk) -> None:
    desk = templated
    draft = await desk.edit(await desk.call(caller=ORDINARY), **complaint(desk.now, business="mobile.voice"))
    known = await desk.registered("c2", caller=ORDINARY, business="mobile.voice")
    async with desk.database.read() as conn:
        (network,) = [each for each in await form_templates.in_use(conn, "complaint") if each.code == "network"]
    stricter = replace(network, asks={**network.asks, "operation_serial": True}, prefill={"reply_mode": "sms"})
    with pytest.raises(Forbidden):
        await saved(desk, stricter, new=False, by="1001")
    await saved(desk, stricter, new=False)
    with pytest.raises(Refused) as stale:
        await saved(desk, stricter, new=False)
    assert stale.value.code == "stale_version"
    with pytest.raises(Invalid) as refused:  # judged by the template of the moment
        await desk.submit(draft)
    assert refused.value.details["missing"] == ["operation_serial"]
    assert ((await desk.read(known)).completeness, (await desk.read(known)).missing) == (100, ())
    async with desk.database.write() as conn:  # the file does not take it back
        assert await form_templates.load(conn, form_templates.SHIPPED.read_text(encoding="utf-8"), desk.now) == 0
        await form_templates.retire(conn, desk["9001"], order_template, "network", 2, desk.now, retired=True)
        verbs = list(await conn.scalars(select(audit.audit.c.verb).where(audit.audit.c.subject_id == "network")))
    assert verbs == ["order_template.changed", "order_template.retired"]
    assert (await desk.submit(draft)).kind == "order.submitted"


@pytest.mark.req("IN-05", "IN-17")
def test_what_administrators_are_offered_is_what_a_template_may_say(now: datetime) -> None:
    words = taxonomy.Taxonomies(taxonomy.parse(taxonomy.SAMPLE.read_text(encoding="utf-8")))

    def taken(kind: Kind, **said: object) -> bool:
        try:
            form_templates.check(replace(Template("t", kind.value, "甲", "A"), **said), words, now)  # type: ignore[arg-type]
        except Invalid:
            return False
        return True

    for kind in form_templates.KINDS:
        offered = forms.askable(kind)
        assert {each.field for each in offered} == forms.ASKABLE
        needed = {each.field: each.codeable for each in rules.elements(kind)}
        for each in offered:
            said = {"required": False, "codeable": True}.get(each.rule)
            assert needed.get(each.field) == said
            assert taken(kind, asks={each.field: True}) == each.codeable, each
            leaf = next(iter(words.choosable(each.field, now.date())), "") if each.vocabulary else "x"
            assert taken(kind, prefill={each.field: leaf}) == each.prefillable, each


WRONG = [
    ({"asks": {"serial": True}}, "not_an_element", "asks.serial"),
    ({"asks": {"unit": True}}, "not_codeable", "asks.unit"),
    ({"prefill": {"verbatim": "他说……"}}, "not_prefillable", "prefill.verbatim"),
    ({"prefill": {"event_at": "昨天"}}, "not_prefillable", "prefill.event_at"),
    ({"prefill": {"reply_mode": "pigeon"}}, "unknown_code", "prefill.reply_mode"),
    ({"prefill": {"description": "长" * 4001}}, "too_long", "prefill.description"),
    ({"prompts": {"unit": {"zh": "问\x07", "en": "ask"}}}, "control_character", "prompts.unit"),
    ({"complaint_type": "no.such"}, "unknown_code", "complaint_type"),
    ({"kind": "appeal"}, "unknown_kind", "kind"),
    ({"zh": " "}, "missing", "zh"),
    ({"code": "大"}, "bad_entry_code", "code"),
    ({"complaint_type": "charges", "business": None}, "template_is_there", "code"),
    ({"code": "charges"}, "code_is_there", "code"),
]


@pytest.mark.req("IN-16")
@pytest.mark.parametrize(("part", "code", "field"), WRONG)
async def test_a_template_that_cannot_be_is_refused(
    templated: Desk, part: dict[str, object], code: str, field: str
) -> None:
    given = Template("relocation", "complaint", "移机", "Relocation", business="data.iptv")
    with pytest.raises(HotlineError) as refused:
        await saved(templated, replace(given, **part))  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.details["field"]) == (code, field)


@pytest.mark.req("IN-16")
async def test_phrases_are_offered_by_type(templated: Desk) -> None:
    desk = templated
    async with desk.database.write() as conn:
        admin: Actor = desk["9001"]
        given = Phrase("late-bill", "description", "账单晚到。", "The bill came late.", "charges", place=90)
        await form_templates.save_phrase(conn, admin, given, desk.now, new=True)
        with pytest.raises(Invalid) as refused:
            await form_templates.save_phrase(conn, admin, replace(given, field="verbatim"), desk.now, new=False)
        assert (refused.value.code, refused.value.field) == ("not_an_element", "field")
        charges = [each.code for each in await form_templates.phrases(conn, "charges")]
        network = [each.code for each in await form_templates.phrases(conn, "network")]
    assert {"late-bill", "not-ordered", "earlier-report"} <= set(charges)
    assert "slow-evening" in network
    assert "late-bill" not in network


async def hand_on(desk: Desk, change: object, by: str = "1001", reason: str = "不能答复") -> HotlineError | None:
    try:
        async with desk.database.write() as conn:
            given = HandToSenior(change.subject_id, change.version, reason=reason)  # type: ignore[attr-defined]
            await dispatching.hand_to_senior(conn, desk[by], given, desk.now)
    except HotlineError as error:
        return error
    return None


@pytest.mark.req("RT-08")
async def test_an_incomplete_order_is_not_handed_on(desk: Desk) -> None:
    draft = await desk.edit(await desk.call(caller=ORDINARY), **complaint(desk.now, event_place=None))
    refused = await hand_on(desk, draft)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.details["missing"]) == ("incomplete", ["event_place"])
    after = await desk.read(draft)
    assert (after.version, after.owner, after.state) == (draft.version, "1001", "draft")
    whole = await desk.submit(await desk.edit(draft, coded={"event_place": "refused"}))
    assert await hand_on(desk, whole) is None
    assert (await desk.read(whole)).state == "at_senior"


@pytest.mark.req("RT-08", "RT-03")
async def test_a_vips_draft_goes_to_the_seniors_as_it_is(desk: Desk) -> None:
    await desk.customer("张伟", vip_class="major")
    draft = await desk.call(caller=VIP)
    assert "hand_to_senior" in (await desk.read(draft)).actions
    no_reason = await hand_on(desk, draft, reason="")
    assert no_reason is not None
    assert no_reason.code == "missing"
    assert await hand_on(desk, draft) is None
    order = await desk.read(draft, "2001")
    assert (order.state, order.owner, order.trail[-1].action) == ("draft", "senior", "hand_to_senior")
    with pytest.raises(Forbidden):  # who may not handle VIPs does not take it back
        await desk.edit(replace(draft, version=order.version), "1001", description="x")
    taken = await desk.edit(replace(draft, version=order.version), "2001", **complaint(desk.now))
    assert (await desk.submit(taken, "2001")).kind == "order.submitted"
    # his suggestion is no complaint: it is completed first
    other = await desk.edit(await desk.call("c2", caller=VIP), kind="suggestion")
    refused = await hand_on(desk, other)
    assert refused is not None
    assert refused.code == "incomplete"
