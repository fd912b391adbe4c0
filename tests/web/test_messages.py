"""Refusals in the reader's language."""

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
