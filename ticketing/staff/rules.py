"""Transitions of an agent, back-off at sign-in, life of a session, what a password may be. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ticketing.errors import Invalid, Refused
from ticketing.staff.model import AgentState

S = AgentState


class Step(StrEnum):
    """What moves an agent from one state to another."""

    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    PAUSE = "pause"
    READY = "ready"
    RING = "ring"
    WITHDRAW = "withdraw"
    ANSWER = "answer"
    HANG_UP = "hang_up"
    END_WRAP_UP = "end_wrap_up"


#: wishes of a person: refused when the state does not allow them; the others are facts of the telephone
WISHES = frozenset({Step.SIGN_IN, Step.SIGN_OUT, Step.PAUSE, Step.READY})

TRANSITIONS: dict[tuple[AgentState, Step], AgentState | None] = {
    (S.LOGGED_OUT, Step.SIGN_IN): S.READY,
    (S.READY, Step.SIGN_OUT): S.LOGGED_OUT,
    (S.WRAP_UP, Step.SIGN_OUT): S.LOGGED_OUT,
    (S.PAUSED, Step.SIGN_OUT): S.LOGGED_OUT,
    (S.READY, Step.PAUSE): S.PAUSED,
    (S.WRAP_UP, Step.PAUSE): S.PAUSED,
    (S.PAUSED, Step.PAUSE): S.PAUSED,
    (S.PAUSED, Step.READY): S.READY,
    (S.WRAP_UP, Step.READY): S.READY,
    (S.READY, Step.READY): S.READY,
    (S.RINGING, Step.PAUSE): S.RINGING,
    (S.TALKING, Step.PAUSE): S.TALKING,
    (S.RINGING, Step.READY): S.RINGING,
    (S.TALKING, Step.READY): S.TALKING,
    (S.READY, Step.RING): S.RINGING,
    (S.PAUSED, Step.RING): S.RINGING,
    (S.WRAP_UP, Step.RING): S.RINGING,
    (S.RINGING, Step.RING): S.RINGING,
    (S.RINGING, Step.WITHDRAW): None,
    (S.READY, Step.ANSWER): S.TALKING,
    (S.PAUSED, Step.ANSWER): S.TALKING,
    (S.WRAP_UP, Step.ANSWER): S.TALKING,
    (S.RINGING, Step.ANSWER): S.TALKING,
    (S.TALKING, Step.ANSWER): S.TALKING,
    (S.TALKING, Step.HANG_UP): S.WRAP_UP,
    (S.WRAP_UP, Step.END_WRAP_UP): None,
}
"""The whole table; None = the state he resumes. A pause asked for in a call begins after it, `ready` takes it back."""


def next_state(state: AgentState, step: Step, resume: AgentState) -> AgentState | None:
    """State after the step; None when a fact of the telephone says nothing about this state (late, or not ours).

    Raises Refused for a wish the state does not allow.
    """
    if (state, step) in TRANSITIONS:
        return TRANSITIONS[state, step] or resume
    if step in WISHES:
        raise Refused("wrong_agent_state", "the agent's state does not allow this", state=state.value, step=step.value)
    return None


@dataclass(frozen=True, slots=True)
class BackOff:
    """How many wrong attempts are free, and how the wait grows after them."""

    #: wrong attempts without a wait
    free: int
    first: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(minutes=15)
    #: after this long without an attempt the count starts anew
    forget: timedelta = timedelta(hours=1)


ACCOUNT = BackOff(free=5)
#: higher, because a whole centre may stand behind one address
ADDRESS = BackOff(free=50)


def wait_until(rule: BackOff, failures: int, now: datetime) -> datetime | None:
    """Until when the next attempt waits after so many failures (S14); doubling, bounded, so nobody is locked out."""
    if failures < rule.free:
        return None
    doublings = min(failures - rule.free, 20)
    wait = rule.first * (1 << doublings)
    return now + min(wait, rule.longest)


#: a session nobody used for this long is over (S13)
IDLE = timedelta(minutes=30)
#: a session is over after this long in any case
ABSOLUTE = timedelta(hours=12)
#: use is written down at most this often
TOUCH = timedelta(seconds=60)


def session_alive(seen_at: datetime, expires_at: datetime, revoked: bool, now: datetime) -> bool:
    """True while the session may be used."""
    return not revoked and now < expires_at and now - seen_at < IDLE


_SHORTEST = 8
_LONGEST = 128
#: the first guesses of everybody, eight characters and more
_GUESSES = (
    "password passw0rd 12345678 123456789 1234567890 87654321 qwertyui admin123 administrator "
    "mysecret changeme letmein1 asterisk hotline1 hotline123 root1234 a1234567 1qaz2wsx abc12345 "
    "abcd1234 woaini1314"
)
_KNOWN = frozenset(_GUESSES.split())


def check_password(password: str, *, number: str, name: str, field: str = "password") -> str:
    """The password in normal form; raises Invalid when it is too short, too long, known to all, or the person's own
    number or name (S24)."""
    normal = unicodedata.normalize("NFKC", password)
    if not _SHORTEST <= len(normal) <= _LONGEST:
        raise Invalid("bad_password", f"{_SHORTEST} to {_LONGEST} characters", field=field, number=number)
    folded = normal.casefold()
    if folded in _KNOWN or len(set(folded)) < 4 or folded.strip() in {number * 2, name.casefold()}:
        raise Invalid("known_password", "this password is among the first that are guessed", field=field, number=number)
    return normal
