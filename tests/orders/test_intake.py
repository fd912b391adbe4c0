"""Edit, submit, end without order, merge: what each needs, refuses, and does to clocks and contacts."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.orders.desk import Desk, complaint
from ticketing.changes import Change
from ticketing.errors import Forbidden, HotlineError, Invalid, NotFound, Refused, Stale
from ticketing.orders import actions
from ticketing.orders.inputs import AddWords, EditDraft, EndWithoutOrder, Merge, NewDraft
from ticketing.orders.model import Channel, Kind
from ticketing.orders.rules import REQUIRED


async def _end(desk: Desk, change: Change, reason: str = "inquiry", agent: str = "1001", **given: Any) -> Change:
    async with desk.database.write() as conn:
        told = EndWithoutOrder(change.subject_id, change.version, reason, **given)
        return await actions.end_without_order(conn, desk[agent], told, desk.now + timedelta(hours=2))


async def _merge(desk: Desk, change: Change, serial: str, agent: str = "1001") -> tuple[Change, Change]:
    async with desk.database.write() as conn:
        return await actions.merge(
            conn, desk[agent], Merge(change.subject_id, change.version, serial), desk.now + timedelta(hours=2)
        )


@pytest.mark.req("T2", "IN-03", "IN-04", "IN-09")
async def test_a_complete_complaint_is_registered_with_its_clocks_and_promise(desk: Desk) -> None:
    change = await desk.registered()
    order = await desk.read(change)
    assert (change.kind, order.state, order.missing, order.completeness) == ("order.submitted", "registered", (), 100)
    running = {clock.code: clock.due_at for clock in order.clocks if clock.stopped_at is None}
    assert running == {
        "K5": desk.now + timedelta(minutes=5),
        "K6": desk.now + timedelta(hours=1),
        "K10": desk.now + timedelta(days=5),
        "K10L": desk.now + timedelta(days=15),
        "K11": desk.now + timedelta(days=2),
    }
    assert [promise.text for promise in order.promises] == ["两天内答复"]
    assert order.due_at == desk.now + timedelta(days=2)
    assert [line.action for line in order.trail] == ["open", "edit", "submit"]
    assert (order.service_number, order.caller_number) == ("ADSL-010-88886666", "+8613800138000")


@pytest.mark.req("IN-17", "IN-12", "IN-08")
async def test_each_element_missing_blocks_submission_unless_it_may_be_coded(desk: Desk) -> None:
    draft = await desk.call()
    for element in REQUIRED[Kind.COMPLAINT]:
        draft = await desk.edit(draft, **{**complaint(desk.now), element.field: None})
        with pytest.raises(Invalid) as refusal:
            await desk.submit(draft)
        assert (refusal.value.code, refusal.value.field) == ("missing", element.field)
        if element.codeable:
            draft = await desk.edit(draft, coded={element.field: "refused"})
            assert (await desk.read(draft)).missing == ()
        else:
            with pytest.raises(Invalid) as uncoded:
                await desk.edit(draft, coded={element.field: "refused"})
            assert (uncoded.value.code, uncoded.value.field) == ("not_codeable", element.field)
    draft = await desk.edit(draft, **complaint(desk.now, event_place=None), coded={"event_place": "not_applicable"})
    assert (await desk.submit(draft)).kind == "order.submitted"


WRONG = [
    ("business", "no.such", "unknown_code"),
    ("business", "data", "not_a_leaf"),
    ("unit", "mars", "unknown_code"),
    ("contact_name", "张" * 201, "too_long"),
    ("contact_name", "张\x07伟", "control_character"),
    ("contact_name", "张\u202e伟", "control_character"),
    ("contact_name", "张\n伟", "control_character"),
    ("description", "x" * 4001, "too_long"),
    ("description", "a\x00b", "control_character"),
    ("contact_number", "abc", "not_a_number"),
    ("contact_number", 13800138000, "not_a_number"),
    ("event_at", timedelta(hours=1), "in_the_future"),
    ("event_at", -timedelta(days=30000), "out_of_range"),
    ("promise_due_at", -timedelta(hours=1), "in_the_past"),
    ("wanted_limit_at", timedelta(days=4000), "out_of_range"),
    ("event_at", "yesterday", "not_a_time"),
    ("urgent", "yes", "not_a_flag"),
    ("kind", "appeal", "unknown_kind"),
    ("verbatim", 5, "not_text"),
    ("colour", "red", "unknown_field"),
    ("repeat_of", "123456780", "bad_serial"),
    ("customer", 7, "not_text"),
]


async def test_a_wrong_value_is_refused_by_field_and_changes_nothing(desk: Desk) -> None:
    draft = await desk.call()
    for name, value, code in WRONG:
        given = desk.now + value if isinstance(value, timedelta) else value
        told: dict[str, Any] = {"description": "会被一起拒绝", name: given}
        with pytest.raises(Invalid) as refusal:
            await desk.edit(draft, **told)
        assert (refusal.value.code, refusal.value.field) == (code, name)
        assert refusal.value.message
    order = await desk.read(draft)
    assert (order.version, order.description) == (draft.version, None)


async def test_an_edit_that_changes_nothing_makes_no_version(desk: Desk) -> None:
    draft = await desk.edit(await desk.call(), description="慢")
    assert (await desk.edit(draft, description=" 慢 ")).version == draft.version


async def test_filled_and_coded_at_once_is_refused_and_filling_takes_the_code_away(desk: Desk) -> None:
    draft = await desk.edit(await desk.call(), coded={"event_place": "not_applicable"})
    filled = await desk.edit(draft, event_place="家中")
    assert (await desk.read(filled)).coded == {}
    with pytest.raises(Invalid) as refusal:
        await desk.edit(filled, coded={"event_place": "refused"})
    assert refusal.value.code == "filled_and_coded"
    with pytest.raises(Invalid) as unknown:
        await desk.edit(filled, event_place=None, coded={"event_place": "无"})
    assert unknown.value.code == "unknown_code"


@pytest.mark.req("IN-22")
async def test_the_customers_words_are_fixed_and_later_words_stand_beside_them(desk: Desk) -> None:
    order = await desk.registered()
    with pytest.raises(Refused) as refusal:
        await desk.edit(order, verbatim="改写")
    assert refusal.value.code == "verbatim_fixed"
    async with desk.database.write() as conn:
        added = await actions.add_words(
            conn, desk["2001"], AddWords(order.subject_id, order.version, "今天又断网了"), desk.now
        )
    read = await desk.read(added)
    assert read.verbatim == complaint(desk.now)["verbatim"]
    assert [(words.by, words.text) for words in read.addenda] == [("2001", "今天又断网了")]


@pytest.mark.req("IN-07")
async def test_the_customers_class_and_type_are_snapshots(desk: Desk) -> None:
    known = await desk.customer(vip_class="major", complainant_type="major")
    draft = await desk.call()
    async with desk.database.write() as conn:
        from ticketing.customers import store as customers

        await customers.change(conn, known.public_id, 1, {"vip_class": None, "complainant_type": "ordinary"}, desk.now)
    order = await desk.read(draft)
    assert (order.vip_class, order.complainant_type) == ("major", "major")


async def test_a_vip_complaint_starts_the_urgent_clock(desk: Desk) -> None:
    await desk.customer(vip_class="major")
    order = await desk.read(await desk.registered())
    assert {clock.code: clock.due_at for clock in order.clocks}["K7"] == desk.now + timedelta(minutes=5)


@pytest.mark.req("IN-06", "T2")
async def test_a_suggestion_needs_its_category_and_never_breaches_the_dispatch_hour(desk: Desk) -> None:
    said = {name: complaint(desk.now)[name] for name in (
        "business", "nature", "description", "verbatim", "contact_name", "contact_number", "reply_mode")}  # fmt: skip
    draft = await desk.edit(await desk.call(), kind="suggestion", **said)
    with pytest.raises(Invalid) as refusal:
        await desk.submit(draft)
    assert refusal.value.details["missing"] == ["suggestion_category"]
    filled = await desk.edit(draft, suggestion_category="service")
    order = await desk.read(await desk.submit(filled, after_s=7200))
    assert [clock.outcome for clock in order.clocks if clock.code == "K6"] == ["void"]


@pytest.mark.req("T37", "PX-07", "G16")
async def test_ending_without_order_leaves_no_draft_and_no_false_breach(desk: Desk) -> None:
    draft = await desk.call()
    ended = await _end(desk, draft, "wrong_number", note="打错了")
    order = await desk.read(ended)
    assert (order.state, order.no_order_reason, order.end_note) == ("no_order", "wrong_number", "打错了")
    assert {clock.outcome for clock in order.clocks} == {"void"}
    with pytest.raises(Refused):
        await desk.submit(ended)


@pytest.mark.req("PX-07")
async def test_the_reason_is_coded(desk: Desk) -> None:
    draft = await desk.call()
    for reason, code in (("", "missing"), ("boredom", "unknown_code")):
        with pytest.raises(Invalid) as refusal:
            await _end(desk, draft, reason)
        assert (refusal.value.code, refusal.value.field) == (code, "reason")


@pytest.mark.req("T38", "G15", "IN-13", "RT-06")
async def test_merging_moves_call_and_words_and_counts_the_contact(desk: Desk) -> None:
    known = await desk.customer()
    first = await desk.registered()
    serial = (await desk.read(first)).serial
    second = await desk.edit(await desk.call("c2", "1002"), "1002", verbatim="还没有人联系我！")
    assert (await desk.read(second, "1002")).earlier_orders[0].serial == serial
    gone, grown = await _merge(desk, second, serial, "1002")
    draft, order = await desk.read(gone, "1002"), await desk.read(grown)
    assert (draft.state, draft.merged_into, draft.contacts) == ("merged", serial, ())
    assert {clock.outcome for clock in draft.clocks} == {"void"}
    assert (order.contact_no, order.version, order.call_ids) == (2, first.version + 1, ("c1", "c2"))
    assert [words.text for words in order.addenda] == ["还没有人联系我！"]
    assert order.trail[-1].action == "contact"
    async with desk.database.read() as conn:
        from ticketing.contacts import store as contacts

        assert [line.external_id for line in await contacts.log(conn, known.id)] == ["c2", "c1"]


async def test_two_agents_who_merge_into_one_order_at_once_both_count(desk: Desk) -> None:
    order = await desk.registered()
    serial = (await desk.read(order)).serial
    first, second = await desk.call("c2", "1002"), await desk.call("c3", "2001")
    await asyncio.gather(_merge(desk, first, serial, "1002"), _merge(desk, second, serial, "2001"))
    grown = await desk.read(order)
    assert (grown.contact_no, grown.version, set(grown.call_ids)) == (3, order.version + 2, {"c1", "c2", "c3"})


async def test_what_cannot_be_merged_into(desk: Desk) -> None:
    ended = await _end(desk, await desk.call("c0"))
    other = await desk.call("c8", "1002")
    draft = await desk.call()
    serials = {name: (await desk.read(change, agent)).serial for name, change, agent in (
        ("ended", ended, "1001"), ("other", other, "1002"), ("itself", draft, "1001"))}  # fmt: skip
    cases: list[tuple[str, type[HotlineError], str]] = [
        ("12345", Invalid, "bad_serial"),
        (serials["itself"], Refused, "itself"),
        (serials["ended"], Refused, "target_over"),
        (serials["other"], NotFound, "not_found"),
    ]
    for serial, kind, code in cases:
        with pytest.raises(kind) as refusal:
            await _merge(desk, draft, serial)
        assert (refusal.value.code, refusal.value.details["field"]) == (code, "into_serial")
    assert (await desk.read(draft)).version == draft.version


async def test_an_open_order_is_merged_into_and_an_ended_one_repeated(desk: Desk) -> None:
    open_serial = (await desk.read(await desk.registered())).serial
    draft = await desk.call("c2")
    with pytest.raises(Refused) as refusal:
        await desk.edit(draft, repeat_of=open_serial)
    assert (refusal.value.code, refusal.value.details["field"]) == ("still_open", "repeat_of")


@pytest.mark.req("IN-25", "CL-01", "K3", "G5")
async def test_a_letter_is_counted_from_its_receipt_stamp(desk: Desk) -> None:
    received = desk.now - timedelta(minutes=90)
    async with desk.database.write() as conn:
        new = NewDraft(Channel.LETTER, received, external_id="L-7")
        draft = await actions.create_draft(conn, desk["6001"], new, desk.now)
    order = await desk.read(draft, "6001")
    assert {clock.code: clock.due_at for clock in order.clocks} == {
        "K3": received + timedelta(hours=2), "K4": received + timedelta(hours=2), "K6": received + timedelta(hours=1)
    }  # fmt: skip
    with pytest.raises(Invalid):
        await desk.edit(draft, "6001", received_at=desk.now)
    submitted = await desk.submit(await desk.edit(draft, "6001", **complaint(desk.now)), "6001", after_s=1801)
    entry = next(clock for clock in (await desk.read(submitted, "6001")).clocks if clock.code == "K3")
    assert entry.outcome == "breached"


@pytest.mark.req("IN-26")
async def test_a_walk_in_has_no_entry_clock_and_calls_are_not_typed(desk: Desk) -> None:
    async with desk.database.write() as conn:
        draft = await actions.create_draft(conn, desk["1001"], NewDraft(Channel.WALK_IN, desk.now), desk.now)
    order = await desk.read(draft)
    assert (order.channel, [clock.code for clock in order.clocks]) == ("walk_in", ["K6"])
    for new, field in (
        (NewDraft(Channel.TELEPHONE, desk.now), "channel"),
        (NewDraft(Channel.FAX, desk.now + timedelta(hours=1)), "received_at"),
    ):
        with pytest.raises(Invalid) as refusal:
            async with desk.database.write() as conn:
                await actions.create_draft(conn, desk["1001"], new, desk.now)
        assert refusal.value.field == field


@pytest.mark.req("IN-11")
async def test_parallel_letters_get_their_own_serials(desk: Desk) -> None:
    async def enter(number: int) -> Change:
        async with desk.database.write() as conn:
            new = NewDraft(Channel.LETTER, desk.now, external_id=f"L-{number}")
            return await actions.create_draft(conn, desk["1001"], new, desk.now)

    made = await asyncio.gather(*(enter(number) for number in range(5)))
    assert len({(await desk.read(change)).serial for change in made}) == 5


async def test_of_two_who_edit_at_once_one_wins_and_the_other_is_told_who(desk: Desk) -> None:
    draft = await desk.call()

    async def write(number: int) -> Change | Stale:
        try:
            async with desk.database.write() as conn:
                edit = EditDraft(draft.subject_id, draft.version, {"description": f"第{number}次"})
                return await actions.edit_draft(conn, desk["1001"], edit, desk.now)
        except Stale as stale:
            return stale

    results = await asyncio.gather(*(write(number) for number in range(6)))
    lost = [result for result in results if isinstance(result, Stale)]
    assert len(lost) == 5
    assert {(stale.code, stale.details["by"], stale.details["version"]) for stale in lost} == {
        ("stale_version", "1001", 2)
    }


async def test_a_draft_is_its_owners(desk: Desk) -> None:
    draft = await desk.call()
    for agent in ("1002", "2001", "5001"):
        with pytest.raises(NotFound):
            await desk.read(draft, agent)
        with pytest.raises((NotFound, Forbidden)):
            await desk.edit(draft, agent, description="x")
    for agent in ("3001", "9001"):
        assert (await desk.read(draft, agent)).state == "draft"
        with pytest.raises(Forbidden):
            await desk.edit(draft, agent, description="x")
    with pytest.raises(Forbidden) as refusal:
        await _end(desk, draft, agent="9001")
    assert refusal.value.code == "not_your_draft"
