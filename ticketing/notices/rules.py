"""What is said to whom, from the centre's data file. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import Any, Final
from zoneinfo import ZoneInfo

from ticketing.customers.rules import normalise
from ticketing.errors import Invalid
from ticketing.notices.model import Means, NoticeKind

LANGUAGES: Final = ("zh", "en")
_WORK: Final = frozenset({"centre", "serial", "number", "due"})
_KNOWN: Final[Mapping[NoticeKind, frozenset[str]]] = {
    NoticeKind.ORDER_NUMBER: frozenset({"centre", "serial"}),
    NoticeKind.REPLY: frozenset({"centre", "serial", "opinion"}),
    NoticeKind.MISSED_CALLBACK: frozenset({"centre", "serial"}),
    NoticeKind.NEW_WORK: _WORK,
    NoticeKind.URGENT: _WORK,
    NoticeKind.CHASED: _WORK,
    NoticeKind.SECOND_DISPATCH: _WORK,
}
"""Placeholders a template may have."""

_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f]{1,64}@[A-Za-z0-9.-]{1,253}")
_E164: Final = re.compile(r"\+[1-9]\d{6,14}")


@dataclass(frozen=True, slots=True)
class NoticeRules:
    """The data file, checked."""

    #: name of the centre by language
    centre: Mapping[str, str]
    language: str
    zone: ZoneInfo
    mobile: re.Pattern[str]
    #: by kind and language
    templates: Mapping[tuple[NoticeKind, str], str]
    #: where a unit is reached, by its code
    units: Mapping[str, tuple[tuple[Means, str], ...]]

    def text(self, kind: NoticeKind, language: str | None, **said: Any) -> str:
        """The words; a moment is told in the centre's zone, what is not known as a dash."""
        spoken = language if language in LANGUAGES else self.language
        shown = {name: self._shown(value) for name, value in said.items()}
        return self.templates[kind, spoken].format(centre=self.centre[spoken], **shown)

    def mobile_of(self, *numbers: str | None) -> str | None:
        """The first of a customer's numbers that can receive a text message, in E.164."""
        for number in numbers:
            found = normalise(number).e164 if number else None
            if found is not None and self.mobile.fullmatch(found):
                return found
        return None

    def _shown(self, value: Any) -> str:
        if isinstance(value, datetime):
            return f"{value.astimezone(self.zone):%m-%d %H:%M}"
        return "–" if value is None else str(value)


@cache
def shipped() -> NoticeRules:
    """The rules as shipped: every template, no department's address."""
    return parse(files("ticketing.notices").joinpath("data/notices.toml").read_text(encoding="utf-8"))


def read(file: Path) -> NoticeRules:
    """Rules of a centre's own file; raises Invalid naming the file and what is wrong with it."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid("bad_notices", f"{file}: {error}") from None
    return parse(text, str(file))


def parse(text: str, source: str = "notices.toml") -> NoticeRules:
    """Rules of a file; raises Invalid naming what is wrong."""
    try:
        document = tomllib.loads(text)
        centre = document["centre"]
        if centre["language"] not in LANGUAGES:
            raise ValueError(f"[centre] language is one of {', '.join(LANGUAGES)}")
        return NoticeRules(
            centre={language: _words(centre, language, "[centre]") for language in LANGUAGES},
            language=centre["language"],
            zone=ZoneInfo(centre["zone"]),
            mobile=re.compile(centre["mobile"]),
            templates=dict(_template(document["templates"], kind, lang) for kind in NoticeKind for lang in LANGUAGES),
            units={unit: _addresses(unit, given) for unit, given in document.get("units", {}).items()},
        )
    except (KeyError, TypeError, AttributeError, ValueError, re.error) as error:
        said = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise Invalid("bad_notices", f"{source}: {said}") from None


def _words(table: Mapping[str, Any], name: str, where: str) -> str:
    words = table[name]
    if not isinstance(words, str) or not words.strip():
        raise ValueError(f"{where} {name} is a text")
    return words


def _template(
    templates: Mapping[str, Mapping[str, Any]], kind: NoticeKind, language: str
) -> tuple[tuple[NoticeKind, str], str]:
    where = f"[templates.{kind.value}]"
    words = _words(templates[kind.value], language, where)
    names = {name for _, name, _, _ in Formatter().parse(words) if name is not None}
    if strange := sorted(names - _KNOWN[kind]):
        raise ValueError(f"{where} {language}: there is no {{{strange[0]}}} here")
    return (kind, language), words


def _addresses(unit: str, given: Mapping[str, Any]) -> tuple[tuple[Means, str], ...]:
    if strange := sorted(set(given) - set(Means)):
        raise ValueError(f'[units."{unit}"] {strange[0]}: sms or email')
    found: list[tuple[Means, str]] = []
    for means, form in ((Means.SMS, _E164), (Means.EMAIL, _EMAIL)):
        for address in given.get(means.value, []):
            if not isinstance(address, str) or not form.fullmatch(address):
                raise ValueError(f'[units."{unit}"] {means.value}: {address!r} is no address')
            found.append((means, address))
    return tuple(found)
