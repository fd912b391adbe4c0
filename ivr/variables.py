"""The one truth for every channel variable, global and user event that Asterisk and this product share.

`asterisk-conf/README.md` explains each to administrators; a test compares both with the dialplan. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Setter = Literal["dialplan", "service", "render"]


@dataclass(frozen=True, slots=True)
class Variable:
    """One channel variable or global of the contract."""

    name: str
    #: who writes it: the dialplan, our service through AGI, or the rendering of asterisk-conf (globals)
    setter: Setter
    #: what it holds, unit and form included
    meaning: str


#: Globals, rendered into `cti_globals.conf` at start.
GLOBALS: Final[tuple[Variable, ...]] = (
    Variable(
        "CTI_TOKEN",
        "render",
        "random per start; `channelvars` repeats it on every channel event, so that forged events are told apart",
    ),
    Variable("CTI_AGI", "render", "agi://host:port/<secret>: our FastAGI server; the last path element is the step"),
    Variable("CTI_SPOOL", "render", "folder that voice files are written to"),
    Variable("CTI_HOOK", "render", "the fixed script that marks a voice file complete"),
    Variable("CTI_STEP_SECONDS", "render", "dead-man's limit for one AGI step, seconds"),
    Variable("CTI_QUEUE_SECONDS", "render", "longest wait in a queue before `all busy`, seconds"),
    Variable("CTI_RESCUE_QUEUE", "render", "queue of callers whom the service could not route"),
    Variable(
        "CTI_OVERFLOW", "render", "`yes`: the service is asked (step `overflow`) when a queue ends without an answer"
    ),
    Variable("CTI_SURVEY", "render", "`yes`: the service is asked (step `survey`) when the agent hung up first"),
    Variable("CTI_OUTBOUND", "render", "`yes`: the product may place calls"),
    Variable("CTI_OUTBOUND_NUMBER", "render", "the number shown to people the product calls"),
    Variable("CTI_LANG_DEFAULT", "render", "language of numbers that have none of their own"),
    Variable("CTI_NOTICE_DEFAULT", "render", "notice of numbers that have none of their own"),
    Variable("CTI_LANG_<dnis>", "render", "language a caller of this number hears first"),
    Variable("CTI_NOTICE_<dnis>", "render", "prompt id of the notice a caller of this number hears"),
    Variable("CTI_NOTICE_VERSION_DEFAULT", "render", "version of the default notice, counted by the prompt tool"),
    Variable("CTI_NOTICE_VERSION_<dnis>", "render", "version of this number's notice"),
)

#: Channel variables. The first two are inherited by every channel of the call (`__`).
CHANNEL: Final[tuple[Variable, ...]] = (
    Variable(
        "CTI_CALL_ID",
        "dialplan",
        "our own id of the call, `YYYYMMDDhhmmss-NNNNNNNNNNNN`, set once at entry, never reused",
    ),
    Variable("CTI_DNIS", "dialplan", "the number that was dialled, digits only"),
    Variable("CTI_ANI", "dialplan", "caller number after FILTER(0-9+*#) and LEN; empty when withheld"),
    Variable("CTI_NOTICE", "dialplan", "prompt id of the recording notice that was played"),
    Variable(
        "CTI_STEP",
        "dialplan",
        "where the call is: guard refused notice ivr rescue queue overflow leave unanswered talked survey confirm; "
        "`recorded` and `booked` (by the service) once that is on the disk",
    ),
    Variable("CTI_KEY", "dialplan", "key by which the caller left the queue, `1` or `2`; empty when he did not"),
    Variable(
        "CTI_JOINED", "dialplan", "since when the caller waits, epoch seconds; the service writes an earlier time"
    ),
    Variable(
        "CTI_PLACE", "dialplan", "place at which the caller joins the queue; empty = its end; the service corrects it"
    ),
    Variable("CTI_ROUND", "dialplan", "how often the caller was put into the queue, 1 or 2"),
    Variable(
        "CTI_DONE",
        "service",
        "the step that ended well (`entry`, `overflow`, `survey`, `callback`): our last command; missing = rescue",
    ),
    Variable("CTI_ACTION", "service", "what the dialplan does next: `queue` or `hangup`"),
    Variable("CTI_QUEUE", "service", "queue of queues.conf the caller goes to"),
    Variable("CTI_PRIORITY", "service", "queue priority, -1..20, larger is served first"),
    Variable("CTI_REASON", "service", "code of the routing reason shown to the agent"),
    Variable("CTI_MESSAGES", "service", "how many messages the caller has begun in the service's dialogue"),
    Variable("CTI_AGENT", "service", "number of the agent kept for a call the product places; the dialler sets it"),
    Variable("CTI_LANG", "service", "language of the caller: `zh` or `en`"),
)

#: Carried by every channel event of AMI (`channelvars` in manager.conf), in this order.
ON_EVENTS: Final[tuple[str, ...]] = ("CTI_CALL_ID", "CTI_TOKEN")

#: UserEvents by which dialplan and AGI tell the call's story; the headers besides the channel's own.
USER_EVENTS: Final[dict[str, tuple[str, ...]]] = {
    "CtiEntered": ("Dnis", "Ani", "Lang", "Notice", "Version"),
    "CtiRefused": ("Why",),
    "CtiStep": ("Node", "Key"),
    "CtiCaller": ("Customer", "Match", "Vip"),
    "CtiRouted": ("Queue", "Priority", "Reason", "Lang"),
    "CtiForecast": ("Seconds", "Place"),
    "CtiRescue": ("Why",),
    "CtiRecording": ("State",),
    "CtiQueueLeft": ("Queue", "Status"),
    "CtiGrade": ("Grade",),
    "CtiEnd": ("Step",),
}

CALL_ID_PATTERN: Final = r"^[0-9]{14}-[0-9]{12}$"
