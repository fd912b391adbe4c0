"""The entry menus as a pure step function: `step(state, input) -> (state, commands)` (TL-01 to TL-05). Pure.

The last command of a step asks for exactly one input, or ends the call's time in the menus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from ivr.model import (
    BACK_KEY,
    PERSON_KEY,
    REPEAT_KEY,
    Entry,
    Lang,
    LookUp,
    Menu,
    Route,
    Rule,
    Tree,
)
from ivr.ports import CallerContext, Progress
from ivr.progress import orders_words, state_words
from ivr.routing import prompt_before_queue, route
from ivr.talk import (
    Announced,
    Ask,
    AskAnnouncements,
    AwaitCaller,
    Caller,
    CheckOpen,
    Command,
    Failed,
    FindOrder,
    FindOrders,
    Finish,
    Found,
    Identify,
    Input,
    Keyed,
    Open,
    Orders,
    Origin,
    Overflow,
    Say,
    SetLanguage,
    Started,
    StartLookUp,
    Tell,
    Wrong,
)

# -- state -----------------------------------------------------------------------------------------------------------


class Phase(StrEnum):
    START = "start"
    NEWS = "news"
    HEARD = "heard"
    MENU = "menu"
    ENTRY = "entry"
    LOOK_UP = "look-up"
    CALLER = "caller"
    IDENTIFY = "identify"
    HOURS = "hours"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class State:
    """Where a call is."""

    tree: Tree
    ani: str
    dnis: str
    lang: Lang
    phase: Phase = Phase.START
    node: str = ""
    #: Wrong keys and silences at this node so far.
    errors: int = 0
    #: Questions asked in the whole call.
    asks: int = 0
    #: What was found and is repeated by #.
    heard: tuple[str, ...] = ()
    caller: CallerContext | None = None
    identified: bool = False
    intent: str = ""
    rule: Rule | None = None
    #: There are announcements to ask for (TL-26), an overflow dialogue to hand over to (TL-20).
    announces: bool = False
    overflows: bool = False


Step = tuple[State, tuple[Command, ...]]


def begin(tree: Tree, ani: str, dnis: str, *, announces: bool = False, overflows: bool = False) -> State:
    """A call that has just come in on this number."""
    line = tree.lines.get(dnis)
    lang = line.languages[0] if line else tree.unknown_language
    return State(tree, ani, dnis, lang, announces=announces, overflows=overflows)


def resume(state: State, node: str) -> Step:
    """The overflow dialogue has sent the caller back to a menu."""
    return _enter(state, node)


def step(state: State, given: Input) -> Step:
    """The next state and what to do, in order; raises `LookupError` for an input that was not asked for."""
    match state.phase, given:
        case Phase.START, Started():
            return _start(state)
        case Phase.NEWS, Announced(prompts):
            return _announce(state, prompts)
        case Phase.HEARD | Phase.MENU | Phase.ENTRY, Keyed(keys):
            return _KEYS[state.phase](state, keys)
        case Phase.LOOK_UP | Phase.CALLER | Phase.IDENTIFY, Found() | Orders() | Caller() | Wrong() | Failed():
            return _looked_up(state, given) if state.phase is Phase.LOOK_UP else _caller_known(state, given)
        case Phase.HOURS, Open(is_open):
            return _go(state) if is_open else _closed(state)
    raise LookupError(f"{type(given).__name__} was not asked for in {state.phase}")


def _start(state: State) -> Step:
    first: tuple[Command, ...] = (SetLanguage(state.lang), StartLookUp(state.ani, state.dnis))
    if state.announces:
        return replace(state, phase=Phase.NEWS), (*first, AskAnnouncements(state.dnis))
    return _prepend(first, _greet(state))


def _greet(state: State) -> Step:
    line = state.tree.lines.get(state.dnis)
    if line is None:
        return _prepend((Say((state.tree.unknown_greeting,)),), _ask_for(state, "unknown-line"))
    return _enter(state, line.menu, before=(line.greeting,))


def _announce(state: State, prompts: tuple[str, ...]) -> Step:
    """Announcements come before the menu; a caller who ends here has the last one as the last step of his path."""
    if not prompts:
        return _greet(state)
    line = state.tree.lines.get(state.dnis)
    greeting = line.greeting if line else state.tree.unknown_greeting
    told = tuple(Tell("CtiStep", (("Node", "announcement"), ("Key", prompt))) for prompt in prompts)
    ask = Ask((greeting, "announcement-intro", *prompts, "announcement-end"), state.tree.settings.wait_s)
    return replace(state, phase=Phase.HEARD), (*told, ask)


def _announcement_heard(state: State, key: str) -> Step:
    """An early key is the menu's."""
    told = Tell("CtiStep", (("Node", "announcement"), ("Key", key or "heard")))
    line = state.tree.lines.get(state.dnis)
    if line is None:
        return _prepend((told,), _ask_for(state, "unknown-line"))
    if not key:
        return _prepend((told,), _enter(state, line.menu))
    return _prepend((told,), _menu_key(replace(state, node=line.menu), key))


