"""Which node of an order's process is next, by where its work orders stand (DP-02). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ticketing.orders.model import LIVE_WORK, WorkOrderState
from ticketing.processes.model import Node
from ticketing.processes.rules import ordered


class Stand(StrEnum):
    """Where one node of an order stands."""

    WAITING = "waiting"  #: its work order is not sent yet
    RUNNING = "running"  #: a department has it, or the dispatcher must deal with what came back
    OVER = "over"  #: answered, or dropped by the dispatcher
    STOPPED = "stopped"  #: recalled, or called off: nothing was done


@dataclass(frozen=True, slots=True)
class NodeWork:
    """One work order of a node in this cycle of the order."""

    key: int
    node: str
    state: WorkOrderState
    #: of a returned one: sent_on or dropped
    followed: str | None = None

    @property
    def superseded(self) -> bool:
        """Another work order has taken its place."""
        return self.state is WorkOrderState.TRANSFERRED or self.followed == "sent_on"


def stand(works: Iterable[NodeWork]) -> Stand:
    """Where a node stands by its work orders."""
    own = [work for work in works if not work.superseded]
    states = {work.state for work in own if work.followed is None}
    if WorkOrderState.PROPOSED in states:
        return Stand.WAITING
    if states & (LIVE_WORK | {WorkOrderState.RETURNED}):
        return Stand.RUNNING
    done = not own or WorkOrderState.DONE in states or any(work.followed is not None for work in own)
    return Stand.OVER if done else Stand.STOPPED


def next_works(nodes: Sequence[Node], works: Sequence[NodeWork]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Work orders to send now, and those to call off because all they waited for was stopped (DP-02).

    A node that this order has no work order of is not in the way: what waits for it waits for what it waits for.
    """
    of_node: dict[str, list[NodeWork]] = {}
    for work in works:
        of_node.setdefault(work.node, []).append(work)
    stands = {code: stand(each) for code, each in of_node.items()}
    before = waits_for(nodes, of_node)
    send: list[int] = []
    off: list[int] = []
    for node in ordered(nodes):
        if stands.get(node.code) is not Stand.WAITING:
            continue
        earlier = [stands[code] for code in before[node.code]]
        if {Stand.WAITING, Stand.RUNNING} & set(earlier):
            continue
        stopped = bool(earlier) and set(earlier) == {Stand.STOPPED}
        waiting = [work.key for work in of_node[node.code] if work.state is WorkOrderState.PROPOSED]
        (off if stopped else send).extend(waiting)
        stands[node.code] = Stand.STOPPED if stopped else Stand.RUNNING
    return tuple(send), tuple(off)


def waits_for(nodes: Sequence[Node], present: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """For each node the present nodes that come right before it; one that is not present is looked through."""
    there = frozenset(present)
    before: dict[str, frozenset[str]] = {}
    for node in ordered(nodes):
        found: set[str] = set()
        for code in node.after:
            found |= {code} if code in there else before[code]
        before[node.code] = frozenset(found)
    return before
