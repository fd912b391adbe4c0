"""Words of grades and of their follow-up: states, and the forms pages read. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """Where a follow-up stands."""

    NEW = "new"  #: 待跟进
    CLAIMED = "claimed"  #: 跟进中
    DONE = "done"  #: 已跟进


class Verb(StrEnum):
    """What is done to a follow-up."""

    OPEN = "open"
    CLAIM = "claim"
    RELEASE = "release"
    FINISH = "finish"


WAITING = frozenset({State.NEW, State.CLAIMED})
"""Somebody must still speak to the customer."""


@dataclass(frozen=True, slots=True)
class NewGrade:
    """A grade as the telephone tells it."""

    call_id: str
    #: the key that was pressed
    grade: str
    #: 工号 of who talked with the customer; empty when nobody knows
    agent: str
    #: when the call was over
    at: datetime


@dataclass(frozen=True, slots=True)
class FollowUp:
    """One follow-up as pages read it; field names are those of the JSON."""

    #: public id, random: the one in addresses
    id: str
    state: str
    call_id: str
    grade: str
    #: 工号 of who was graded
    agent: str
    graded_at: datetime
    #: the order the call is about; None without one
    order_id: str | None
    order_serial: str | None
    customer_name: str | None
    caller_number: str | None
    due_at: datetime
    overdue: bool
    #: 工号 of the surveyor, or the queue's name; None when it is over
    owner: str | None
    claimed_at: datetime | None
    done_at: datetime | None
    #: what the customer said, in the surveyor's words
    opinion: str | None
    #: grade the customer gave in the end; None = he gave none
    final_grade: str | None
    version: int


@dataclass(frozen=True, slots=True)
class FollowUpFilter:
    """Conditions of a list; all that are given must hold. Without `state`: what still waits."""

    state: tuple[str, ...] = ()
    mine: bool = False
    overdue: bool = False
