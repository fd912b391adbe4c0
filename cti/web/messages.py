"""What a person reads when something is refused: the catalogue `messages.toml`, in Chinese or English."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

__all__ = ["catalogue", "language_of", "message"]


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Error code -> language -> sentence."""
    with (Path(__file__).parent / "messages.toml").open("rb") as file:
        return tomllib.load(file)


def message(code: str, kind: str, language: str, own: str) -> str:
    """The sentence for a code; for one the catalogue does not know, its own English words or the kind's Chinese."""
    known = catalogue()
    entry = known.get(code)
    if entry is not None:
        return entry[language]
    if language == "en" and own:
        return own
    return known.get(kind, known["refused"])[language]


def language_of(accept_language: str) -> str:
    """`zh` or `en`, whichever an Accept-Language header wants more; Mandarin when it wants neither."""
    best, wanted = 0.0, "zh"
    for part in accept_language[:400].split(","):
        tag, _, parameters = part.strip().partition(";")
        primary = tag.strip().lower().partition("-")[0]
        if primary not in {"zh", "en"}:
            continue
        weight = _weight(parameters)
        if weight > best:
            best, wanted = weight, primary
    return wanted


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
