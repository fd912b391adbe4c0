"""Overflow over real sockets against a fake Asterisk: messages on disk, ports that fail, places."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from ivr.reserve import Reserve
from ivr.server import FastAgiServer
from ivr.session import EntryStep
from ivr.spool import Message, Spool
from tests.ivr.fakes import NOW, SECRET, FakeHours, shipped_tree
from tests.ivr.overflow_fakes import (
    BOOKED_BEFORE,
    BUSY_TONE,
    NOTHING,
    SHORT,
    SILENCE,
    SPEECH,
    FakeAnnouncements,
    Overflowing,
    SpeakingCall,
    write_wav,
)
from tests.ivr.overflow_house import ANI, CALL, FIRST, call, entry_ports, house, run, server
from ticketing.intake.spool import parse

__all__ = ["house", "server"]


# -- messages --------------------------------------------------------------------------------------------------------


@pytest.mark.req("TL-21", "N1")
async def test_a_message_is_taken_in_and_its_number_read(server: FastAgiServer, house: Overflowing) -> None:
    made = await run(server, call(house, ["1", "1", "#"], says=[SPEECH]))
    assert made.heard[-1] == "goodbye"
    assert made.heard.count("digit-0") == 2 * "260310017".count("0")
    assert house.sink.taken[FIRST] == {
        **{"call_id": CALL, "ani": ANI, "dnis": "1860", "lang": "zh", "queue": "complaint"},
        **{"seconds": 4.0, "how": "confirmed", "sorted_out": None},
    }
    assert house.files() == {FIRST}
    assert made.variables["CTI_STEP"] == "recorded"
    assert (made.variables["CTI_ACTION"], made.variables["CTI_DONE"]) == ("hangup", "overflow")


@pytest.mark.req("TL-21")
async def test_only_the_last_take_stays(server: FastAgiServer, house: Overflowing) -> None:
    made = await run(server, call(house, ["1", "2", "#"], says=[SILENCE, SPEECH, SHORT, SPEECH]))
    assert [each for each in made.heard if each.startswith("record-")] == [
        *("record-intro", "record-silent", "record-review", "record-too-short", "record-review"),
        *("record-saved", "record-saved-promise"),
    ]
    assert list(house.sink.taken) == [f"{CALL}-msg-4.wav"]
    assert house.files() == {f"{CALL}-msg-4.wav"}


@dataclass
class SweptCall(SpeakingCall):
    """Whenever he is asked something the spool is swept as if minutes had passed."""

    spool: Spool | None = None
    swept: list[Message] = field(default_factory=list)

    def answer(self, line: str) -> str:
        assert self.spool is not None
        reply = super().answer(line)
        if line.startswith("GET DATA"):
            self.swept += self.spool.settle(datetime.now(UTC) + timedelta(minutes=5))
        return reply


@pytest.mark.req("TL-21", "N1", "N2")
async def test_who_takes_his_time_leaves_one_message(server: FastAgiServer, house: Overflowing) -> None:
    """The sweep leaves what a dialogue has in hand, however long ago it was said; afterwards nothing is in hand."""
    plain = call(house, ["1", "2", "2", "#"], says=[SPEECH, SPEECH, SPEECH])
    made = SweptCall(plain.keys, plain.variables, says=plain.says, spool=house.spool)
    await run(server, made)
    assert "record-review" in made.heard
    assert made.swept == []
    assert list(house.sink.taken) == [f"{CALL}-msg-3.wav"]
    assert house.files() == {f"{CALL}-msg-3.wav"}
    assert house.spool.in_hand == set()


@pytest.mark.req("N1", "F13")
async def test_what_a_dialogue_left_half_done_is_settled(server: FastAgiServer, house: Overflowing) -> None:
    """A sidecar of a process that died is in nobody's hand."""
    house.spool.in_hand.add(FIRST)
    Spool(house.folder).begin(Message(CALL, FIRST, ANI, "1860", "zh", "complaint", NOW))
    write_wav(house.folder / FIRST, 3.0, 5000)
    later = datetime.now(UTC) + timedelta(minutes=5)
    assert house.spool.settle(later) == []
    assert [each.file for each in Spool(house.folder).settle(later)] == [FIRST]


