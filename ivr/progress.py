"""What is said of orders by voice: their state, and for a keyed number the next step (TL-02, TL-04). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ivr.model import Tree
from ivr.ports import Progress

#: Orders that are read out at most.
READ_OUT: Final = 5


def state_words(tree: Tree, progress: Progress, *, with_next: bool) -> tuple[str, ...] | None:
    """State and, if asked for, the next step; nothing else may be said by voice. None when it has no words."""
    words = tree.states.get(progress.state)
    if words is None:
        return None
    if with_next and words.next and progress.next_step is not None:
        return words.say, words.next
    return (words.say,)


def _several(count: int) -> str:
    return f"several-orders-{count}" if count <= READ_OUT else "several-orders-more"


def orders_words(tree: Tree, orders: Sequence[Progress]) -> tuple[str, ...] | None:
    """The states of the open orders: a calling number can be forged and unlocks no more."""
    if not orders:
        return ("no-open-orders",)
    count = len(orders)
    head = "one-order" if count == 1 else _several(count)
    words = [head]
    for place, order in enumerate(orders[:READ_OUT], start=1):
        said = state_words(tree, order, with_next=False)
        if said is None:
            return None
        words += [f"order-nth-{place}", *said] if count > 1 else said
    return tuple(words)
