"""pyst2's reader of Asterisk's files: what it cannot read, and that ours reads it (B8)."""

from __future__ import annotations

from pathlib import Path

import pytest
from asterisk.config import Config, ParseError

from cti.asterisk import conf

TEMPLATE = "[shape](!)\ntimeout = 8\n[complaint](shape)\nretry = 1\n"
COMMENT = "[complaint]\n;--\nretry = 9\n--;\nretry = 1\n"
ESCAPED = "[complaint]\nmusicclass = a\\;b\n"


def written(folder: Path, text: str) -> str:
    """A configuration file; pyst2 leaves its handle open, so the name is read by each side once."""
    file = folder / "queues.conf"
    file.write_text(text, encoding="utf-8")
    return str(file)


def option(folder: Path, text: str, key: str) -> str:
    """What our reader finds under `[complaint]`."""
    written(folder, text)
    return conf.read("queues.conf", conf.folder_reader(folder)).options("complaint")[key].value


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("text", [TEMPLATE, COMMENT])
def test_b8_pyst2_cannot_read_what_administrators_write(tmp_path: Path, text: str) -> None:
    """A template or a block comment is an error, or is read as something else."""
    try:
        read = Config(written(tmp_path, text))
    except ParseError:
        return
    lines = [(line.name, line.value) for line in read.categories[-1].items]
    assert lines != [("timeout", "8"), ("retry", "1")]
    assert lines != [("retry", "1")]


def test_b8_ours_reads_templates_comments_and_escapes(tmp_path: Path) -> None:
    assert option(tmp_path, TEMPLATE, "timeout") == "8"
    assert option(tmp_path, TEMPLATE, "retry") == "1"
    assert option(tmp_path, COMMENT, "retry") == "1"
    assert option(tmp_path, ESCAPED, "musicclass") == "a;b"
