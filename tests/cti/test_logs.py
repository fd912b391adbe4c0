"""No telephone number is written whole, wherever in a log line it stands (S25)."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from cti import logs
from tests.system.small_disk import filled, small_disk


@pytest.fixture
def _as_before() -> Iterator[None]:
    """Logging of the test run itself stays as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def masked(**fields: object) -> dict[str, object]:
    return dict(logs.mask(None, "info", dict(fields)))


@pytest.mark.req("S25")
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("13800138000", "138****8000"),
        ("call from 13800138000.", "call from 138****8000."),
        ("+8613800138000", "+86138****8000"),
        ("008613800138000", "008****8000"),
        ("86 13800138000", "86 138****8000"),
        ("013800138000", "0138****8000"),
        ("tel:+8613800138000;x", "tel:+86138****8000;x"),
        ("010-82100033 rang", "010-****0033 rang"),
        ("01082100033", "010****0033"),
        ("+861082100033", "+8610****0033"),
        ("客户13800138000投诉", "客户138****8000投诉"),
    ],
)
def test_a_number_in_any_text_is_masked(text: str, told: str) -> None:
    assert masked(event=text) == {"event": told}


@pytest.mark.parametrize(
    "text",
    [
        "20260310013000-013800138000",
        "1773106200.100",
        "PJSIP/trunk-00000001",
        "2026-03-10T01:30:00.123456Z",
        "0123456789abcdef0123456789abcdef",
        "1860",
        "1001",
    ],
)
def test_ids_and_times_stay_readable(text: str) -> None:
    assert masked(event=text) == {"event": text}


@pytest.mark.req("S25")
def test_fields_that_hold_numbers_are_masked_whatever_their_form() -> None:
    assert masked(ani="02166668888", caller="95588", contact_number="") == {
        "ani": "021****8888",
        "caller": "9***8",
        "contact_number": "",
    }


@dataclass
class _Fact:
    number: str


@pytest.mark.req("S25")
def test_numbers_inside_lists_objects_and_values_are_masked() -> None:
    told = masked(
        findings=("a 13800138000",),
        detail={"ani": "02166668888", "count": 3},
        fact=_Fact("13800138000"),
        ms=1.5,
        on=True,
    )
    assert told == {
        "findings": ["a 138****8000"],
        "detail": {"ani": "021****8888", "count": 3},
        "fact": "_Fact(number='138****8000')",
        "ms": 1.5,
        "on": True,
    }


@pytest.mark.req("S25")
@pytest.mark.usefixtures("_as_before")
def test_a_command_beside_the_service_says_nothing_of_its_parts_on_the_console(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Warnings are written where there is a file to write to; no folder is made for them."""
    for folder in (tmp_path, tmp_path / "none"):
        logs.configure_aside(folder)
        structlog.get_logger("cti.ami.link").warning("ami_link_lost", number="13800138000")
        structlog.get_logger("cti.ami.link").info("ami_link_up")
        logging.getLogger("library").error("failed")
        for handler in logging.getLogger().handlers:
            handler.close()
    assert capfd.readouterr() == ("", "")
    assert not (tmp_path / "none").exists()
    written = [json.loads(line) for line in (tmp_path / "hotline.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["event"] for line in written] == ["ami_link_lost", "failed"]
    assert written[0]["number"] == "138****8000"


@pytest.mark.req("S24")
@pytest.mark.usefixtures("_as_before")
def test_the_home_is_its_owners_alone_when_the_log_is_there_first(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        logs.configure(tmp_path / "home" / "log", "info")
    finally:
        os.umask(old)
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("_as_before")
def test_the_written_lines_are_masked_ours_and_of_libraries(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON object a line, tracebacks included; warnings on the console too."""
    logs.configure(tmp_path / "log", "info")
    structlog.get_logger("hotline").info("call_entered", ani="13800138000")
    logging.getLogger("library").warning("failed for %s", "13800138001")
    try:
        raise ValueError("no customer 13800138002")
    except ValueError:
        structlog.get_logger("hotline").exception("broken")
    structlog.get_logger("hotline").debug("too quiet")
    for handler in logging.getLogger().handlers:
        handler.flush()
    written = (tmp_path / "log" / "hotline.jsonl").read_text(encoding="utf-8")
    entered, failed, broken = map(json.loads, written.splitlines())
    assert (entered["event"], entered["ani"], entered["level"]) == ("call_entered", "138****8000", "info")
    assert failed["event"] == "failed for 138****8001"
    assert "no customer 138****8002" in broken["exception"]
    console = capsys.readouterr().err
    assert "138****8001" in console
    assert "call_entered" not in console
    for text in (written, console):
        assert "1380013800" not in text


@pytest.mark.req("F22")
def test_a_console_nobody_reads_holds_nobody_up() -> None:
    """A pipe of 64 KiB takes what it can; the rest is counted, and nobody waits."""
    reader, writer = os.pipe()
    with open(reader, "rb") as read, open(writer, "w") as stream:
        console = logs.Console(stream)
        began = time.monotonic()
        for _ in range(5000):
            console.handle(logging.makeLogRecord({"msg": "x" * 200}))
        assert time.monotonic() - began < 5
        assert 0 < console.dropped < 5000
        console.close()
        shown = 0
        while shown + console.dropped < 5000:
            shown += read.readline().startswith(b"xxx")
    assert shown + console.dropped == 5000


@pytest.mark.req("F22")
@pytest.mark.usefixtures("_as_before")
def test_a_full_log_disk_costs_lines_that_are_counted_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is raised, nothing is printed about it, nobody waits; with room again lines are written again."""
    with small_disk(tmp_path / "disk", 1) as disk:
        logs.configure(disk / "log", "info")
        log = structlog.get_logger("cti.test")
        with filled(disk):
            began = time.monotonic()
            for number in range(2000):
                log.info("line", number=number, filling="x" * 500)
            assert time.monotonic() - began < 5
            assert logs.lost() > 1000
        lost = logs.lost()
        log.info("room again")
        assert logs.lost() == lost
        written = (disk / "log" / "hotline.jsonl").read_text(encoding="utf-8")
        assert "room again" in written.splitlines()[-1]
        for handler in logging.getLogger().handlers:
            handler.close()
    assert "Logging error" not in capsys.readouterr().err