def _prepend(commands: Sequence[Command], result: Step) -> Step:
    return result[0], (*commands, *result[1])


def _told(state: State, key: str) -> Tell:
    return Tell("CtiStep", (("Node", state.node), ("Key", key)))


# -- menus -----------------------------------------------------------------------------------------------------------


def _enter(state: State, name: str, before: tuple[str, ...] = ()) -> Step:
    """Go to a node; `before` is played in front of it."""
    node = state.tree.nodes[name]
    state = replace(state, node=name, errors=0, heard=())
    match node:
        case Menu():
            return _ask_menu(state, (*before, *_language_offer(state), *node.prompts))
        case Entry():
            return _ask_entry(state, (*before, *node.prompts))
        case LookUp():
            return _find_orders(state, node)
        case Route():
            return _ask_for(state, node.intent)


def _ask_menu(state: State, prompts: tuple[str, ...]) -> Step:
    if state.asks >= state.tree.settings.max_asks:
        return _ask_for(state, "errors")
    state = replace(state, phase=Phase.MENU, asks=state.asks + 1)
    return state, (Ask(prompts, state.tree.settings.wait_s),)


def _other_languages(state: State) -> dict[str, Lang]:
    """Keys of the languages offered here: at the line's own menu, all of the line's but the one that is spoken."""
    line = state.tree.lines.get(state.dnis)
    if line is None or state.node != line.menu:
        return {}
    return {state.tree.language_keys[lang].key: lang for lang in line.languages if lang != state.lang}


def _language_offer(state: State) -> tuple[str, ...]:
    return tuple(state.tree.language_keys[lang].prompt for lang in _other_languages(state).values())


def _menu_key(state: State, key: str) -> Step:
    menu = state.tree.menu(state.node)
    told = _told(state, key or "silence")
    if key in menu.keys:
        return _prepend((told,), _enter(state, menu.keys[key].go))
    languages = _other_languages(state)
    if key in languages:
        lang = languages[key]
        return _prepend((told, SetLanguage(lang)), _enter(replace(state, lang=lang), state.node))
    if key == PERSON_KEY:
        return _prepend((told,), _ask_for(state, "person"))
    if key == BACK_KEY:
        return _prepend((told,), _enter(state, menu.back or menu.name))
    if key == REPEAT_KEY:
        heard = (*state.heard, *_language_offer(state), *menu.prompts)
        return _prepend((told,), _ask_menu(replace(state, errors=0), heard))
    answer = "no-input" if not key else "invalid-key"
    return _prepend((told,), _answered(state, answer, (*_language_offer(state), *menu.again)))


def _answered(state: State, answer: str, again: tuple[str, ...]) -> Step:
    """A wrong key or silence: said so and asked again; the last time a person takes over (TL-02)."""
    state = replace(state, errors=state.errors + 1)
    if state.errors >= state.tree.settings.tries:
        return _prepend((Say((answer,)),), _ask_for(state, "errors"))
    if isinstance(state.tree.nodes[state.node], Entry):
        return _ask_entry(state, (answer, *again))
    return _ask_menu(state, (answer, *again))


# -- keyed numbers ---------------------------------------------------------------------------------------------------


def _ask_entry(state: State, prompts: tuple[str, ...]) -> Step:
    if state.asks >= state.tree.settings.max_asks:
        return _ask_for(state, "errors")
    entry = state.tree.entry(state.node)
    state = replace(state, phase=Phase.ENTRY, asks=state.asks + 1)
    return state, (Ask(prompts, state.tree.settings.wait_s, entry.max_keys),)


def _entered(state: State, keys: str) -> Step:
    """0 alone is a person, * is back, # alone repeats; at the service number # alone or silence goes on without."""
    entry = state.tree.entry(state.node)
    special = _special_key(state, entry, keys)
    if special is not None:
        return special
    told = _told(state, "entered")
    if entry.kind == "service-number":
        return replace(state, phase=Phase.IDENTIFY, identified=True), (told, Identify(keys))
    return replace(state, phase=Phase.LOOK_UP), (told, FindOrder(keys))


def _special_key(state: State, entry: Entry, keys: str) -> Step | None:
    optional = entry.kind == "service-number"
    if keys == PERSON_KEY:
        return _prepend((_told(state, keys),), _leave_entry(state, "person"))
    if BACK_KEY in keys:
        return _prepend((_told(state, BACK_KEY),), _enter(state, entry.back))
    if not keys:
        result = _leave_entry(state, state.intent) if optional else _answered(state, "no-input", entry.prompts)
        return _prepend((_told(state, "silence"),), result)
    if keys == REPEAT_KEY:
        result = _leave_entry(state, state.intent) if optional else _ask_entry(state, entry.prompts)
        return _prepend((_told(state, keys),), result)
    return None


