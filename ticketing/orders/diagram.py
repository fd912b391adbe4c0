"""The state diagram and the permission table, printed from the one table. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ticketing.orders.model import ENDED, Control, State, WorkOrderState
from ticketing.orders.workflow import ROWS, Start, Stop, Transition
from ticketing.roles import Post

_FINAL = ENDED - {State.CLOSED}


def mermaid(rows: Iterable[Transition] = ROWS) -> str:
    """State diagram for README and `hotline diagram`."""
    lines = ["stateDiagram-v2"]
    used: dict[str, bool] = {}
    for row in rows:
        for source in () if row.control else row.sources:  # run and paused are no states
            for target in row.targets or (source,):
                lines.append(f"    {_name(source)} --> {_name(target)}: {row.row} {row.verb.value}")
                used |= {_name(s): s in _FINAL for s in (source, target) if s is not None}
    lines += [f"    {name} --> [*]" for name, final in used.items() if final]
    return "\n".join(lines) + "\n"


def table(rows: Iterable[Transition] = ROWS) -> str:
    """The transition table as Markdown: from, to, who, required, clocks, source."""
    lines = [
        "| T | from → to | action | who | must be filled in | clocks | source |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        sources = " / ".join(_word(source) for source in row.sources)
        targets = " / ".join(_word(target) for target in row.targets) or "unchanged"
        who = [post.value for post in Post if post in row.posts] + (["SYS"] if row.system else [])
        lines.append(
            f"| {row.row} | {sources} → {targets} | {row.verb.value} | {' '.join(who)} "
            f"| {_required(row) or '–'} | {clocks(row) or '–'} | {row.source} |"
        )
    return "\n".join(lines) + "\n"


def permissions(rows: Iterable[Transition] = ROWS) -> str:
    """Who may do what, as Markdown: one line for each action, one column for each post."""
    lines = [
        "| action | " + " | ".join(post.value for post in Post) + " |",
        "|---|" + "---|" * len(Post),
    ]
    for row in rows:
        marks = " | ".join("x" if post in row.posts else "" for post in Post)
        lines.append(f"| {row.verb.value} ({row.row}) | {marks} |")
    return "\n".join(lines) + "\n"


def document(rows: Iterable[Transition] = ROWS) -> str:
    """Diagram, transition table and permission matrix as one page: docs/transitions.md and `hotline diagram`."""
    known = tuple(rows)
    return (
        "# Transitions\n\n"
        "Printed from the one table by `hotline diagram`; a test keeps this copy equal. K = clock, -A/-B = where the\n"
        "dispatch hour counts from, ∅ = not there yet, SYS = the product itself.\n\n"
        f"## From, to, who, what must be filled in, clocks\n\n{table(known)}\n"
        f"## Who may do what\n\n{permissions(known)}\n"
        f"## Diagram\n\n```mermaid\n{mermaid(known)}```\n"
    )


def clocks(row: Transition) -> str:
    """What the step does to the clocks, in words."""
    words = [f"stop {_clock(stop)}{' (void)' if stop.void else ''}" for stop in row.stops]
    words += [f"start {_clock(start)}{' from receipt' if start.from_receipt else ''}" for start in row.starts]
    if row.stop_all:
        when = "" if row.stop_all_when == "always" else f" if {row.stop_all_when}"
        words.append("stop all" + when + (" (void)" if row.stop_all == "void" else ""))
    if row.control is not None:
        words.append("those that pause " + ("stand still" if row.control is Control.PAUSED else "run on"))
    return "; ".join(words)


def _required(row: Transition) -> str:
    return ", ".join([*row.required, *(f"{name} if {when}" for when, name in row.required_when)])


def _clock(effect: Start | Stop) -> str:
    anchor = f"-{effect.anchor.value}" if isinstance(effect, Start) and effect.anchor.value else ""
    when = "" if effect.when == "always" else f" if {effect.when}"
    return f"{effect.clock.value}{anchor}{when}"


def _name(state: State | WorkOrderState | None) -> str:
    return "[*]" if state is None else state.value


def _word(state: State | WorkOrderState | None) -> str:
    return "∅" if state is None else state.value.upper()
