"""Every place of every dialogue, walked from the pure flows themselves, with the keys that lead there (TL-07, F14).

A dialogue begins where the dialplan hands a caller over: a dialled number, announcements, an open callback, closed
hours, the queue left by a key or because its time was over, the talk's end. A world says what is true while he walks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ivr import choice, flow, overflow, survey, talk
from ivr.model import Menu, Tree
from ivr.ports import Booked, Progress, Window
from tests.ivr.fakes import KNOWN, NOBODY, shipped_tree
from tests.ivr.overflow_fakes import BOOKED_BEFORE, SILENCE, SPEECH, WINDOWS, may_dial

ANI, KNOWN_ANI, OTHER_NUMBER = "13900009999", "13800001111", "13900002222"
#: by the rule of tests/ivr/fakes.py
VALID = "123456784"
ORDER = Progress(VALID, "SURVEY", "SURVEY", False, None)
ANNOUNCEMENT = "announcement-outage"
BUSY = talk.Floor(all_busy=True, place=2, wait_s=190, may_record=True)

State = flow.State | choice.State | survey.State
#: Commands that ask for an input, or end a walk.
ASKING = (
    talk.Ask | talk.Finish | talk.Overflow | talk.Resume | talk.Question | talk.LookAtFloor | talk.Record | talk.Keep
) | (talk.FindCallback | talk.CheckNumber | talk.ListWindows | talk.Book | talk.CancelCallback | talk.TakeOver)


@dataclass(frozen=True)
class World:
    """What is true while a caller walks, and where he begins."""

    name: str
    #: entry, overflow or survey
    step: str
    ani: str = KNOWN_ANI
    dnis: str = "1860"
    #: He left the queue by this key; empty: his time there was over.
    key: str = ""
    #: The menus hand over to the overflow dialogue; nobody is free.
    overflows: bool = False
    closed: bool = False
    announced: bool = False
    #: His number has an open callback.
    existing: bool = False
    #: What he says into each recording.
    says: str = SPEECH
    #: An order number whose check digit is right, and what it belongs to; his own open orders.
    valid: str = VALID
    order: Progress | None = ORDER
    orders: tuple[Progress, ...] = ()
    #: Times at which he can be called back.
    windows: tuple[Window, ...] = WINDOWS
    #: Keys that are tried in the menus; empty: all of them.
    menu_keys: str = ""

    @property
    def known(self) -> bool:
        """He is a customer."""
        return self.ani == KNOWN_ANI


@dataclass(frozen=True)
class Cue:
    """One answer of the caller: after this prompt begins, these keys (none: he says nothing), or speech."""

    prompt: str
    keys: str
    speech: str = ""


@dataclass(frozen=True)
class Place:
    """A place of a dialogue and a shortest way there."""

    world: World
    state: State
    #: What the last step does; its last command asks, or ends the walk.
    commands: tuple[talk.Command, ...]
    cues: tuple[Cue, ...] = ()
    #: What has been told of the way so far: node and key of each step.
    path: tuple[tuple[str, str], ...] = ()

    @property
    def keys(self) -> list[str]:
        """What he keys, question by question; recordings are not among them."""
        return [cue.keys for cue in self.cues if not cue.speech]

    @property
    def ended(self) -> bool:
        """The walk is over: the dialplan has him."""
        return not isinstance(self.commands[-1], ASKING) or isinstance(self.commands[-1], talk.Finish)

    @property
    def lasts(self) -> bool:
        """Somebody can be met here: he is asked, he is recorded, or the dialogue is over for him."""
        return self.ended or isinstance(self.commands[-1], talk.Ask | talk.Record)


#: A dialled number with each kind of caller, without anything else.
MENUS = (
    World("a customer", "entry", KNOWN_ANI, "1860", orders=(ORDER,)),
    World("a stranger", "entry", ANI, "1861"),
    World("a withheld number", "entry", "", "1899"),
)
#: Every other beginning.
OVERFLOWS = (
    World("all busy", "entry", ANI, overflows=True, menu_keys="1"),
    World("an open callback", "entry", overflows=True, existing=True, menu_keys="1"),
    World("closed hours", "entry", ANI, overflows=True, closed=True, menu_keys="1"),
    World("announcements", "entry", ANI, announced=True, menu_keys="10#"),
    World("key 1", "overflow", ANI, key="1"),
    World("key 2", "overflow", ANI, key="2"),
    World("time over", "overflow", ANI),
    World("time over, an open callback", "overflow", existing=True),
    World("a withheld number, time over", "overflow", ""),
    World("says nothing", "overflow", ANI, key="1", says=SILENCE),
    World("the talk is over", "survey"),
)
WORLDS = (*MENUS, *OVERFLOWS)


def places(world: World, tree: Tree | None = None, *, quick: bool = False) -> Iterator[Place]:
    """Every place of a world, nearest first, in these menus or the shipped ones.

    `quick`: where a key and silence lead to the same place, the way there is by the key.
    """
    seen: set[tuple[object, ...]] = set()
    menus, begun = _begin(world, tree or shipped_tree())
    ahead: list[tuple[flow.State | None, State, talk.Input, Place]] = [
        (menus, begun, talk.Started(), Place(world, begun, ()))
    ]
    while ahead:
        menus, state, given, before = ahead.pop(0)
        menus, state, commands = _step(world, menus, state, given)
        assert not any(isinstance(command, ASKING) for command in commands[:-1]), "only the last command asks"
        if _same(state) in seen:
            continue
        seen.add(_same(state))
        place = Place(world, state, commands, before.cues, (*before.path, *_told_of(commands)))
        yield place
        if not place.ended:
            answers = _answers(world, state, commands[-1])
            if quick:
                answers.sort(key=lambda answer: answer[0] == talk.Keyed(""))
            ahead += [(menus, state, answer, replace(place, cues=(*place.cues, *cue))) for answer, cue in answers]


def _told_of(commands: tuple[talk.Command, ...]) -> list[tuple[str, str]]:
    told = [dict(each.headers) for each in commands if isinstance(each, talk.Tell) and each.event == "CtiStep"]
    return [(headers["Node"], headers["Key"]) for headers in told]


def _begin(world: World, tree: Tree) -> tuple[flow.State | None, State]:
    if world.step == "survey":
        return None, survey.begin(tree.terms.survey)
    if world.step == "entry":
        begun = flow.begin(tree, world.ani, world.dnis, announces=world.announced, overflows=world.overflows)
        return begun, begun
    return None, overflow.left_queue(
        tree.terms,
        world.ani,
        "zh",
        queue="complaint",
        priority=2,
        reason="complaint",
        key=world.key,
        timed_out=not world.key,
    )


def _step(
    world: World, menus: flow.State | None, state: State, given: talk.Input
) -> tuple[flow.State | None, State, tuple[talk.Command, ...]]:
    """One step, and on from the menus into the overflow dialogue and back where that is what it says."""
    match state:
        case survey.State():
            ended, commands = survey.step(state, given)
            return None, ended, commands
        case flow.State():
            menus, commands = flow.step(state, given)
            if not isinstance(commands[-1], talk.Overflow):
                return menus, menus, commands
            arrived = overflow.arrive(menus.tree.terms, world.ani, menus.lang, commands[-1])
            choosing, more = overflow.step(arrived, talk.Started())
            return menus, choosing, (*commands[:-1], *more)
    chosen, commands = overflow.step(state, given)
    if not isinstance(commands[-1], talk.Resume):
        return menus, chosen, commands
    assert menus is not None, "only who came from the menus is sent back"
    menus, more = flow.resume(menus, commands[-1].node)
    return menus, menus, (*commands[:-1], *more)


def _answers(world: World, state: State, command: talk.Command) -> list[tuple[talk.Input, tuple[Cue, ...]]]:
    """What may follow a question, and what the caller does for it."""
    if isinstance(command, talk.Ask):
        in_menus = isinstance(state, flow.State) and bool(world.menu_keys)
        one = ("", *(world.menu_keys if in_menus else "0123456789*#"))
        choices = one if command.max_keys == 1 else ("", "#", "0", "*", f"{world.valid}#", f"{OTHER_NUMBER}#")
        return [(talk.Keyed(keys.removesuffix("#") or keys), (Cue(heard(state, command), keys),)) for keys in choices]
    if isinstance(command, talk.Record):
        loud = 0.0 if world.says == SILENCE else 4.0
        return [(talk.Recorded(4.0, loud), (Cue("beep", "#", world.says),))]
    return [(_told(world, command), ())]


def heard(state: State, ask: talk.Ask) -> str:
    """The prompt by which a question is known: its first, or the offer that follows what is said of the queue."""
    offered = isinstance(state, choice.State) and state.phase is choice.Phase.OFFER
    return ask.prompts[-1 if offered else 0]


def _told(world: World, command: talk.Command) -> talk.Input:
    match command:
        case talk.AwaitCaller():
            return talk.Caller(KNOWN if world.known else NOBODY)
        case talk.FindOrder(serial):
            return talk.Found(world.order) if serial == world.valid else talk.Wrong()
        case talk.FindCallback(number):
            return talk.Callback(BOOKED_BEFORE if world.existing and number == world.ani else None)
        case talk.AskAnnouncements():
            return talk.Announced((ANNOUNCEMENT,))
        case talk.CheckNumber(number):
            return talk.Callback(None) if may_dial(number) else talk.Wrong()
    plain: dict[type[talk.Command], talk.Input] = {
        talk.CheckOpen: talk.Open(not world.closed),
        talk.Identify: talk.Caller(NOBODY),
        talk.FindOrders: talk.Orders(world.orders),
        talk.LookAtFloor: BUSY,
        talk.Keep: talk.Kept("260310017"),
        talk.ListWindows: talk.Windows(world.windows),
        talk.Book: talk.BookedAt(Booked("500000017", "callback-window-asap")),
        talk.CancelCallback: talk.Did(done=True),
        talk.TakeOver: talk.Did(done=True),
    }
    return plain[type(command)]


def _same(state: State) -> tuple[object, ...]:
    """Two states with the same of this are one place."""
    match state:
        case flow.State():
            node = state.phase, state.node, state.lang, min(state.errors, 2), state.intent
            return *node, state.identified, bool(state.heard)
        case choice.State():
            asked = state.phase, min(state.errors, 1), min(state.takes, 2), state.bad_takes, state.may_record
            return *asked, bool(state.window), state.number != state.ani
    return state.errors, state.done


def nodes_walked() -> set[str]:
    """Tables of menus.toml that some walk comes to."""
    found = (place.state for world in WORLDS for place in places(world))
    return {state.node for state in found if isinstance(state, flow.State)}


def menu_tables() -> set[str]:
    """Tables of menus.toml at which a caller is asked."""
    return {name for name, node in shipped_tree().nodes.items() if isinstance(node, Menu)}