@pytest.mark.req("N1", "F09")
@pytest.mark.parametrize("fault", ["fails", "hangs"])
async def test_a_sink_that_does_not_answer_leaves_a_sidecar(
    server: FastAgiServer, house: Overflowing, fault: str
) -> None:
    house.sink.error = OSError() if fault == "fails" else None
    house.sink.gate = asyncio.Event() if fault == "hangs" else None
    made = await run(server, call(house, ["1", "#"], says=[SPEECH]))
    assert "record-saved-plain" in made.heard
    assert ("please-hold" in made.heard) == (fault == "hangs")
    assert house.files() == {FIRST, FIRST.replace(".wav", ".json")}
    waiting = parse((house.folder / FIRST).with_suffix(".json").read_text())
    assert (waiting.how, waiting.seconds, waiting.ani, waiting.at) == ("confirmed", 4.0, ANI, NOW)
    assert made.variables["CTI_STEP"] == "recorded"


@pytest.mark.req("TL-07", "TL-21", "F14")
@pytest.mark.parametrize(
    ("says", "kept", "why"),
    [
        ([SPEECH], 1, None),
        ([SPEECH, NOTHING], 1, None),
        ([SPEECH, SHORT], 1, None),
        ([SHORT], 1, "too_short"),
        ([SILENCE], 1, "silence"),
        ([BUSY_TONE], 1, "tone"),
        ([SILENCE, SHORT], 2, "too_short"),
        ([NOTHING], 0, None),
    ],
)
async def test_a_hang_up_while_speaking_keeps_the_best(
    server: FastAgiServer, house: Overflowing, says: list[str], kept: int, why: str | None
) -> None:
    """The caller hangs up during the last of these takes; the one before was good, or not."""
    probe = await run(server, call(house, ["1", *["2"] * (len(says) - 1)], says=list(says)))
    recordings = [at for at, line in enumerate(probe.lines) if line.startswith("RECORD FILE")]
    for path in house.folder.iterdir():
        path.unlink()
    house.sink.taken.clear()
    made = call(house, ["1", *["2"] * (len(says) - 1)], says=list(says))
    made.hang_up_at = recordings[len(says) - 1]
    await run(server, made)
    await server.idle()
    assert [(file, about["how"], about["sorted_out"]) for file, about in house.sink.taken.items()] == (
        [(f"{CALL}-msg-{kept}.wav", "hung_up", why)] if kept else []
    )
    assert house.files() == ({f"{CALL}-msg-{kept}.wav"} if kept else set())


async def test_a_spool_that_cannot_be_written_offers_the_callback(
    server: FastAgiServer, house: Overflowing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_self: Spool, _message: Message) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Spool, "begin", full)
    made = await run(server, call(house, ["1", "3"]))
    assert made.heard[-5:] == ["record-failed", "all-busy", "record-unavailable", "press-2", "place-kept"]
    assert made.variables["CTI_ACTION"] == "queue"


@pytest.mark.req("TL-21", "N1")
@pytest.mark.parametrize(
    ("says", "kept", "why"),
    [
        ([SILENCE, SILENCE, SHORT], 3, "too_short"),
        ([SHORT, BUSY_TONE, BUSY_TONE], 3, "tone"),
        ([SILENCE, SILENCE, SILENCE], 3, "silence"),
        ([NOTHING, SHORT, NOTHING], 2, "too_short"),
        ([NOTHING, NOTHING, NOTHING], 0, ""),
    ],
)
async def test_what_says_nothing_waits_in_the_spool_with_its_reason(
    server: FastAgiServer, house: Overflowing, says: list[str], kept: int, why: str
) -> None:
    """After three tries he waits on: the last take with any sound is put aside, nothing is said of it."""
    made = await run(server, call(house, ["1", "3"], says=says))
    assert made.variables["CTI_ACTION"] == "queue"
    assert "record-failed" in made.heard
    assert not house.sink.taken
    stem = f"{CALL}-msg-{kept}"
    assert house.files() == ({f"{stem}.wav", f"{stem}.json"} if kept else set())
    if kept:
        waiting = parse((house.folder / f"{stem}.json").read_text())
        assert (waiting.how, waiting.sorted_out, waiting.serial) == ("given_up", why, None)


