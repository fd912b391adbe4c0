"""What the flow and its driver say to each other: commands one way, inputs the other. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from ivr.model import Lang
from ivr.ports import Booked, CallerContext, HowRecorded, OpenCallback, Progress, Window

#: In place of a prompt: what the caller has just recorded.
TAKE: Final = "<take>"

#: Where a caller comes from who is offered something else than waiting: asks for a person; asks outside opening hours;
#: has left the queue.
Origin = Literal["arrival", "closed", "queue"]

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
class ConfirmCallback:
    """The customer who was called takes the call. Input: `Did` or `Failed`."""


@dataclass(frozen=True, slots=True)
class DeclineCallback:
    """He no longer wants to be called back. Input: `Did` or `Failed`."""


@dataclass(frozen=True, slots=True)
class PostponeCallback:
    """He wants to be called at another time: this attempt is over. Input: `Did` or `Failed`."""


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

    #: queue, hangup, recorded or booked
    action: str
    queue: str
    priority: int
    reason: str
    lang: Lang
    #: The caller counts as waiting since then, not since now: he takes over a booking.
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class AskAnnouncements:
    """Input: `Announced`, empty also when it cannot be told."""

    dnis: str


@dataclass(frozen=True, slots=True)
class Overflow:
    """The menus hand the caller to the overflow dialogue."""

    origin: Origin
    queue: str
    priority: int
    reason: str
    #: What he hears before the queue when there is nothing to offer.
    said: str


@dataclass(frozen=True, slots=True)
class Resume:
    """The overflow dialogue hands the caller back to the menus."""

    node: str


@dataclass(frozen=True, slots=True)
class LookAtFloor:
    """Input: `Floor`."""

    queue: str


@dataclass(frozen=True, slots=True)
class Record:
    """Record the caller after the beep. Input: `Recorded` or `Failed`."""

    limit_s: float
    silence_s: int


@dataclass(frozen=True, slots=True)
class Keep:
    """Take in what was recorded last. Input: `Kept` or `Failed` (it cannot be kept, not even in the spool)."""

    how: HowRecorded


@dataclass(frozen=True, slots=True)
class Reached:
    """What the caller has got, durable from now on whatever happens: recorded or booked (TL-12)."""

    step: str


@dataclass(frozen=True, slots=True)
class FindCallback:
    """Input: `Callback`, `Wrong` (a number that cannot be called) or `Failed`."""

    number: str
    #: Wait as long as for any answer; else only as long as nobody notices.
    patient: bool = True


@dataclass(frozen=True, slots=True)
class CheckNumber:
    """Input: `Callback(None)` (it can be called) or `Wrong`."""

    number: str


@dataclass(frozen=True, slots=True)
class ListWindows:
    """Input: `Windows` or `Failed`."""

    queue: str


@dataclass(frozen=True, slots=True)
class Book:
    """Input: `BookedAt` or `Failed`."""

    number: str
    window: str


@dataclass(frozen=True, slots=True)
class CancelCallback:
    """Input: `Did` or `Failed`."""

    id: str


@dataclass(frozen=True, slots=True)
class TakeOver:
    """Input: `Did` or `Failed`."""

    id: str


Question = AwaitCaller | Identify | FindOrder | FindOrders | CheckOpen | AskAnnouncements
OverflowQuestion = (
    LookAtFloor | Record | Keep | FindCallback | CheckNumber | ListWindows | Book | CancelCallback | TakeOver
)
Command = (
    Say
    | SetLanguage
    | Tell
    | StartLookUp
    | Ask
    | Finish
    | Overflow
    | Resume
    | Reached
    | Question
    | OverflowQuestion
    | ConfirmCallback
    | DeclineCallback
    | PostponeCallback
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


@dataclass(frozen=True, slots=True)
class Announced:
    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Floor:
    """How busy it is at this moment, and what can be offered."""

    all_busy: bool
    #: 1 = next; None = it cannot be told.
    place: int | None
    wait_s: int | None
    may_record: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """One take."""

    seconds: float
    #: Seconds of it that are not silence.
    speech_s: float
    #: The time for one message was over.
    at_limit: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """The item's number; None = it is in the spool and will be taken in later."""

    number: str | None


@dataclass(frozen=True, slots=True)
class Callback:
    open: OpenCallback | None


@dataclass(frozen=True, slots=True)
class Windows:
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class BookedAt:
    booked: Booked


@dataclass(frozen=True, slots=True)
class Did:
    """Whether it was done; False: it was no longer there to do."""

    done: bool


Input = (
    Started
    | Keyed
    | Caller
    | Found
    | Wrong
    | Orders
    | Open
    | Failed
    | Announced
    | Floor
    | Recorded
    | Kept
    | Callback
    | Windows
    | BookedAt
    | Did
)
