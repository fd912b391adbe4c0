"""Coded reasons of whoever steps in: of which vocabulary each step's code is, and what the trail says of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: why work is recalled, returned or sent back in review (MN-02)
INTERVENTION: Final = "intervention_reason"
#: the customer takes back what he asked for: what a recall is for where nobody chose (DP-09)
WITHDRAWN: Final = "withdrawn"

VOCABULARY: Mapping[str, str | None] = {
    "send_back": INTERVENTION,
    "refuse_change": INTERVENTION,
    "return": INTERVENTION,
    "recall": INTERVENTION,
    "propose_recall": INTERVENTION,
    "pause": "order_pause_reason",
    "reassigned": "reassign_reason",
    "reassign_work": "reassign_reason",
    "handed_over": "reassign_reason",
    "ask_extension": "extension_reason",
    "cancel": None,
    "ask_force_end": None,
    "force_end": None,
}
"""Steps of the trail that have a coded reason, and the vocabulary it is a leaf of; None: the step's own fixed codes."""


def coded(action: str, payload: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Vocabulary and code of the reason of one line of the trail; (None, None) when it has none."""
    if action not in VOCABULARY:
        return None, None
    code = payload.get("reason_code") or (None if VOCABULARY[action] == INTERVENTION else payload.get("reason"))
    return (VOCABULARY[action], str(code)) if code else (None, None)