@pytest.mark.req("TL-21")
async def test_who_comes_back_to_record_again_overwrites_nothing(server: FastAgiServer, house: Overflowing) -> None:
    first = await run(server, call(house, ["1", "3"], says=[SHORT, SHORT, SHORT]))
    again = call(house, ["1", "#"], says=[SPEECH])
    again.variables["CTI_MESSAGES"] = first.variables["CTI_MESSAGES"]
    await run(server, again)
    assert list(house.sink.taken) == [f"{CALL}-msg-4.wav"]
    assert f"{CALL}-msg-3.json" in house.files()


@pytest.mark.req("TL-24", "F09", "N1")
@pytest.mark.parametrize("fault", ["fails", "hangs", ""])
async def test_the_number_read_is_the_one_set_aside(server: FastAgiServer, house: Overflowing, fault: str) -> None:
    """Whether the database answers or not, the caller is told the number that his sidecar carried."""
    Reserve(house.folder).fill(["123456782", "987654321"])
    house.sink.error = OSError() if fault == "fails" else None
    house.sink.gate = asyncio.Event() if fault == "hangs" else None
    made = await run(server, call(house, ["1", "#"], says=[SPEECH]))
    digits = [prompt.removeprefix("digit-") for prompt in made.heard if prompt.startswith("digit-")]
    assert "".join(digits) == "123456782" * 2
    assert Reserve(house.folder).left() == 1
    waiting = (house.folder / FIRST).with_suffix(".json")
    assert waiting.exists() == bool(fault)
    assert not fault or parse(waiting.read_text()).serial == "123456782"


# -- place, callback, closed hours, announcements --------------------------------------------------------------------


@pytest.mark.req("TL-20")
async def test_the_place_is_told_to_the_dialplan(server: FastAgiServer, house: Overflowing) -> None:
    made = await run(server, call(house, ["3"]))
    assert (made.variables["CTI_PLACE"], made.variables["CTI_ACTION"]) == ("2", "queue")
    assert made.variables["CTI_JOINED"] == str(int((NOW - timedelta(minutes=4)).timestamp()))


async def test_who_was_asked_nothing_comes_to_the_end_of_the_queue(server: FastAgiServer, house: Overflowing) -> None:
    house.floor.busy = False
    made = await run(server, call(house, ["1"]), "entry")
    assert made.variables["CTI_ACTION"] == "queue"
    assert "CTI_PLACE" not in made.variables
    made = await run(server, call(house, ["1"], ani="13900009999"), "entry")
    assert "CTI_PLACE" not in made.variables
    house.floor.busy = True
    made = await run(server, call(house, ["1"]), "entry")
    assert made.variables["CTI_PLACE"] == "2"


@pytest.mark.req("TL-20")
async def test_a_floor_that_fails_leaves_the_dialplans_own_place(server: FastAgiServer, house: Overflowing) -> None:
    house.floor.error, house.floor.stands = RuntimeError("no picture"), None
    made = await run(server, call(house, ["3"]))
    assert "CTI_PLACE" not in made.variables
    assert "overflow-menu" in made.heard, "who has waited so long is offered something all the same"


@pytest.mark.req("TL-22")
async def test_a_booking_keeps_the_time_the_caller_joined(server: FastAgiServer, house: Overflowing) -> None:
    made = await run(server, call(house, ["1", "1", "1"], key="2"))
    assert made.heard[-4:] == ["callback-saved", "callback-time-is", "callback-window-asap", "goodbye"]
    (booked,) = house.book.booked
    assert (booked["joined_at"], booked["number"], booked["window"]) == (NOW - timedelta(minutes=4), ANI, "asap")
    assert made.variables["CTI_STEP"] == "booked"
    assert ANI not in "".join(made.events)


@pytest.mark.req("TL-22")
@pytest.mark.parametrize("fault", ["fails", "hangs"])
async def test_a_book_that_does_not_answer_gives_the_place_back(
    server: FastAgiServer, house: Overflowing, fault: str
) -> None:
    house.book.error = OSError() if fault == "fails" else None
    house.book.gate = asyncio.Event() if fault == "hangs" else None
    made = await run(server, call(house, ["1"], key="2"))
    assert made.heard[-2:] == ["callback-failed", "place-kept"]
    assert made.variables["CTI_ACTION"] == "queue"


