"""What the flow and its driver say to each other: commands one way, inputs the other. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ivr.model import Lang
from ivr.ports import CallerContext, Progress

# -- commands --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Say:
    """Play to the end."""

    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetLanguage:
    lang: Lang


@dataclass(frozen=True, slots=True)
class Tell:
    """A fact for AMI. Codes of our own only: what a caller keyed into an entry never appears (S25)."""

    event: str
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class StartLookUp:
    """Begin to look the caller up while he listens; `AwaitCaller` takes the result."""

    ani: str
    dnis: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Play, any key breaks in, collect keys. Input: `Keyed`."""

    prompts: tuple[str, ...]
    wait_s: float
    max_keys: int = 1


@dataclass(frozen=True, slots=True)
class AwaitCaller:
    """Input: `Caller` or `Failed`."""


@dataclass(frozen=True, slots=True)
class Identify:
    """Find the customer of a service number. Input: `Caller` or `Failed`."""

    number: str


@dataclass(frozen=True, slots=True)
class FindOrder:
    """Find an order by its keyed number. Input: `Wrong` (check digit), `Found` or `Failed`."""

    serial: str


@dataclass(frozen=True, slots=True)
class FindOrders:
    """Find the open orders of the calling number. Input: `Orders` or `Failed`."""

    ani: str


@dataclass(frozen=True, slots=True)
class CheckOpen:
    """Input: `Open` (open also when it cannot be told)."""

    queue: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The menus are done with this call; the dialplan goes on."""

    #: queue or hangup
    action: str
    queue: str
    priority: int
    reason: str
    lang: Lang


Command = (
    Say | SetLanguage | Tell | StartLookUp | Ask | AwaitCaller | Identify | FindOrder | FindOrders | CheckOpen | Finish
)

# -- inputs ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Started:
    pass


@dataclass(frozen=True, slots=True)
class Keyed:
    """What the caller keyed: `#` alone is "#"; empty = silence."""

    keys: str


@dataclass(frozen=True, slots=True)
class Caller:
    context: CallerContext


@dataclass(frozen=True, slots=True)
class Found:
    progress: Progress | None


@dataclass(frozen=True, slots=True)
class Wrong:
    """The keyed number cannot be right."""


@dataclass(frozen=True, slots=True)
class Orders:
    orders: tuple[Progress, ...]


@dataclass(frozen=True, slots=True)
class Open:
    is_open: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """What was asked for could not be told in time."""


Input = Started | Keyed | Caller | Found | Wrong | Orders | Open | Failed
