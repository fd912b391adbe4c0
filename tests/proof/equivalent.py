"""Changes of the code that change nothing, and why: they count neither as noticed nor as missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Same:
    """One kind of such changes."""

    #: beginning of the name of what is changed
    where: str
    #: of the lines before and after
    fits: Callable[[str, str], bool]
    why: str


SAME: Final = (
    Same(
        "cti.ami.decode.",
        lambda before, after: ".get(" in before and before.lower() == after.lower(),
        "a key of a frame is found in any case (`Frame.get`)",
    ),
    Same(
        "cti.ami.decode.x__age_s",
        lambda before, after: (
            after in {before.replace("strict=False", "strict=None"), before.replace("strict=False", "")}
        ),
        "zip is not strict by itself",
    ),
    Same(
        "cti.ami.guard.xǁGuardǁ",
        lambda before, after: after == before.replace("= False", "= None"),
        "a flag that is only asked whether it is set",
    ),
)


def why_same(name: str, difference: str) -> str | None:
    """Why the change, as mutmut shows it, changes nothing; None where a test should have noticed."""
    lines = [line for line in difference.splitlines() if line[:3] not in {"---", "+++"}]
    before, after = ("\n".join(line[1:].strip() for line in lines if line[:1] == sign) for sign in "-+")
    return next((each.why for each in SAME if name.startswith(each.where) and each.fits(before, after)), None)
