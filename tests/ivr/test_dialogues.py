"""Each answer at each question does what the table of dialogues says: nothing a caller hears changes unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ivr.dialogues import scenes, written

TABLE = Path(__file__).parents[1] / "data" / "dialogues.txt"
WRITTEN = {part.partition("\n")[0].strip(" ="): f"{part.rstrip()}\n" for part in TABLE.read_text("utf-8").split("\n\n")}


@pytest.mark.req("TL-01", "TL-02", "TL-06", "TL-20", "TL-21", "TL-22", "TL-23", "TL-08", "TL-26")
@pytest.mark.parametrize("title", WRITTEN)
def test_each_answer_at_a_question_does_what_the_table_says(title: str) -> None:
    assert written(scenes()[title]) == WRITTEN[title]


def test_every_scene_is_in_the_table() -> None:
    assert list(scenes()) == list(WRITTEN)


def test_no_caller_can_be_asked_and_left_without_a_way_on() -> None:
    """Every answer that may be given ends in a question, or in one way out of the dialogue, and in one only."""
    ways = ("Ask(", "Finish(", "Overflow(", "Resume(", "Record(", "Keep(", "Book(", "TakeOver(", "CancelCallback(")
    looks = ("Await", "Find", "Check", "List", "Look", "Identify", "AskAnn", "Confirm", "Decline", "Postpone")
    for text in WRITTEN.values():
        for line in text.splitlines()[2:]:
            answer, _, did = line.partition(" -> ")
            done = did.partition(" | ")[0]
            if done.startswith("refused:") or done.startswith("CtiGrade") or done == "Say([goodbye])":
                continue
            assert sum(done.count(f" {way}") + done.startswith(way) for way in (*ways, *looks)) == 1, (answer, did)
