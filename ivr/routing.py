"""Which queue a caller gets, how soon, and why (TL-05, RT-06, G14, CT-04). Pure."""

from __future__ import annotations

from ivr.model import Routing, Rule
from ivr.ports import CallerContext


def facts(caller: CallerContext | None, routing: Routing) -> frozenset[str]:
    """What is true of a caller; of one we could not look up nothing is, not even that he is unknown."""
    found: set[str] = {"manager-routing"} if routing.manager_routing else set()
    if caller is None:
        return frozenset(found)
    if caller.nuisance:
        found.add("nuisance")
    if caller.vip_class:
        found |= {"vip", caller.vip_class.replace("_", "-")}
    if caller.repeat:
        found.add("repeat")
    if caller.overdue_repeat:
        found |= {"repeat", "overdue-repeat"}
    if caller.match != "one":
        found.add(caller.match)
    return frozenset(found)


def route(routing: Routing, intent: str, caller: CallerContext | None) -> Rule:
    """The first rule that fits; the checker sees to it that each intent has one without conditions."""
    true = facts(caller, routing)
    for rule in routing.rules:
        if (not rule.intents or intent in rule.intents) and rule.when <= true:
            return rule
    raise LookupError(f"no routing rule for {intent!r}")


def prompt_before_queue(routing: Routing, rule: Rule, intent: str) -> str:
    """What the caller hears before he waits: the rule's own prompt, else the intent's."""
    return rule.say or routing.say[intent]
