"""Refusals in the reader's language."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from cti.web import errors as web_errors
from cti.web.messages import catalogue, language_of, message
from ticketing import errors


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en;q=0.3, zh-TW;q=0.4", "zh"),
        ("fr, de;q=0.9", "zh"),
        ("fr, en;q=0.1", "en"),
        ("en;q=x", "zh"),
        ("*;;q=,,", "zh"),
        ("en;q=0", "zh"),
    ],
)
def test_the_language_the_browser_wants(header: str, language: str) -> None:
    assert language_of(header) == language


def test_every_kind_of_refusal_has_words_in_both_languages() -> None:
    kinds = [
        kind
        for module in (errors, web_errors)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, errors.HotlineError) and kind is not errors.HotlineError
    ]
    assert len(kinds) > 10
    for kind in kinds:
        assert set(catalogue()[kind.default_code]) == {"zh", "en"}
    for entry in catalogue().values():
        assert all(entry[language].strip() for language in ("zh", "en"))


def test_a_code_without_words_falls_back() -> None:
    assert message("no_such_code", "refused", "en", "The order is closed.") == "The order is closed."
    assert message("no_such_code", "refused", "zh", "The order is closed.") == catalogue()["refused"]["zh"]
    assert message("no_such_code", "nor_this", "zh", "") == catalogue()["refused"]["zh"]


def raised_codes(folder: Path) -> Iterator[str]:
    """Every code that is written where a refusal is made."""
    kinds = {name for name in vars(errors) if name[0].isupper()} | {"TooLarge", "TooSlow", "BadRequest"}
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value


#: met by an administrator at the command line, not by a person at a page
OF_THE_CONSOLE = {
    "bad_call_id", "bad_clocks", "bad_database_url", "bad_size", "bad_staff_file", "bad_taxonomy", "bad_certificate",
    "bad_calendar", "calendar_never_opens", "bad_tracking",
}  # fmt: skip


def test_every_refusal_of_the_core_has_words() -> None:
    root = Path(web_errors.__file__).parents[2]
    codes = {code for package in ("ticketing", "recordings") for code in raised_codes(root / package)}
    assert codes - OF_THE_CONSOLE - set(catalogue()) == set()
