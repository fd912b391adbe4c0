"""The lexer reads what Asterisk reads: templates, includes, comments, escapes."""

from __future__ import annotations

import warnings

import pytest
from asterisk.config import Config

from cti.asterisk.conf import Conf, ConfError, folder_reader, read
from cti.asterisk.settings import HOME


def parsed(text: str, **others: str) -> Conf:
    files = {"x.conf": text, **{name.replace("_", "."): body for name, body in others.items()}}
    return read("x.conf", files.get)


def test_templates_come_first_and_additions_last() -> None:
    conf = parsed("[base](!)\na = 1\nb = 2\n[q](base)\nb = 3\n[q](+)\nb = 4\n")
    assert [(e.key, e.value) for e in conf.effective(conf.named("q")[0])] == [
        ("a", "1"),
        ("b", "2"),
        ("b", "3"),
        ("b", "4"),
    ]
    assert conf.options("q")["b"].value == "4"
    assert conf.names() == ["q"]


def test_an_include_goes_on_in_the_open_section() -> None:
    conf = parsed("[globals]\nA = 1\n#include more.conf\nC = 3\n", more_conf="B = 2\n")
    assert [(e.key, e.file, e.line) for e in conf.sections[0].entries] == [
        ("A", "x.conf", 2),
        ("B", "more.conf", 1),
        ("C", "x.conf", 4),
    ]


def test_comments_and_escapes() -> None:
    conf = parsed(
        "[a] ; name\nk = v\\;w ; rest\n;-- hidden = 1\nalso --; seen = 2\n;--- a line of its own\nlast => 3\n"
    )
    assert [(e.key, e.value) for e in conf.sections[0].entries] == [("k", "v;w"), ("seen", "2"), ("last", "3")]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[a]\n#include nowhere.conf\n", 2, "nowhere.conf"),
        ("key = 1\n", 1, "before the first"),
        ("[a\n", 1, "section header"),
        ("[a](unknown)\n", 1, "[unknown]"),
        ("[a](+)\n", 1, "not defined above"),
        ("[a]\nno equals sign\n", 2, "no `=`"),
        ("[a]\n#exec /bin/true\n", 2, "#exec"),
        ("[a]\n;-- open\n", 3, "never closed"),
        ("#include x.conf\n", 1, "nested"),
    ],
)
def test_what_cannot_be_read_is_named_by_file_and_line(text: str, line: int, words: str) -> None:
    with pytest.raises(ConfError) as caught:
        parsed(text)
    assert (caught.value.file, caught.value.line) == ("x.conf", line)
    assert words in caught.value.why


def test_where_pyst2_can_read_a_file_it_reads_the_same() -> None:
    """The second opinion: pyst2's parser knows neither templates nor includes, so only plain files are compared."""
    for name in ("cel.conf", "logger.conf", "musiconhold.conf"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # it leaves its file open
            other = Config(str(HOME / "asterisk-conf" / name))
        ours = read(name, folder_reader(HOME / "asterisk-conf"))
        theirs = [(i.name, i.value.removeprefix(">").strip()) for c in other.categories for i in c.items]
        assert [(e.key, e.value) for s in ours.sections for e in s.entries] == theirs
