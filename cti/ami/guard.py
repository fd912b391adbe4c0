"""Which AMI frames may be believed: a caller can make Asterisk print whole forged blocks (S03). Pure.

Every channel of a frame must carry our token, no key may be repeated except channel variables, and a frame without a
channel passes only when its event is listed. Answers never come this way: the link matches them by ids it made up.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cti.ami.frames import PAIRS_REMEMBERED, Form, Frame

TOKEN_VARIABLE: Final = "CTI_TOKEN="  # noqa: S105 - a name, not a secret

#: events that belong to no channel and never carry the token; whatever else lacks it is refused
TOKENLESS: Final = frozenset(
    {
        "FullyBooted",
        "Shutdown",
        "Reload",
        "Load",
        "Unload",
        "DeviceStateChange",
        "ExtensionStatus",
        "PresenceStateChange",
        "ContactStatus",
        "PeerStatus",
        "Registry",
        "QueueMemberAdded",
        "QueueMemberRemoved",
        "QueueMemberPause",
        "QueueMemberPenalty",
        "QueueMemberRinginuse",
        "QueueMemberRingInUse",
        "QueueMemberStatus",
        "BridgeCreate",
        "BridgeDestroy",
        "BridgeMerge",
        "SuccessfulAuth",
        "ChallengeSent",
        "ChallengeResponseFailed",
        "InvalidAccountID",
        "InvalidPassword",
        "FailedACL",
        "RequestNotAllowed",
        "RequestBadFormat",
    }
)
#: keys (lower case) that an answer or a list item has and an event of ours never
_ANSWER_KEYS: Final = ("actionid", "response", "eventlist")
_REPEATABLE: Final = "chanvariable"
_EOL: Final = b"\r\n"
#: counted for the lines, three times as fast as their whole ends: one that stands alone in a value counts too, and
#: makes a shape of its own
_LINE_FEED: Final = b"\n"
#: counted for the channels: one that was cut has its state, but not its token
_CHANNEL: Final = b"ChannelState: "
#: longest value the form of a refused frame is shown with
_SHOWN: Final = 200


class Why(StrEnum):
    """Reason a frame was refused."""

    NOT_AN_EVENT = "not_an_event"
    NO_HEADER = "line_without_header"
    REPEATED_KEY = "repeated_key"
    REPEATED_VARIABLE = "repeated_variable"
    TOKEN_MISSING = "token_missing"  # noqa: S105 - a reason, not a secret
    TOKEN_WRONG = "token_wrong"  # noqa: S105 - a reason, not a secret
    UNLISTED = "unlisted_without_channel"
    ANSWER = "answer_among_events"
    NEIGHBOUR = "after_a_refused_frame"
    FOREIGN_ANSWER = "answer_not_asked_for"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the frame is believed, and if not, why."""

    accept: bool
    why: Why | None = None


ACCEPTED: Final = Verdict(True)
_REFUSED: Final = {why: Verdict(False, why) for why in Why}


def check(frame: Frame, token: str) -> Verdict:
    """Judge one event by itself."""
    form = frame.form
    if not form.sound:
        why = _form_fault(frame)
        if why is not None:
            return _REFUSED[why]
    if not form.groups:
        return ACCEPTED
    wanted, values = TOKEN_VARIABLE + token, frame.values
    for _, numbers in form.groups:
        found = False
        for number in numbers:
            value = values[number]
            if value == wanted:
                found = True
            elif value.startswith(TOKEN_VARIABLE):
                return _REFUSED[Why.TOKEN_WRONG]
        if not found:
            return _REFUSED[Why.TOKEN_MISSING]
        # of two, one is the token and the other is not: their names differ
        if len(numbers) > 2 and len({values[number].partition("=")[0] for number in numbers}) < len(numbers):
            return _REFUSED[Why.REPEATED_VARIABLE]
    return ACCEPTED


def check_answer(frame: Frame) -> Why | None:
    """Fault of an answer or list item whose ActionID is ours; None when there is none."""
    form = frame.form
    if "" in form.keys:
        return Why.NO_HEADER
    if _repeats(form, also="output"):
        return Why.REPEATED_KEY
    if form.keys[0] == "Response":
        return None
    if form.keys[0] != "Event" or ("response" in form.index and frame.event != "OriginateResponse"):
        return Why.NOT_AN_EVENT
    return None


def describe(frame: Frame) -> str:
    """The refused frame for a security event: its keys and the start of its values, control characters escaped."""
    text = frame.raw.decode("utf-8", "replace")
    return text[:_SHOWN].encode("unicode_escape").decode("ascii") + ("…" if len(text) > _SHOWN else "")