def _leave_entry(state: State, intent: str) -> Step:
    return _ask_for(replace(state, identified=True), intent)


# -- progress --------------------------------------------------------------------------------------------------------


def _find_orders(state: State, node: LookUp) -> Step:
    if not state.ani:
        return _enter(state, node.back, before=("number-withheld",))
    return replace(state, phase=Phase.LOOK_UP), (FindOrders(state.ani),)


def _looked_up(state: State, given: Input) -> Step:
    node = state.tree.nodes[state.node]
    assert isinstance(node, Entry | LookUp), state.node
    result = node.result or node.back
    words: tuple[str, ...] | None
    match given, node:
        case Wrong(), Entry():
            return _answered(state, node.wrong, ())
        case Found(None), Entry():
            return _answered(state, node.unknown, node.prompts)
        case Found(Progress() as progress), _:
            words = state_words(state.tree, progress, with_next=True)
        case Orders(orders), _:
            words = orders_words(state.tree, orders)
        case _:
            words = None
    if words is None:
        return _ask_for(state, "failure")
    menu = state.tree.menu(result)
    state = replace(state, node=result, errors=0, heard=words)
    return _ask_menu(state, (*words, *menu.prompts))


# -- to a person -----------------------------------------------------------------------------------------------------


def _ask_for(state: State, intent: str) -> Step:
    """The caller wants somebody: first who he is, then whether anybody is there, then the queue."""
    state = replace(state, intent=intent)
    if state.caller is not None or state.identified:
        return _choose(state)
    return replace(state, phase=Phase.CALLER), (AwaitCaller(),)


def _caller_known(state: State, given: Input) -> Step:
    if isinstance(given, Caller):
        return _caller_found(state, given.context)
    if state.phase is Phase.IDENTIFY and isinstance(given, Wrong):
        return _prepend((Say((state.tree.entry(state.node).wrong,)),), _choose(state))
    return _choose(replace(state, identified=True))


def _caller_found(state: State, context: CallerContext) -> Step:
    told = Tell(
        "CtiCaller",
        (("Customer", context.customer or ""), ("Match", context.match), ("Vip", context.vip_class or "")),
    )
    if state.phase is Phase.IDENTIFY and context.match in {"unknown", "withheld"}:
        return _prepend((Say((state.tree.entry(state.node).unknown,)),), _choose(state))
    listed = state.caller is not None and state.caller.nuisance  # whose number he keys in changes nothing about that
    state = replace(state, caller=replace(context, nuisance=context.nuisance or listed))
    node = state.tree.nodes.get(state.node)
    if (
        not state.identified
        and isinstance(node, Route)
        and node.intent == state.intent
        and context.match in node.identify
    ):
        entry = _service_number_entry(state.tree)
        return _prepend((told,), _enter(state, entry.name))
    return _prepend((told,), _choose(state))


def _service_number_entry(tree: Tree) -> Entry:
    return next(node for node in tree.nodes.values() if isinstance(node, Entry) and node.kind == "service-number")


def _choose(state: State) -> Step:
    rule = route(state.tree.routing, state.intent, state.caller)
    return replace(state, phase=Phase.HOURS, rule=rule), (CheckOpen(rule.queue),)


def _go(state: State) -> Step:
    rule = state.rule
    assert rule is not None, state.phase
    told = Tell(
        "CtiRouted",
        (("Queue", rule.queue), ("Priority", str(rule.priority)), ("Reason", rule.code), ("Lang", state.lang)),
    )
    prompt = prompt_before_queue(state.tree.routing, rule, state.intent)
    if state.overflows:
        return _hand_over(state, "arrival", prompt, told)
    return (
        replace(state, phase=Phase.DONE),
        (told, Say((prompt,)), Finish("queue", rule.queue, rule.priority, rule.code, state.lang)),
    )


def _closed(state: State) -> Step:
    """Nobody is there (TL-06): recorded complaint or callback, or without those it is said, and the call ends."""
    if state.overflows:
        return _hand_over(state, "closed", "")
    told = Tell("CtiStep", (("Node", "closed"), ("Key", "")))
    return (
        replace(state, phase=Phase.DONE),
        (told, Say(("closed-hours", "goodbye")), Finish("hangup", "", 0, "closed", state.lang)),
    )


def _hand_over(state: State, origin: Origin, prompt: str, *told: Command) -> Step:
    rule = state.rule
    assert rule is not None, state.phase
    handed = Overflow(origin, rule.queue, rule.priority, rule.code, prompt)
    return replace(state, phase=Phase.DONE), (*told, handed)


_KEYS: Final = {Phase.HEARD: _announcement_heard, Phase.MENU: _menu_key, Phase.ENTRY: _entered}
