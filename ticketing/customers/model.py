"""Values of a customer: numbers, classes, profile, and what a look-up answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ticketing.orders.model import OrderSummary


class VipClass(StrEnum):
    """The three classes that go to a senior at once (RT-03); their names on the page are data."""

    MAJOR = "major"  #: 大客户
    IMPORTANT = "important"  #: 重要客户
    DEDICATED_LINE = "dedicated_line"  #: 专线客户


VIP_ORDER: Mapping[str, int] = {VipClass.MAJOR: 0, VipClass.DEDICATED_LINE: 1, VipClass.IMPORTANT: 2}
"""Which class is named when several customers share a number: lowest first."""


class NumberKind(StrEnum):
    """What a caller number turned out to be (TL-04)."""

    E164 = "e164"  #: a full number, comparable world-wide
    SHORT = "short"  #: 10086, 95588, an extension: callable here only
    WITHHELD = "withheld"  #: the caller's side hides it
    INVALID = "invalid"  #: not a telephone number at all


@dataclass(frozen=True, slots=True)
class Number:
    """A caller number as the network gave it, normalised."""

    #: +8613800138000; None unless kind is e164
    e164: str | None
    kind: NumberKind
    #: as a person writes it; empty when there is nothing to show
    display: str

    @property
    def key(self) -> str | None:
        """What the number is stored and found by: the E.164 form, or the digits of a short code."""
        return self.e164 or (self.display if self.kind is NumberKind.SHORT else None)


class MatchKind(StrEnum):
    """How sure the look-up is about who calls; a number is a claim, never a proof of identity."""

    ONE = "one"
    SEVERAL = "several"
    UNKNOWN = "unknown"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class CustomerNumber:
    """One number of a customer; several customers may share it."""

    e164: str
    #: mobile, landline, contact, service (the number of the product itself)
    kind: str
    #: product behind the number: 宽带, 专线 …
    service: str | None = None


@dataclass(frozen=True, slots=True)
class ProfileField:
    """One fact about the customer with where it comes from (SV-06)."""

    field: str
    value: str
    source: str
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as the desk sees him."""

    id: int
    public_id: str
    name: str
    vip_class: str | None
    complainant_type: str | None
    address: str | None
    language: str | None
    numbers: tuple[CustomerNumber, ...] = ()
    profile: tuple[ProfileField, ...] = ()
    #: True when a directory outside did not answer and this is what it said last (TL-34)
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A customer who may be the caller, with the orders that help the agent to ask the right question."""

    customer: Customer
    #: the number is marked as this customer's main one
    main: bool
    orders: tuple[OrderSummary, ...]
    open_count: int
    overdue_count: int
    #: newest order, for ranking
    last_order_at: datetime | None


@dataclass(frozen=True, slots=True)
class Lookup:
    """Everything one hop to the directory tells about a caller number."""

    number: Number
    match: MatchKind
    candidates: tuple[Candidate, ...] = ()
    #: set only when exactly one customer has the number
    customer: Customer | None = None
    #: newest first, at most five
    last_orders: tuple[OrderSummary, ...] = ()
    open_count: int = 0
    #: an order of theirs is open and past its limit: the manager hotline is one key away (G14, RT-04)
    overdue_repeat: bool = False
    #: they have an open order, or one that ended lately (RT-06)
    repeat: bool = False

    @property
    def vip_class(self) -> str | None:
        """The caller's class; of several candidates the one that is served first, so that no VIP waits by mistake."""
        classes = [c.customer.vip_class for c in self.candidates if c.customer.vip_class]
        return min(classes, key=lambda name: VIP_ORDER.get(name, 9), default=None)


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer to be stored."""

    name: str
    numbers: tuple[CustomerNumber, ...]
    vip_class: str | None = None
    complainant_type: str | None = None
    address: str | None = None
    language: str | None = None
    profile: Mapping[str, str] = field(default_factory=dict)
    #: where the facts come from
    source: str = "operator"
    #: the operator's own customer number, if he has one
    external_id: str | None = None
