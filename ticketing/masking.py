"""What of a customer a post may read in full, and how the rest is shown (AU-02). Pure.

Who speaks to customers sees them as they are; who inspects, leads, files or administers sees enough to recognise a
case. He may have one order uncovered, for a reason that is kept (`Action.UNMASK`).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from ticketing.roles import SYSTEM, Action, Actor, may
from ticketing.text import mask_number


class Personal(StrEnum):
    """What kind of personal fact a field holds."""

    NUMBER = "number"  #: telephone or line
    NAME = "name"
    ADDRESS = "address"
    TEXT = "text"  #: people's own words: numbers in them are covered


#: characters of an address that say the district
_DISTRICT: Final = 6
#: telephone, card and identity numbers as people write them, in any script's digits
_NUMBERS: Final = re.compile(r"\+?\d{7,}[Xx]?|\d{3}[ -]\d{4}[ -]\d{4}")


def sees_customers(actor: Actor) -> bool:
    """Whether this person reads customers' numbers, names and addresses in full."""
    return actor.staff_id == SYSTEM.staff_id or may(actor.posts, Action.VIEW_PERSONAL)


def mask(kind: Personal, text: str) -> str:
    """The text as it is shown to who may not read it in full."""
    if kind is Personal.NAME:
        return text[:1] + "*" * min(max(len(text) - 1, 1), 3) if text else text
    if kind is Personal.ADDRESS:
        return f"{text[: _DISTRICT if len(text) > _DISTRICT else 2]}****" if text else text
    if kind is Personal.NUMBER and re.fullmatch(r"\+?\d+", text):
        return mask_number(text)
    return _NUMBERS.sub(lambda found: mask_number(re.sub(r"[ -]", "", found[0])), text)
