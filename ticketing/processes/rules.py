"""What a template must be, and which one an order follows. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from ticketing.classification import Fit, Ways, fit
from ticketing.errors import Invalid
from ticketing.processes.model import Content, Node, Template, Version

MOST_NODES: Final = 20
MOST_COVERS: Final = 50
SHORTEST_S: Final = 600
LONGEST_S: Final = 60 * 86400
#: longest time for which a department watches its own answer
LONGEST_TRACKING_S: Final = 180 * 86400
CODE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def check(content: Content) -> None:
    """Raises Invalid naming the node and its field when a version could not be published.

    It covers something, has 1 to 20 nodes with codes of their own, each with words, a limit, and a unit or a duty but
    not both; what a node waits for is there, and nothing waits for itself. A department watches its answer for ten
    minutes to 180 days, or not at all (RP-08).
    """
    if not content.covers:
        raise Invalid("missing", "say which orders it is for", field="covers")
    if len(content.covers) > MOST_COVERS:
        raise Invalid("too_many", f"at most {MOST_COVERS} lines", field="covers", limit=MOST_COVERS)
    if len(set(content.covers)) < len(content.covers):
        raise Invalid("twice", "a line stands there twice", field="covers")
    if not 1 <= len(content.nodes) <= MOST_NODES:
        raise Invalid("bad_length", f"1 to {MOST_NODES} nodes", field="nodes", allowed=[1, MOST_NODES])
    codes = [node.code for node in content.nodes]
    for place, node in enumerate(content.nodes):
        _check_node(node, f"nodes.{place}", codes)
    ordered(content.nodes)
    if content.tracking_s and not SHORTEST_S <= content.tracking_s <= LONGEST_TRACKING_S:
        allowed = [0, SHORTEST_S, LONGEST_TRACKING_S]
        raise Invalid("bad_tracking_time", "none, or ten minutes to 180 days", field="tracking_s", allowed=allowed)


def _check_node(node: Node, where: str, codes: Sequence[str]) -> None:
    if not CODE.fullmatch(node.code):
        raise Invalid("bad_entry_code", "letters, digits, - and _", field=f"{where}.code", allowed="a-z 0-9 - _, 1-40")
    if codes.count(node.code) > 1:
        raise Invalid("twice", "two nodes have this code", field=f"{where}.code", code_given=node.code)
    for name in ("zh", "en", "task"):
        if not getattr(node, name).strip():
            raise Invalid("missing", "words are needed", field=f"{where}.{name}")
    if not SHORTEST_S <= node.limit_s <= LONGEST_S:
        allowed = [SHORTEST_S, LONGEST_S]
        raise Invalid("bad_limit", "a limit of ten minutes to sixty days", field=f"{where}.limit_s", allowed=allowed)
    if (node.unit is None) is (node.duty is None):
        raise Invalid("unit_or_duty", "a unit, or a duty whose unit the map says", field=f"{where}.unit")
    unknown = [code for code in node.after if code not in codes]
    if unknown:
        raise Invalid("unknown_code", "no such node", field=f"{where}.after", code_given=unknown[0], allowed=[*codes])


def ordered(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """The nodes so that each comes after those it waits for, otherwise in the order given.

    Raises Invalid when some wait for each other.
    """
    left, made = list(nodes), list[Node]()
    over: set[str] = set()
    while left:
        ready = next((node for node in left if set(node.after) <= over), None)
        if ready is None:
            raise Invalid("circular", "these wait for each other", field="nodes", nodes=[node.code for node in left])
        left.remove(ready)
        made.append(ready)
        over.add(ready.code)
    return tuple(made)


def choose(
    templates: Iterable[Template], kind: str | None, where: Ways, at: datetime
) -> tuple[Template, Version] | None:
    """The template and version a newly registered order follows: of those in force the one that fits best (IN-05)."""
    best: tuple[Fit, str, Template, Version] | None = None
    for template in templates:
        version = template.in_force(at)
        if version is None or template.kind != kind:
            continue
        fits = [found for found in (fit(cover, where) for cover in version.covers) if found is not None]
        if fits and (best is None or (max(fits), template.code) > best[:2]):
            best = (max(fits), template.code, template, version)
    return None if best is None else best[2:]
