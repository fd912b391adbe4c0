"""Violations planted in an installation, one after the other, each on a subject of its own."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from cti import store
from cti.calls.model import CallRecord, Leg, Outcome, Step
from cti.tables import call
from cti.verify.model import Rule
from cti.web.tables import idempotency
from recordings.tables import recording
from tests.verify.place import HOUR, Town, call_id, record
from ticketing.audit import audit
from ticketing.callbacks.tables import callback, callback_attempt
from ticketing.clocks.tables import clock, clock_segment
from ticketing.db import Database
from ticketing.intake.tables import intake_item
from ticketing.orders.tables import customer_order, order_trail
from ticketing.staff.tables import staff

#: does it and says whom the checker must name
Plant = Callable[[Town], Awaitable[str]]


@dataclass(frozen=True)
class Planted:
    """One row of the table."""

    rule: Rule
    #: words that the finding must hold
    says: str
    plant: Plant


TABLE: Final[list[Planted]] = []


def planted(rule: Rule, says: str) -> Callable[[Plant], Plant]:
    def put(plant: Plant) -> Plant:
        TABLE.append(Planted(rule, says, plant))
        return plant

    return put


async def _save(database: Database, one: CallRecord) -> None:
    async with database.write() as conn:
        await store.save_calls(conn, [one])


# -- N1 ---------------------------------------------------------------------------------------------------------------


@planted(Rule.N1, "no item")
async def message_told_and_lost(town: Town) -> str:
    await _save(town.database, record(call_id(900), town.now - HOUR, outcome=Outcome.LEFT_RECORDING))
    return f"call {call_id(900)}"


@planted(Rule.N1, "no callback was booked")
async def callback_told_and_lost(town: Town) -> str:
    await _save(town.database, record(call_id(901), town.now - HOUR, outcome=Outcome.BOOKED_CALLBACK))
    return f"call {call_id(901)}"


@planted(Rule.N1, "no callback was booked")
async def callback_kept_and_gone(town: Town) -> str:
    kept = {"outcome": Outcome.BOOKED_CALLBACK, "path": (Step(at=town.now - HOUR, node="callback", key="kept"),)}
    await _save(town.database, record(call_id(902), town.now - HOUR, ani="13600000000", **kept))
    return f"call {call_id(902)}"


@planted(Rule.N1, "have this number")
async def one_number_for_two(town: Town) -> str:
    serial = town.next("order").serial
    await town.set(intake_item, intake_item.c.id == town.next("item").id, serial=serial)
    return f"number {serial}"


@planted(Rule.N1, "has no answer")
async def request_without_answer(town: Town) -> str:
    values = {"staff_id": 1, "key": "k-1", "route": "POST /api/orders", "digest": "0" * 64}
    await town.add(idempotency, **values, created_at=town.now - HOUR)
    return "request k-1"


@planted(Rule.N1, "set aside")
async def sidecar_set_aside(town: Town) -> str:
    town.sidecar(f"{call_id(910)}-msg-1.json.unreadable", "?")
    return f"message {call_id(910)}-msg-1"


@planted(Rule.N1, "cannot be read")
async def sidecar_unreadable(town: Town) -> str:
    town.sidecar(f"{call_id(911)}-msg-1.json", "{")
    return f"message {call_id(911)}-msg-1"


def _waiting(town: Town, number: int, *, sound: bool) -> str:
    key = f"{call_id(number)}-msg-1"
    said = {"call_id": call_id(number), "file": f"{key}.wav", "at": (town.now - HOUR).isoformat()}
    town.sidecar(f"{key}.json", json.dumps(said), sound=sound)
    return f"message {key}"


@planted(Rule.N1, "gone from the spool")
async def sidecar_without_sound(town: Town) -> str:
    return _waiting(town, 912, sound=False)


@planted(Rule.N1, "has not taken it in")
async def sidecar_nobody_takes(town: Town) -> str:
    town.running = True
    return _waiting(town, 913, sound=True)


# -- N2 ---------------------------------------------------------------------------------------------------------------


@planted(Rule.N2, "no channel of it lives")
async def open_without_channel(town: Town) -> str:
    legs = (Leg(uniqueid="dead.1"),)
    await _save(town.database, CallRecord(call_id=call_id(920), entered_at=town.now - HOUR, legs=legs, version=2))
    return f"call {call_id(920)}"


@planted(Rule.N2, "closed without end_reason")
async def closed_without_reason(town: Town) -> str:
    row = town.next("call")
    await town.set(call, call.c.id == row.id, end_reason="")
    return f"call {row.call_id}"


@planted(Rule.N2, "before it began")
async def ended_before_it_began(town: Town) -> str:
    row = town.next("call")
    await town.set(call, call.c.id == row.id, ended_at=row.entered_at - HOUR)
    return f"call {row.call_id}"


@planted(Rule.N2, "no call has it")
async def queue_call_without_record(town: Town) -> str:
    with town.queue_log.open("a") as file:
        file.write(f"{(town.now - HOUR).timestamp():.0f}|lost.1|complaint|NONE|ENTERQUEUE||1380|1\n" * 2)
    return "channel lost.1"


@planted(Rule.N2, "more than one call")
async def one_channel_in_two_calls(town: Town) -> str:
    row, other = town.next("call"), town.next("call")
    await town.set(call, call.c.id == other.id, legs=[*other.legs, *row.legs])
    return f"channel {row.legs[0]['uniqueid']}"


# -- N3 ---------------------------------------------------------------------------------------------------------------


@planted(Rule.N3, "counts 1 attempts and has these: none")
async def attempt_gone(town: Town) -> str:
    row = town.next("callback")
    await town.drop(callback_attempt, callback_attempt.c.callback_id == row.id)
    return f"callback {row.serial}"


@planted(Rule.N3, "attempt 1 has no end")
async def attempt_without_end(town: Town) -> str:
    row = town.next("callback")
    await town.set(callback_attempt, callback_attempt.c.callback_id == row.id, ended_at=None)
    return f"callback {row.serial}"


@planted(Rule.N3, "no dialler holds it")
async def claimed_and_forgotten(town: Town) -> str:
    row = town.next("callback")
    await town.set(callback, callback.c.id == row.id, state="claimed", lease_until=town.now - HOUR)
    return f"callback {row.serial}"


@planted(Rule.N3, "still held")
async def pending_with_an_agent(town: Town) -> str:
    row = town.next("callback")
    await town.set(callback, callback.c.id == row.id, agent="1001")
    return f"callback {row.serial}"


@planted(Rule.N3, "nobody answers for it")
async def failed_without_owner(town: Town) -> str:
    row = town.next("callback")
    await town.unchecked(callback)
    await town.set(callback, callback.c.id == row.id, state="failed", owner_queue=None)
    return f"callback {row.serial}"


@planted(Rule.N3, "works here no more")
async def owner_has_left(town: Town) -> str:
    row = town.next("callback")
    async with town.database.write() as conn:
        who = (await conn.execute(select(staff.c.id).where(staff.c.number == "5001"))).scalar_one()
    await town.set(staff, staff.c.id == who, active=False)
    await town.set(callback, callback.c.id == row.id, state="unknown", owner_queue=None, owner_id=who)
    return f"callback {row.serial}"


@planted(Rule.N3, "not exactly one of its attempts")
async def connected_by_nothing(town: Town) -> str:
    row = town.next("connected")
    last = (callback_attempt.c.callback_id == row.id) & (callback_attempt.c.n == row.attempts)
    await town.set(callback_attempt, last, state="failed")
    return f"callback {row.serial}"


def _dialled(town: Town, channel: str, times: int) -> None:
    at = (town.now - HOUR).timestamp()
    line = f'"{at:.6f}","CHAN_START","{channel}","{channel}","PJSIP/trunk-00000001","","",""\n'
    with town.channel_log.open("a") as file:
        file.write(line * times)


@planted(Rule.N3, "no attempt was written down")
async def dialled_past_the_book(town: Town) -> str:
    _dialled(town, "cb-999999999-1", 1)
    return "channel cb-999999999-1"


@planted(Rule.N3, "more than once")
async def dialled_twice(town: Town) -> str:
    channel = f"cb-{town.next('callback').serial}-1"
    _dialled(town, channel, 2)
    return f"channel {channel}"


# -- N4 ---------------------------------------------------------------------------------------------------------------


@planted(Rule.N4, "nobody owns it")
async def order_of_nobody(town: Town) -> str:
    row = town.next("order")
    await town.unchecked(customer_order)
    await town.set(customer_order, customer_order.c.id == row.id, owner_id=None, owner_queue=None)
    return f"order {row.serial}"


@planted(Rule.N4, "both own it")
async def order_of_two(town: Town) -> str:
    row = town.next("order")
    await town.unchecked(customer_order)
    await town.set(customer_order, customer_order.c.id == row.id, owner_queue="senior")
    return f"order {row.serial}"


@planted(Rule.N4, "its owner 8004 has left")
async def message_of_somebody_who_left(town: Town) -> str:
    row = town.next("item")
    await town.set(staff, staff.c.number == "8004", active=False)
    gone = select(staff.c.id).where(staff.c.number == "8004").scalar_subquery()
    await town.set(intake_item, intake_item.c.id == row.id, owner_id=gone, owner_queue=None)
    return f"item {row.serial}"


@planted(Rule.N4, "at version 7 and has 1 audit rows")
async def version_without_audit(town: Town) -> str:
    row = town.next("item")
    await town.set(intake_item, intake_item.c.id == row.id, version=7)
    return f"item {row.serial}"


@planted(Rule.N4, "its trail has 0")
async def step_without_trail(town: Town) -> str:
    row = town.next("order")
    await town.drop(order_trail, order_trail.c.order_id == row.id)
    return f"order {row.serial}"


@planted(Rule.N4, "is not there")
async def item_gone(town: Town) -> str:
    row = town.next("item")
    await town.drop(intake_item, intake_item.c.id == row.id)
    await town.drop(call, call.c.call_id == row.call_id)
    return f"item {row.public_id}"


async def _sealed_row(town: Town, nth: int) -> Any:
    """One of the sign-ins at the end of the log."""
    async with town.database.read() as conn:
        query = select(audit).where(audit.c.verb == "staff.signed_in").order_by(audit.c.id.desc()).offset(nth).limit(1)
        return (await conn.execute(query)).one()


@planted(Rule.N4, "what the row says was changed")
async def audit_words_changed(town: Town) -> str:
    row = await _sealed_row(town, 5)
    await town.set(audit, audit.c.id == row.id, payload={"address": "elsewhere"})
    return f"audit {row.seal_seq}"


@planted(Rule.N4, "who, what or when of the row was changed")
async def audit_name_changed(town: Town) -> str:
    row = await _sealed_row(town, 4)
    await town.set(audit, audit.c.id == row.id, actor_number="9999")
    return f"audit {row.seal_seq}"


@planted(Rule.N4, "row is missing")
async def audit_row_gone(town: Town) -> str:
    row = await _sealed_row(town, 2)
    await town.drop(audit, audit.c.id == row.id)
    return f"audit {row.seal_seq}"


@planted(Rule.N4, "missing at the end")
async def audit_end_cut(town: Town) -> str:
    row = await _sealed_row(town, 0)
    await town.drop(audit, audit.c.id == row.id)
    return f"audit {row.seal_seq}"


@planted(Rule.N4, "kept outside the database")
async def anchor_differs(town: Town) -> str:
    row = await _sealed_row(town, 3)
    with town.anchors.open("a") as file:
        file.write(f"2026-03-09 audit {row.seal_seq} {'0' * 64}\n")
    return f"audit {row.seal_seq}"


@planted(Rule.N4, "wait to be sealed")
async def nobody_seals(town: Town) -> str:
    town.running = True
    row = await _sealed_row(town, 1)
    who = {"actor_id": row.actor_id, "actor_number": row.actor_number, "verb": "staff.signed_out"}
    said = {"subject_kind": "staff", "subject_id": "1001", "payload": {}, "salt": "0", "digest": "0"}
    await town.add(audit, at=town.now - HOUR, **who, **said)
    return "audit"


# -- N5 ---------------------------------------------------------------------------------------------------------------


async def _voice(town: Town) -> Any:
    async with town.database.read() as conn:
        query = select(recording).where(recording.c.call_id == town.next("order").call_id)
        return (await conn.execute(query)).one()


async def _change_voice(town: Town, **values: Any) -> str:
    row = await _voice(town)
    await town.set(recording, recording.c.id == row.id, **values)
    return f"recording {row.call_id}"


@planted(Rule.N5, "nothing says what became of the recording")
async def order_without_voice(town: Town) -> str:
    row = town.next("order")
    await town.drop(recording, recording.c.call_id == row.call_id)
    return f"order {row.serial}"


@planted(Rule.N5, "nothing says what became of its voice file")
async def item_without_voice(town: Town) -> str:
    row = town.next("item")
    await town.drop(recording, recording.c.call_id == row.key)
    return f"item {row.serial}"


@planted(Rule.N5, "ready and has no file")
async def ready_without_file(town: Town) -> str:
    return await _change_voice(town, path=None)


@planted(Rule.N5, "without an alarm")
async def missing_without_alarm(town: Town) -> str:
    return await _change_voice(town, state="missing", path=None)


@planted(Rule.N5, "nobody looks for it")
async def expected_and_forgotten(town: Town) -> str:
    return await _change_voice(town, state="expected", path=None, next_scan_at=None)


@planted(Rule.N5, "10.0 s shorter than its call")
async def shorter_than_its_call(town: Town) -> str:
    return await _change_voice(town, expected_seconds=13.0)


@planted(Rule.N5, "its row says 4.0")
async def another_length(town: Town) -> str:
    return await _change_voice(town, seconds=4.0)


@planted(Rule.N5, "is not there")
async def file_gone(town: Town) -> str:
    row = await _voice(town)
    (town.voices / row.path).unlink()
    return f"recording {row.call_id}"


@planted(Rule.N5, "bytes and must have")
async def file_cut(town: Town) -> str:
    row = await _voice(town)
    path = town.voices / row.path
    path.write_bytes(path.read_bytes()[:-100])
    return f"recording {row.call_id}"


@planted(Rule.N5, "digest differs")
async def file_changed(town: Town) -> str:
    row = await _item_voice(town)
    path = town.voices / row.path
    path.write_bytes(path.read_bytes()[:-2] + b"\x01\x02")
    return f"recording {row.call_id}"


async def _item_voice(town: Town) -> Any:
    async with town.database.read() as conn:
        query = select(recording).where(recording.c.call_id == town.next("item").key)
        return (await conn.execute(query)).one()


# -- N6 ---------------------------------------------------------------------------------------------------------------


async def _serial(town: Town, order_id: int) -> str:
    async with town.database.read() as conn:
        query = select(customer_order.c.serial).where(customer_order.c.id == order_id)
        return str((await conn.execute(query)).scalar_one())


@planted(Rule.N6, "clock K6: its limit is")
async def limit_moved(town: Town) -> str:
    row = town.next("clock")
    await town.set(clock, clock.c.id == row.id, due_at=row.due_at + HOUR, warn_at=row.warn_at + HOUR)
    return f"order {await _serial(town, row.order_id)}"


@planted(Rule.N6, "its next card is due at")
async def card_forgotten(town: Town) -> str:
    row = town.next("carded")
    await town.set(clock, clock.c.id == row.id, next_card_at=None)
    return f"order {await _serial(town, row.order_id)}"


@planted(Rule.N6, "its first stretch at")
async def stretch_moved(town: Town) -> str:
    row = town.next("clock")
    await town.set(clock_segment, clock_segment.c.clock_id == row.id, started_at=row.started_at - timedelta(minutes=5))
    return f"order {await _serial(town, row.order_id)}"


@planted(Rule.N6, "no stretch in which it ran")
async def stretch_gone(town: Town) -> str:
    row = town.next("clock")
    await town.drop(clock_segment, clock_segment.c.clock_id == row.id)
    return f"order {await _serial(town, row.order_id)}"


@planted(Rule.N6, "it ended as breached")
async def outcome_changed(town: Town) -> str:
    row = town.next("stopped")
    await town.set(clock, clock.c.id == row.id, outcome="breached")
    return f"order {await _serial(town, row.order_id)}"


@planted(Rule.N6, "lists show")
async def list_shows_another(town: Town) -> str:
    row = town.next("limit")
    await town.set(customer_order, customer_order.c.id == row.id, due_at=row.due_at + HOUR)
    return f"order {row.serial}"


@planted(Rule.N6, "its limit is")
async def message_has_longer(town: Town) -> str:
    row = town.next("item")
    await town.set(intake_item, intake_item.c.id == row.id, due_at=row.due_at + HOUR)
    return f"item {row.serial}"


@planted(Rule.N6, "its limit is")
async def callback_has_longer(town: Town) -> str:
    row = town.next("callback")
    await town.set(callback, callback.c.id == row.id, due_at=row.due_at + HOUR, warn_at=row.warn_at + HOUR)
    return f"callback {row.serial}"
