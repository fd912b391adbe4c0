"""No regular expression of ours takes more than linear time, whatever text it is given (S23)."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import pytest

from cti.web.catalogue import ROUTES
from tests.core.patterns import faults
from tests.core.test_sql_texts import ROOT, sources

PACKAGES: Final = ("cti", "ivr", "recordings", "ticketing")
#: pattern -> why it may have such a shape all the same
HARMLESS: Final[dict[str | bytes, str]] = {
    r"^\[([^\]]*)\]\s*(?:\(([^)]*)\))?\s*$": "the head of a section in the administrator's own configuration",
    r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$": "a line of the centre's own menus",
    r"^(?:dest|orig|second|transferer|transferee|transfertarget|source|localone|localtwo)+": (
        "two words that begin alike are told apart by their first letters: there is one way to read a key"
    ),
    r"(?:To|t)[ \t]*:[^<>]{0,200}<[^<>]{1,500}>(?:;[^;<>]{0,200})*;[ \t]*tag=[A-Za-z0-9.!%*_+`'~-]{1,200}": (
        "every round begins at a semicolon: as many ways as there are, in a line of at most 4,000"
    ),
}


def _inside(value: Any, depth: int = 0) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 4 and isinstance(value, dict):
        for each in value.values():
            yield from _inside(each, depth + 1)
    elif depth < 4 and isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _inside(each, depth + 1)
    elif depth < 4 and isinstance(value, type) and value.__module__.split(".")[0] in PACKAGES:
        for each in vars(value).values():
            yield from _inside(each, depth + 1)


def _compiled() -> Iterator[re.Pattern[Any]]:
    """Patterns that modules keep, also such as are put together when they are loaded."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if "versions" in module.name or module.name.endswith(("__main__", ".env")):
                continue
            for value in vars(importlib.import_module(module.name)).values():
                yield from _inside(value)


def _written() -> Iterator[re.Pattern[Any]]:
    """Patterns that stand in calls of `re`."""
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "re"
                and node.func.attr in {"compile", "match", "fullmatch", "search", "sub", "split", "findall", "finditer"}
                and isinstance(node.args[0], ast.Constant)
            ):
                yield re.compile(node.args[0].value)


def _routed() -> Iterator[re.Pattern[Any]]:
    """Patterns of the parts of addresses."""
    for route in ROUTES:
        yield from (re.compile(part) for part in re.findall(r"\{\w+:((?:[^{}]|\{[^{}]*\})+)\}", route.path))


@cache
def patterns() -> dict[str | bytes, re.Pattern[Any]]:
    """Every one, each once."""
    return {each.pattern: each for found in (_compiled(), _written(), _routed()) for each in found}


@pytest.mark.req("S23")
def test_none_of_ours_can_be_made_to_take_long() -> None:
    found = patterns()
    assert len(found) > 80, ROOT
    slow = {text: said for text, each in found.items() if (said := faults(each)) and text not in HARMLESS}
    assert slow == {}
    assert set(found) >= set(HARMLESS), "an exception that nothing needs"


@pytest.mark.parametrize(
    "text",
    [
        r"(a+)+b", r"(a*)*", r"(\w+\s?)*x", r"([a-z]+)*$", r"(ab|\wc)*d", r"\d+\d+x", r"\s*\s+x", r"(.*,)*x",
        r"a.*b.*c.*", r"(?:x+x+)+y", r"[0-9]*.?[0-9]*",
    ],
)  # fmt: skip
def test_what_takes_long_is_found(text: str) -> None:
    assert faults(re.compile(text)) != []


@pytest.mark.parametrize(
    "text",
    [
        r"[a-z]+", r"(a|b)*", r"(?:;[^;]*)*", r"\d+-\d+", r"([0-9]{1,3}\.){3}[0-9]{1,3}", r'"(?:[^"\\]|\\.)*"',
        r"(?:a+b)*", r"x{1,5}x{1,5}", r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])",
    ],
)  # fmt: skip
def test_what_is_linear_is_not(text: str) -> None:
    assert faults(re.compile(text)) == []