class Guard:
    """Judges the frames of one link in order.

    A forged event without a channel needs no token, so it is also judged by what it came out of: the frame before it
    was cut short by the forger and lost its token. After a refused frame nothing without the token is believed until
    a frame with the token has passed. (An event that is merely not listed was not cut short: its channel would show.)

    What was cut off is the end of a genuine event, token and all, under a beginning the forger wrote. It is the first
    frame after the cut that ends with the token, and is refused whatever it says.

    An event that nobody needs goes by unread where it has the shape of those that were believed: nothing was put in
    (its lines), nothing was cut (as many channels, as many tokens), and nothing hangs over from the frame before.
    """

    __slots__ = ("_cut", "_line", "_shapes", "_shapes_known", "_suspicious", "_token", "accepted", "refused")

    def __init__(self, token: str) -> None:
        self._token = token
        self._line = f"ChanVariable: {TOKEN_VARIABLE}{token}".encode()
        #: the name's line of events that nobody needs and that were read and believed, to how many lines, channels and
        #: tokens they had
        self._shapes: dict[bytes, set[tuple[int, int, int]]] = {}
        self._shapes_known = 0
        self._suspicious = False
        #: a frame was cut short and its end is still to come
        self._cut = False
        self.accepted = 0
        #: refused frames by reason
        self.refused: Counter[Why] = Counter()

    def check(self, frame: Frame) -> Verdict:
        """Judge the next frame; what is believed helps to read its like faster."""
        verdict = check(frame, self._token)
        if self._cut and self._ends(frame):
            self._cut = False
            verdict = _REFUSED[Why.NEIGHBOUR] if verdict.accept else verdict
        elif not verdict.accept and verdict.why is not Why.UNLISTED:
            self._cut = self._cut or not self._ends(frame)
        if verdict.accept and self._suspicious:
            if frame.form.groups:
                self._suspicious = False
            else:
                verdict = _REFUSED[Why.NEIGHBOUR]
        if verdict.accept:
            self.accepted += 1
            if not frame.form.sound:
                frame.form.sound = True
                frame.remember()
            return verdict
        self._suspicious = self._suspicious or verdict.why is not Why.UNLISTED
        assert verdict.why is not None
        self.refused[verdict.why] += 1
        return verdict

    def unread(self, raw: bytes) -> bool:
        """Whether it is an event that nobody needs and may go by unread.

        Where not, `check` judges it; when nobody needs it and it is believed, `learn` is told.
        """
        shapes = self._shapes.get(raw[: raw.find(_EOL)])
        if shapes is None or self._suspicious or self._cut:
            return False
        if (raw.count(_LINE_FEED), raw.count(_CHANNEL), raw.count(self._line)) not in shapes:
            return False
        self.accepted += 1
        return True

    def learn(self, raw: bytes) -> None:
        """An event that nobody needs was read and believed: its like may go by."""
        tokens = raw.count(self._line)
        if tokens and self._shapes_known < PAIRS_REMEMBERED:
            shapes = self._shapes.setdefault(raw[: raw.find(_EOL)], set())
            # a new one, or it would have gone by
            shapes.add((raw.count(_LINE_FEED), raw.count(_CHANNEL), tokens))
            self._shapes_known += 1

    def start_over(self) -> None:
        """A new connection begins: nothing hangs over from the old one."""
        self._suspicious = self._cut = False

    def _ends(self, frame: Frame) -> bool:
        """Whether the frame goes on to the token of its last channel: the end of a genuine event, not the part of one
        before a cut. The token stands after the state of its channel, and nobody else can write it."""
        lines = frame.raw.split(b"\r\n")
        token = f": {TOKEN_VARIABLE}{self._token}".encode()
        tokens = [place for place, line in enumerate(lines) if line.endswith(token)]
        states = [
            place for place, line in enumerate(lines) if line.lower().partition(b":")[0].endswith(b"channelstate")
        ]
        return max(tokens, default=-1) > max(states, default=-1)


def _form_fault(frame: Frame) -> Why | None:
    """What the sequence of keys alone shows; the same for every frame of one form."""
    form = frame.form
    event = frame.event
    faults = (
        (not event, Why.NOT_AN_EVENT),
        ("" in form.keys, Why.NO_HEADER),
        (any(key in form.index for key in _ANSWER_KEYS), Why.ANSWER),
        (_repeats(form), Why.REPEATED_KEY),
        (not form.groups and ("channel" in form.index or "uniqueid" in form.index), Why.TOKEN_MISSING),
        (not form.groups and event not in TOKENLESS, Why.UNLISTED),
    )
    return next((why for found, why in faults if found), None)


def _repeats(form: Form, also: str = "") -> bool:
    return any(not key.endswith(_REPEATABLE) and key != also for key in form.repeated)
