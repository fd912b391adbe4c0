"""Caller numbers as networks write them, made comparable (TL-04), and the ranking of candidates. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import phonenumbers

from ticketing.customers.model import Candidate, Number, NumberKind

#: no network sends more; longer strings are somebody trying something
_LONGEST = 64
_WITHHELD = frozenset(
    {"anonymous", "unknown", "private", "restricted", "unavailable", "withheld", "blocked", "hidden", "none"}
)
#: anonymous in the clothes of a number: +266696687 spells ANONYMOUS
_WITHHELD_NUMBERS = frozenset({"+266696687", "266696687", "7378742833", "+7378742833", "0", "00", "000", "0000"})
_URI = re.compile(r"^(?:tel|sips?):", re.IGNORECASE)
_EXTENSION = re.compile(r"(?:转|轉|ext\.?|x|;ext=|,|;).*$", re.IGNORECASE)
_WRITTEN = re.compile(r"[\s().\-\u2010-\u2015/·]+")
_ALLOWED = re.compile(r"\+?\d+")
#: prefixes of the IP-telephone era that trunks still leave before a number
_CARRIER = re.compile(r"^(?:179\d\d|12593|11808|10193)(?=0\d{9,11}$|1[3-9]\d{9}$)")

_MOBILE = re.compile(r"1[3-9]\d{9}")
_SHARED = re.compile(r"(?:400|800)\d{7}")
#: 010 and 02x have eight digits, the others seven or eight; none starts with 0 or 1
_FIXED = re.compile(r"(10|2\d)([2-9]\d{7})|([3-9]\d\d)([2-9]\d{6,7})")
_LOCAL = re.compile(r"[2-9]\d{6,7}")
_SHORT = re.compile(r"\d{3,6}")

#: an order that ended this long ago still makes the next call a repeat; default, no paper gives one
REPEAT_WINDOW = timedelta(days=30)


def normalise(raw: str, country: str = "CN", area_code: str | None = None) -> Number:
    """Number behind what the trunk or a person wrote; never raises.

    `area_code` (010, 0755, with or without the zero) completes local numbers without one; where it is not given
    such a number is invalid, for it could be anybody's.
    """
    text = _bare(raw)
    if text is None:
        return Number(None, NumberKind.INVALID, "")
    if not raw.strip(" <>\"'") or text.lower() in _WITHHELD or text in _WITHHELD_NUMBERS:
        return Number(None, NumberKind.WITHHELD, "")
    if not _ALLOWED.fullmatch(text) or not text.isascii():
        return Number(None, NumberKind.INVALID, "")
    found = _chinese(text, area_code) if country == "CN" else None
    if found is not None:
        return found
    if not text.startswith("+") and _SHORT.fullmatch(text):
        return Number(None, NumberKind.SHORT, text)
    return _world(text, country)


def _bare(raw: str) -> str | None:
    """The dialled characters alone: no URI, brackets, spaces or extension; None when it cannot be a number."""
    if len(raw) > _LONGEST or any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in raw):
        return None
    text = unicodedata.normalize("NFKC", raw).strip().strip("<>\"'")
    if _URI.match(text):
        text = _URI.sub("", text)
    text = text.partition("@")[0]
    if text.lower() in _WITHHELD:
        return text
    return _WRITTEN.sub("", _EXTENSION.sub("", text).replace("(0)", ""))


def _chinese(text: str, area_code: str | None) -> Number | None:
    """The forms of the Chinese plan: +86, 0086, 86, trunk 0, IP prefix, area codes, 400 and 800; None for others."""
    if text.startswith("+") and not text.startswith("+86"):
        return None
    abroad = text.startswith(("+86", "0086"))
    digits = _CARRIER.sub("", text)
    for prefix in ("+86", "0086"):
        digits = digits.removeprefix(prefix)
    if not abroad and len(digits) in {12, 13} and digits.startswith("86"):
        digits = digits[2:]
        abroad = True
    trunk = digits.startswith("0") and not digits.startswith("00")
    national = digits[1:] if trunk else digits
    if _MOBILE.fullmatch(national):
        return Number(f"+86{national}", NumberKind.E164, f"{national[:3]} {national[3:7]} {national[7:]}")
    if _SHARED.fullmatch(national):
        return Number(f"+86{national}", NumberKind.E164, f"{national[:3]}-{national[3:6]}-{national[6:]}")
    if (trunk or abroad) and (fixed := _FIXED.fullmatch(national)):
        return _fixed(fixed[1] or fixed[3], fixed[2] or fixed[4])
    if area_code and not trunk and not abroad and _LOCAL.fullmatch(national):
        whole = _FIXED.fullmatch(area_code.lstrip("0") + national)
        return _fixed(whole[1] or whole[3], whole[2] or whole[4]) if whole else None
    return None


def _fixed(area: str, local: str) -> Number:
    shown = f"{local[:-4]} {local[-4:]}"
    return Number(f"+86{area}{local}", NumberKind.E164, f"0{area}-{shown}")


def _world(text: str, country: str) -> Number:
    """Everything else, by the tables of the phonenumbers library; a number nobody can have is invalid."""
    try:
        parsed = phonenumbers.parse(f"+{text[2:]}" if country == "CN" and text.startswith("00") else text, country)
    except phonenumbers.NumberParseException:
        return Number(None, NumberKind.INVALID, "")
    if not phonenumbers.is_valid_number(parsed):
        return Number(None, NumberKind.INVALID, "")
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    shown = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return Number(e164, NumberKind.E164, shown)


_NEVER = datetime(1, 1, 1, tzinfo=UTC)


def rank(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Likeliest caller first: overdue order, open order, main number, newest order, then the older customer."""
    return tuple(
        sorted(
            candidates,
            key=lambda c: (
                -c.overdue_count,
                -c.open_count,
                not c.main,
                -((c.last_order_at or _NEVER) - _NEVER).total_seconds(),
                c.customer.id,
            ),
        )
    )