@pytest.mark.req("TL-22")
async def test_the_place_of_a_booking_is_taken_over(server: FastAgiServer, house: Overflowing) -> None:
    house.book.open[ANI] = BOOKED_BEFORE
    made = await run(server, call(house, ["1", "1"]), "entry")
    assert house.book.taken_over == [("cb1", CALL)]
    assert house.floor.since == [BOOKED_BEFORE.joined_at]
    assert made.variables["CTI_JOINED"] == str(int(BOOKED_BEFORE.joined_at.timestamp()))
    assert (made.variables["CTI_REASON"], made.variables["CTI_PRIORITY"]) == ("callback-taken-over", "3")


async def test_a_book_that_hangs_holds_no_caller_up(server: FastAgiServer, house: Overflowing) -> None:
    house.book.gate, house.floor.busy = asyncio.Event(), False
    made = await run(server, call(house, ["1"]), "entry")
    assert made.heard[-1] == "to-complaint"
    assert "please-hold" not in made.heard


@pytest.mark.req("TL-06")
async def test_closed_then_progress_then_closed_again(house: Overflowing) -> None:
    ports = entry_ports(house, FakeHours(frozenset({"complaint"})))
    made = FastAgiServer("127.0.0.1", 0, SECRET, {"entry": EntryStep(shipped_tree, ports)})
    await made.start()
    caller = await run(made, call(house, ["1", "3", "0", "1", "#"], says=[SPEECH]), "entry")
    await made.stop()
    assert [each for each in caller.heard if each.startswith(("closed", "menu"))] == [
        *("menu-main", "closed-hours", "closed-menu", "menu-progress", "closed-hours", "closed-menu"),
    ]
    assert "record-saved" in caller.heard
    assert (caller.variables["CTI_ACTION"], caller.variables["CTI_REASON"]) == ("hangup", "closed")


@pytest.mark.req("TL-26")
@pytest.mark.parametrize(
    ("keys", "step", "heard"),
    [(["", "0"], "heard", "menu-main"), (["4", "0"], "4", "menu-standards")],
)
async def test_announcements_come_first_and_an_early_key_counts(
    house: Overflowing, keys: list[str], step: str, heard: str
) -> None:
    house.floor.busy = False
    news = FakeAnnouncements(("announcement-outage", "no-such-prompt"))
    made = FastAgiServer("127.0.0.1", 0, SECRET, {"entry": EntryStep(shipped_tree, entry_ports(house, news=news))})
    await made.start()
    caller = await run(made, call(house, keys), "entry")
    await made.stop()
    assert caller.heard[:4] == ["greeting-1860", "announcement-intro", "announcement-outage", "announcement-end"]
    assert caller.steps[:2] == [("announcement", "announcement-outage"), ("announcement", step)]
    assert heard in caller.heard


@pytest.mark.req("TL-26")
async def test_whoever_ends_at_the_announcement_is_counted_there(house: Overflowing) -> None:
    news = FakeAnnouncements(("announcement-outage",))
    made = FastAgiServer("127.0.0.1", 0, SECRET, {"entry": EntryStep(shipped_tree, entry_ports(house, news=news))})
    await made.start()
    caller = call(house, [])
    probe = await run(made, call(house, []), "entry")
    caller.hang_up_at = probe.lines.index('STREAM FILE "hotline/announcement-outage" "0123456789*#"')
    await run(made, caller, "entry")
    await made.stop()
    assert caller.steps == [("announcement", "announcement-outage")]


@pytest.mark.req("TL-08")
async def test_the_grade_is_told_and_silence_is_none(server: FastAgiServer, house: Overflowing) -> None:
    made = await run(server, call(house, ["4"]), "survey")
    assert made.events == ["CtiGrade,Grade: 4"]
    made = await run(server, call(house, [""]), "survey")
    assert (made.events, made.variables["CTI_DONE"]) == ([], "survey")
