"""Text as people write it: cleaning, masking for logs, and bigrams for Chinese search. Pure."""

from __future__ import annotations

import re
import unicodedata

from ticketing.errors import Invalid

#: runs of digits long enough to be a telephone, card or identity number
_LONG_DIGITS = re.compile(r"\d{7,}")
_SPACES = re.compile(r"[ \t\u3000]+")
_HAN = r"\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
#: a run of Chinese characters, or a word of any other script
_WORD = re.compile(rf"[{_HAN}]+|(?:(?![{_HAN}])[^\W_])+")
_CHINESE = re.compile(rf"[{_HAN}]")
#: longest word that is kept as a search term; longer ones are found by their beginning
TERM_LENGTH = 40
_KEPT = frozenset("\n\t")
_UNSEEN = frozenset({"Cc", "Cf", "Cs"})


def mask_number(number: str | None) -> str:
    """Telephone number for logs: 138****0000; short numbers keep one digit at each end."""
    if not number:
        return ""
    if len(number) > 14:  # cards and identity numbers
        return f"{number[:3]}****{number[-4:]}"
    if len(number) >= 7:
        return f"{number[:-8]}****{number[-4:]}" if len(number) > 8 else f"{number[:2]}****{number[-2:]}"
    return f"{number[:1]}***{number[-1:]}" if len(number) > 2 else "***"


def mask_digits(text: str) -> str:
    """Free text for logs: every run of seven or more digits is masked (TL-52)."""
    return _LONG_DIGITS.sub(lambda match: mask_number(match.group()), text)


def clean(text: str, *, lines: bool = False, limit: int | None = None) -> str:
    """Text as stored: NFC, no control or bidirectional characters, outer space removed; `lines` keeps line breaks.

    The customer's own words are kept in their script: nothing is translated or folded. `limit` is in characters.
    """
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(
        char if unicodedata.category(char) not in {"Cc", "Cf", "Cs"} else ("\n" if lines and char == "\n" else " ")
        for char in text
    )
    parts = [_SPACES.sub(" ", part).strip() for part in kept.split("\n")]
    result = "\n".join(parts).strip() if lines else " ".join(part for part in parts if part)
    return result if limit is None else result[:limit].rstrip()


def checked(name: str, value: object, limit: int, *, lines: bool = False) -> str | None:
    """Text as people write it, NFC, None when there is none; too long, control and invisible characters are refused,
    not cut or dropped: raises Invalid with the field `name` and what is allowed."""
    if not isinstance(value, str):
        raise Invalid("not_text", "text is expected", field=name)
    value = unicodedata.normalize("NFC", value.replace("\r\n", "\n")).strip()
    if len(value) > limit:
        raise Invalid("too_long", f"at most {limit} characters", field=name, limit=limit, length=len(value))
    kept = _KEPT if lines else frozenset()
    wrong = next((char for char in value if unicodedata.category(char) in _UNSEEN and char not in kept), None)
    if wrong is not None:
        raise Invalid(
            "control_character",
            "a character that cannot be seen",
            field=name,
            character=f"U+{ord(wrong):04X}",
            allowed="characters that can be seen",
        )
    return value or None


def fold(text: str) -> str:
    """Text as compared and searched: NFKC (full-width digits become digits), lower case."""
    return unicodedata.normalize("NFKC", text).casefold()


def bigrams(text: str) -> list[str]:
    """Search terms: Chinese runs as overlapping pairs (single characters stay), other words whole (TL-72)."""
    terms: dict[str, None] = {}
    for word in _WORD.findall(fold(text)):
        if len(word) == 1 or not _CHINESE.match(word):
            terms[word[:TERM_LENGTH]] = None
        else:
            terms.update(dict.fromkeys(word[at : at + 2] for at in range(len(word) - 1)))
    return list(terms)


def index_terms(text: str) -> list[str]:
    """What an index keeps of a text: its bigrams, and the last character of each Chinese run, so that every single
    character begins some term and is found by its beginning (TL-72)."""
    ends = [word[-1] for word in _WORD.findall(fold(text)) if _CHINESE.match(word)]
    return list(dict.fromkeys([*bigrams(text), *ends]))


def after(term: str) -> str:
    """The first text, by code points, past everything that begins with this term."""
    return term[:-1] + chr(ord(term[-1]) + 1)
