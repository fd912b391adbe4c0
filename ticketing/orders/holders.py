"""Who may have an order in each state, and the queue it lies in when nobody has it (IN-23, TL-44, PX-04). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ticketing.orders.model import State
from ticketing.orders.workflow import rows_from
from ticketing.roles import Action, Post, may

#: drafts whose agent is not on the list lie here already
DESK: Final = "complaint"
SENIOR: Final = "senior"

#: by whose steps an order leaves the state; states that are not here: whoever has a step that moves it
HOLDERS: Final[Mapping[State, frozenset[Post]]] = {
    State.REGISTERED: frozenset({Post.JA, Post.TE, Post.RX, Post.SA, Post.MH}),
    State.AT_SENIOR: frozenset({Post.SA}),
    State.IN_REVIEW: frozenset({Post.SA}),
    State.AT_MANAGER: frozenset({Post.MH, Post.SA}),
    State.IN_PROCESS: frozenset({Post.SA, Post.MH}),
    State.REPLYING: frozenset({Post.JA, Post.SA, Post.MH, Post.SV}),
    State.SURVEY: frozenset({Post.SV}),
    State.AT_LEADER: frozenset({Post.LD}),
    State.AT_ARCHIVIST: frozenset({Post.DM}),
    State.REPORTED: frozenset({Post.DM}),
}

#: where an order of the state waits for the next who takes it; all others wait for the seniors
QUEUES: Final[Mapping[State, str]] = {
    State.DRAFT: DESK,
    State.AT_MANAGER: "manager",
    State.SURVEY: "survey",
    State.AT_LEADER: "leader",
    State.AT_ARCHIVIST: "archivist",
    State.REPORTED: "archivist",
}


def may_hold(posts: frozenset[Post], state: State) -> bool:
    """Whether somebody with these posts can go on with an order in this state."""
    if state is State.DRAFT:
        return may(posts, Action.EDIT_DRAFT)
    if state in HOLDERS:
        return bool(posts & HOLDERS[state])
    return any(row.posts & posts for row in rows_from(state) if row.targets and not row.while_paused)


def queue_of(state: State) -> str:
    """The queue in which an order of this state is seen by those who go on with it."""
    return QUEUES.get(state, SENIOR)
