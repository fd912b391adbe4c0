"""The script that takes a message without the service, against an exchange made by hand: what is kept, what is said."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cti.asterisk.settings import HOME
from ivr.reserve import Reserve
from ivr.spool import Message, Spool
from tests.ivr.fakes import NOW
from tests.ivr.overflow_fakes import NOTHING, SAID, SHORT, SILENCE, SPEECH, write_wav
from ticketing.intake.spool import parse

SCRIPT = HOME / "asterisk-conf" / "agi-bin" / "rescue.py"
CALL = "20260310013000-000001000001"
FACTS = {"CALL_ID": CALL, "ANI": "13800001111", "DNIS": "1860", "LANG": "zh", "QUEUE": "complaint"}


@dataclass
class Exchange:
    """Runs the script, says these things into its recordings, and hangs up during the last one if told to."""

    spool: Path
    says: Sequence[str]
    hangs_up: bool = False
    heard: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    recorded: int = 0

    def run(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "-I", str(SCRIPT), str(self.spool)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        with process:
            process.stdin.write("agi_request: rescue\n\n")
            for line in process.stdout:
                process.stdin.write(self.answer(shlex.split(line)) + "\n")
        assert process.returncode == 0

    def answer(self, words: list[str]) -> str:
        match words:
            case ["GET", "VARIABLE", name]:
                return f"200 result=1 ({FACTS[name.removeprefix('CTI_')]})"
            case ["SET", "VARIABLE", name, value]:
                self.variables[name] = value
                return "200 result=1"
            case ["STREAM", "FILE", prompt, *_]:
                if self.hangs_up and self.recorded == len(self.says):
                    return "200 result=-1 endpos=0"
                self.heard.append(prompt.removeprefix("hotline/"))
                return "200 result=0 endpos=8000"
            case ["RECORD", "FILE", path, "wav", "#", *_]:
                open_ones = [each.name for each in self.spool.glob("*.open")]
                assert f"{Path(path).name}.open" in open_ones, "what is known of him is on the disk before he speaks"
                write_wav(Path(f"{path}.wav"), *SAID[self.says[self.recorded]])
                self.recorded += 1
                gone = self.hangs_up and self.recorded == len(self.says)
                return "200 result=-1 (hangup) endpos=0" if gone else "200 result=35 (dtmf) endpos=8000"
        raise AssertionError(words)


def kept(folder: Path) -> dict[str, str | None]:
    """What lies in the spool: name of each message, why it says nothing; no `.open` and no other file."""
    sidecars = [parse(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    sounds = {path.name for path in folder.iterdir() if path.suffix != ".json" and not path.name.startswith("numbers")}
    assert sounds == {message.file for message in sidecars}
    return {message.file: message.sorted_out and message.sorted_out.value for message in sidecars}


@pytest.mark.req("TL-21", "TL-24", "N1")
@pytest.mark.parametrize(
    ("says", "hangs_up", "number", "why", "how"),
    [
        ([SPEECH], False, 1, None, "rescue"),
        ([SPEECH], True, 1, None, "hung_up"),
        ([SHORT, SPEECH], False, 2, None, "rescue"),
        ([SILENCE, SPEECH], True, 2, None, "hung_up"),
        ([SHORT, SHORT], False, 2, "too_short", "given_up"),
        ([SILENCE, SILENCE], False, 2, "silence", "given_up"),
        ([SILENCE], True, 1, "silence", "hung_up"),
        ([SHORT, NOTHING], True, 1, "too_short", "given_up"),
        ([NOTHING], True, 0, None, ""),
    ],
)
def test_what_is_said_is_kept_as_what_it_is(
    tmp_path: Path, says: list[str], *, hangs_up: bool, number: int, why: str | None, how: str
) -> None:
    exchange = Exchange(tmp_path, says, hangs_up)
    exchange.run()
    assert kept(tmp_path) == ({f"{CALL}-msg-9{number}.wav": why} if number else {})
    good = bool(number) and why is None
    assert exchange.variables == ({"CTI_STEP": "recorded", "CTI_DONE": "leave"} if good else {})
    if number:
        message = parse((tmp_path / f"{CALL}-msg-9{number}.json").read_text(encoding="utf-8"))
        assert (message.how, message.seconds, message.ani) == (how, SAID[says[number - 1]][0], FACTS["ANI"])
    asked = [prompt for prompt in exchange.heard if prompt in {"record-silent", "record-too-short"}]
    again = {SHORT: "record-too-short", SILENCE: "record-silent"}
    assert asked == [again[each] for each in says[: exchange.heard.count("beep") - 1]]


@pytest.mark.req("TL-24", "F09")
def test_a_reserved_number_is_read_and_carried(tmp_path: Path) -> None:
    Reserve(tmp_path).fill(["123456782", "987654321"])
    exchange = Exchange(tmp_path, [SPEECH])
    exchange.run()
    spoken = [f"digit-{digit}" for digit in "123456782"]
    after = exchange.heard[exchange.heard.index("record-saved") :]
    assert after == ["record-saved", *spoken, "order-number-repeat", *spoken, "record-saved-promise", "goodbye"]
    assert parse((tmp_path / f"{CALL}-msg-91.json").read_text(encoding="utf-8")).serial == "123456782"
    gone = Exchange(tmp_path, [SPEECH], hangs_up=True)
    gone.run()
    assert Reserve(tmp_path).left() == 1, "who has hung up is told none"


@pytest.mark.req("TL-24")
def test_without_a_number_the_plain_words(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, [SPEECH])
    exchange.run()
    assert exchange.heard[-2:] == ["record-saved-plain", "goodbye"]


@pytest.mark.req("TL-24")
def test_the_handbook_lists_every_key_of_a_sidecar_and_every_word(tmp_path: Path) -> None:
    """asterisk-conf/README.md, the service and the script write the same sidecar."""
    Exchange(tmp_path, [SPEECH]).run()
    scripts = json.loads((tmp_path / f"{CALL}-msg-91.json").read_text(encoding="utf-8"))
    Spool(tmp_path).begin(Message(CALL, f"{CALL}-msg-1.wav", "", "1860", "zh", "complaint", NOW))
    ours = json.loads((tmp_path / f"{CALL}-msg-1.open").read_text(encoding="utf-8"))
    handbook = (HOME / "asterisk-conf" / "README.md").read_text(encoding="utf-8")
    table = handbook.partition("## Recorded messages")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    named = {key for row in rows for key in re.findall(r"`(\w+)`", row[1])}
    assert named == set(ours) == set(scripts)
    words = {row[1].strip(" `"): set(re.findall(r"`(\w+)`", row[2])) for row in rows}
    assert words["how"] == {"confirmed", "hung_up", "limit", "rescue", "given_up"}
    assert words["sorted_out"] == {"silence", "tone", "too_short", "null"}
