"""Every dialogue as a table: what a caller hears, and what is done, for each answer at each question.

`python -m tests.ivr.dialogues > tests/data/dialogues.txt` writes it anew; the difference is for reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from ivr import callback, choice, flow, overflow, survey
from ivr.model import Rule
from ivr.ports import Booked, CallerContext, Progress
from ivr.talk import (
    Announced,
    BookedAt,
    Callback,
    Caller,
    Did,
    Failed,
    Floor,
    Found,
    Kept,
    Keyed,
    Open,
    Orders,
    Overflow,
    Recorded,
    Started,
    Tell,
    Windows,
    Wrong,
)
from tests.ivr.fakes import shipped_tree
from tests.ivr.overflow_fakes import BOOKED_BEFORE, WINDOWS

TREE: Final = shipped_tree()
TERMS: Final = TREE.terms
ANI: Final = "13800001111"
#: what is never shown: the data the dialogues go by
_GIVEN: Final = frozenset({"tree", "terms"})
KEYS: Final = ("", "0", "1", "2", "3", "4", "*", "#", "7")


@dataclass(frozen=True)
class Scene:
    """A place in a dialogue: how a caller came there, and the answers he may give."""

    title: str
    step: Callable[[Any, Any], tuple[Any, tuple[Any, ...]]]
    start: Any
    #: answers before, a text is what is keyed
    walk: Sequence[Any]
    answers: Sequence[Any]
    #: changes of the state he comes with
    given: Any = None


def _shown(value: Any) -> str:
    """A value in few words."""
    if isinstance(value, Keyed):
        return f"keys {value.keys!r}"
    if isinstance(value, Tell):
        return f"{value.event} {' '.join(f'{name}={text}' for name, text in value.headers)}"
    if isinstance(value, tuple):
        return f"[{' '.join(map(_shown, value))}]"
    if isinstance(value, Rule):
        return value.code
    if hasattr(value, "__dataclass_fields__"):
        inner = " ".join(_shown(getattr(value, each.name)) for each in fields(value))
        return f"{type(value).__name__}({inner})"
    return str(value) if value != "" else "-"


def _changed(before: Any, after: Any) -> str:
    """What became of the state."""
    names = [each.name for each in fields(after) if each.name not in _GIVEN]
    pairs = [(name, getattr(after, name)) for name in names if getattr(before, name) != getattr(after, name)]
    return " ".join(f"{name}={_shown(value)}" for name, value in pairs)


def _input(answer: Any) -> Any:
    return Keyed(answer) if isinstance(answer, str) else answer


def lines(scene: Scene) -> Iterator[str]:
    """The scene's part of the table."""
    yield f"== {scene.title}"
    state = scene.start
    for answer in (Started(), *map(_input, scene.walk)):
        state, said = scene.step(state, answer)
        here = " ".join(map(_shown, said))
    state = replace(state, **scene.given) if scene.given else state
    yield f"   {here}"
    for answer in map(_input, scene.answers):
        try:
            after, done = scene.step(state, answer)
        except LookupError as refusal:
            yield f"{_shown(answer)} -> refused: {refusal}"
            continue
        yield f"{_shown(answer)} -> {' '.join(map(_shown, done))} | {_changed(state, after)}"


BUSY: Final = Floor(all_busy=True, place=2, wait_s=190, may_record=True)
FREE: Final = replace(BUSY, all_busy=False)
NO_DISK: Final = replace(BUSY, may_record=False)
GOOD: Final = Recorded(4.0, 3.0)
OPEN: Final = Callback(BOOKED_BEFORE)
TIMES: Final = Windows(WINDOWS)
DID: Final = (Did(True), Did(False), Failed())
FLOORS: Final = (BUSY, FREE, NO_DISK, Floor(True, None, None, True), Floor(True, 1, -1, True), Floor(True, 0, 0, False))


def _from(origin: str, ani: str = ANI) -> choice.State:
    where: Any = origin
    return overflow.arrive(TERMS, ani, "zh", Overflow(where, "complaint", 4, "vip", "to-complaint"))


def _left(key: str = "", *, timed_out: bool = True, ani: str = ANI) -> choice.State:
    return overflow.left_queue(
        TERMS, ani, "en", queue="suggestion", priority=2, reason="person", key=key, timed_out=timed_out
    )


def overflows() -> Iterator[Scene]:
    """Nobody is free, or nobody is there."""
    step = overflow.step
    later = overflow.other_time(TERMS, "en", number=ANI, queue="senior", priority=9)
    tired = {"asks": choice.MAX_ASKS}
    nearly = {"asks": choice.MAX_ASKS - 1}
    last = {"errors": TERMS.tries - 1}
    yield Scene("arrival", step, _from("arrival"), (), (Callback(None), OPEN, Wrong(), Failed(), BUSY, "1"))
    yield Scene("arrival, number withheld", step, _from("arrival", ""), (), (*FLOORS, "1", Failed()))
    yield Scene("arrival, known", step, _from("arrival"), (Callback(None),), FLOORS)
    yield Scene("closed", step, _from("closed"), (), FLOORS)
    yield Scene("left the queue, time over", step, _left(), (), FLOORS)
    yield Scene("left the queue, not taken", step, _left(timed_out=False), (), (BUSY, FREE))
    for key in ("1", "2", "3", "#", "7"):
        yield Scene(f"left the queue by {key}", step, _left(key), (), (BUSY, NO_DISK))
    yield Scene("short offer", step, _from("arrival"), (Callback(None), BUSY), KEYS)
    yield Scene("short offer, no disk", step, _from("arrival"), (Callback(None), NO_DISK), ("1", "2", ""))
    yield Scene("choice", step, _left(), (BUSY,), KEYS)
    yield Scene("choice, no disk", step, _left(), (NO_DISK,), ("1", "2", "#"))
    yield Scene("choice, last try", step, _left(), (BUSY,), ("", "7", "2"), last)
    yield Scene("choice, asked too often", step, _left(), (BUSY,), ("#", "7"), tired)
    yield Scene("choice, asked nearly too often", step, _left(), (BUSY,), ("#",), nearly)
    yield Scene("closed menu", step, _from("closed"), (BUSY,), KEYS)
    yield Scene("closed menu, no disk", step, _from("closed"), (NO_DISK,), ("1", "2", "#"))
    yield Scene("closed menu, last try", step, _from("closed"), (BUSY,), ("", "7", "1"), last)
    yield Scene("closed menu, asked too often", step, _from("closed"), (BUSY,), ("#", "7"), tired)
    limit = replace(GOOD, at_limit=True)
    takes = (GOOD, limit, Recorded(4.0, 0.0), Recorded(1.0, 1.0), Failed(), "1")
    edges = (
        Recorded(TERMS.shortest_s, TERMS.speech_s),
        Recorded(TERMS.shortest_s - 0.1, TERMS.speech_s),
        Recorded(9.0, TERMS.speech_s - 0.1),
    )
    for title, start in (("after the queue", _left("1")), ("closed", _from("closed"))):
        walk: tuple[Any, ...] = (BUSY,) if title != "closed" else (BUSY, "1")
        yield Scene(f"recording, {title}", step, start, walk, (*takes, *edges))
        yield Scene(
            f"recording, {title}, last bad one", step, start, walk, takes, {"bad_takes": TERMS.record_tries - 1}
        )
        yield Scene(f"recording, {title}, last one", step, start, walk, takes, {"takes": TERMS.max_takes})
        yield Scene(f"recorded, {title}", step, start, (*walk, GOOD), KEYS)
        yield Scene(f"recorded to the limit, {title}", step, start, (*walk, limit), ("", "#", "7", "2"))
        yield Scene(f"recorded, {title}, last try", step, start, (*walk, limit), ("", "7", "#"), last)
        yield Scene(
            f"keeping, {title}", step, start, (*walk, GOOD, "#"), (Kept("260310017"), Kept(None), Failed(), "1")
        )
    yield Scene("recording a suggestion", step, replace(_from("closed"), queue="suggestion"), (BUSY,), ("1",))
    yield from bookings(later, last, tired)


def bookings(later: choice.State, last: dict[str, int], tired: dict[str, int]) -> Iterator[Scene]:
    """The callback: one that is open, number, time, confirmation."""
    step = overflow.step
    starts = {"after the queue": (_left("2"), (BUSY,)), "closed": (_from("closed"), (BUSY, "2"))}
    for title, (start, walk) in starts.items():
        yield Scene(f"callback, {title}", step, start, walk, (Callback(None), OPEN, Wrong(), Failed(), "1"))
        yield Scene(f"open callback, {title}", step, start, (*walk, OPEN), KEYS)
        yield Scene(f"open callback, {title}, last try", step, start, (*walk, OPEN), ("", "7"), last)
        yield Scene(f"taking over, {title}", step, start, (*walk, OPEN, *("1",) * (title != "closed")), (*DID, "1"))
        yield Scene(f"cancelling, {title}", step, start, (*walk, OPEN, "2"), (*DID, "1"))
        number = (*walk, Callback(None))
        yield Scene(f"number, {title}", step, start, number, KEYS)
        yield Scene(f"number, {title}, last try", step, start, number, ("", "7", "1", "2"), last)
        yield Scene(f"number, {title}, asked too often", step, start, number, ("#", "7", "2"), tired)
        other = (*number, "2")
        keyed = ("", "#", "*", "01088886666", "010*", "12345678")
        yield Scene(f"other number, {title}", step, start, other, keyed)
        yield Scene(f"other number, {title}, last try", step, start, other, keyed[:4], last)
        yield Scene(f"checking, {title}", step, start, (*other, "01088886666"), (Callback(None), Wrong(), Failed()))
        yield Scene(f"checking, {title}, last try", step, start, (*other, "010"), (Callback(None), Wrong()), last)
        times = (*number, "1")
        some = (Windows(()), Windows(WINDOWS[:1]), Windows(WINDOWS[1:]), Windows(WINDOWS * 3), Failed(), "1")
        yield Scene(f"times, {title}", step, start, times, (TIMES, *some))
        yield Scene(f"when, {title}", step, start, (*times, TIMES), KEYS)
        yield Scene(f"when, {title}, last try", step, start, (*times, TIMES), ("", "7", "2"), last)
        yield Scene(f"picking, {title}", step, start, (*times, TIMES, "2"), KEYS)
        yield Scene(f"picking without the first, {title}", step, start, (*times, Windows(WINDOWS[1:])), KEYS)
        yield Scene(f"picking, {title}, last try", step, start, (*times, TIMES, "2"), ("", "7", "1"), last)
        sure = (*times, TIMES, "1")
        yield Scene(f"confirming, {title}", step, start, sure, KEYS)
        yield Scene(f"confirming the only time, {title}", step, start, (*times, Windows(())), KEYS)
        yield Scene(f"confirming, {title}, last try", step, start, sure, ("", "7", "1"), last)
        yield Scene(f"booking, {title}", step, start, (*sure, "1"), (BookedAt(Booked("5", "w")), Failed(), "1"))
    withheld = (BUSY, "2", "010", Wrong())
    yield Scene("callback, number withheld", step, _from("closed", ""), (BUSY, "2"), ("*", "", "01088886666"))
    yield Scene("callback, number withheld, a wrong one", step, _from("closed", ""), withheld, ("*", "7"))
    yield Scene("callback, withheld after the queue", step, _left("2", ani=""), (BUSY,), ("*", "010"))
    yield Scene("open callback at arrival", step, _from("arrival"), (OPEN,), KEYS)
    yield Scene("taking over at arrival", step, _from("arrival"), (OPEN, "1"), DID)
    yield Scene("taking over with more than the booking had", step, _from("arrival"), (OPEN, "1"), DID, {"priority": 2})
    yield Scene("cancelling at arrival", step, _from("arrival"), (OPEN, "2"), DID)
    yield Scene("another time", step, later, (), (TIMES, Windows(()), Failed()))
    yield Scene("another time, chosen", step, later, (TIMES, "1", "1"), (BookedAt(Booked("5", "w")), Failed()))


NOBODY: Final = Caller(CallerContext("unknown"))
ONE: Final = Caller(CallerContext("one", customer="c1", repeat=True))
VIP: Final = Caller(CallerContext("one", customer="c2", vip_class="major"))
NUISANCE: Final = Caller(CallerContext("several", nuisance=True))
CALLERS: Final = (NOBODY, ONE, VIP, NUISANCE, Caller(CallerContext("withheld")), Failed())
GOING: Final = Progress("123456784", "IN_PROCESS", "IN_PROCESS", False, "1111")
OVER: Final = Progress("123456792", "CLOSED", None, False, None)
ODD: Final = Progress("123456792", "no such state", None, False, None)


def menus() -> Iterator[Scene]:
    """The entry menus as they are shipped."""
    step = flow.step
    plain = flow.begin(TREE, ANI, "1860")
    english = flow.begin(TREE, ANI, "1861", overflows=True)
    news = flow.begin(TREE, ANI, "1860", announces=True, overflows=True)
    lost = flow.begin(TREE, "", "99", announces=True)
    withheld = flow.begin(TREE, "", "1860")
    settings = TREE.settings
    last, tired = {"errors": settings.tries - 1}, {"asks": settings.max_asks}
    nearly = {"asks": settings.max_asks - 1}
    yield Scene("1860", step, plain, (), (*KEYS, "9", ONE))
    yield Scene("1860, last try", step, plain, (), ("", "7", "8", "1", "#"), last)
    yield Scene("1860, asked too often", step, plain, (), ("#", "7", "3", "8"), tired)
    yield Scene("1860, asked nearly too often", step, plain, (), ("#",), nearly)
    yield Scene("1861", step, english, (), (*KEYS, "8", "9"))
    yield Scene("1861, Chinese", step, english, ("8",), ("8", "9", "#", ""))
    yield Scene("unknown line", step, flow.begin(TREE, "", "99"), (), (*CALLERS, "1"))
    yield Scene("announcements", step, news, (), (Announced(()), Announced(("announcement-1", "announcement-2")), "1"))
    yield Scene("announcements on an unknown line", step, lost, (), (Announced(()), Announced(("announcement-1",))))
    heard = (Announced(("announcement-1",)),)
    yield Scene("announcement heard", step, news, heard, ("", "1", "7", "#", "0"))
    yield Scene("announcement heard, unknown line", step, lost, heard, ("", "1"))
    yield Scene("progress", step, plain, ("3",), KEYS)
    yield Scene("a standard", step, plain, ("4", "2"), KEYS)
    keyed = ("", "0", "*", "#", "12*", "123456784", "123456785")
    yield Scene("order number", step, plain, ("3", "1"), keyed)
    yield Scene("order number, last try", step, plain, ("3", "1"), ("", "#", "123456785"), last)
    yield Scene("order number, asked too often", step, plain, ("3", "1"), ("", "#"), tired)
    found = (Found(GOING), Found(OVER), Found(ODD), Found(None), Wrong(), Failed(), ONE)
    yield Scene("looking an order up", step, plain, ("3", "1", "123456784"), found)
    yield Scene("looking an order up, last try", step, plain, ("3", "1", "123456784"), found, last)
    yield Scene("after progress", step, plain, ("3", "1", "123456784", Found(GOING)), KEYS)
    orders = (
        Orders(()),
        Orders((GOING,)),
        Orders((GOING, OVER)),
        Orders((GOING,) * 6),
        Orders((ODD,)),
        Failed(),
        Wrong(),
    )
    yield Scene("orders of the calling number", step, plain, ("3", "2"), orders)
    yield Scene("orders of a withheld number", step, withheld, ("3", "2"), ("", "1"))
    for key, title in (("1", "complaint"), ("2", "suggestion"), ("0", "a person")):
        yield Scene(f"who asks for {title}", step, plain, (key,), (*CALLERS, "1", Wrong()))
    yield Scene("service number", step, plain, ("1", NOBODY), keyed)
    yield Scene("identifying", step, plain, ("1", NOBODY, "ADSL1"), (*CALLERS, Wrong(), Open(True)))
    yield Scene(
        "identifying a listed one", step, plain, ("1", NOBODY, "ADSL1"), (ONE, NOBODY), {"caller": NUISANCE.context}
    )
    for title, start in (("without overflow", plain), ("with overflow", english)):
        for who, caller in (("known", ONE), ("VIP", VIP), ("listed", NUISANCE), ("not looked up", Failed())):
            yield Scene(f"hours, {title}, {who}", step, start, ("2", caller), (Open(True), Open(False), "1"))
    state, told = flow.resume(plain, "progress")
    yield Scene("back from overflow", lambda *_: (state, told), plain, (), ())


def others() -> Iterator[Scene]:
    """The customer who is called back, and the grade."""
    called = callback.begin(TERMS, "en", queue="senior", priority=7, reason="callback")
    yield Scene("called back", callback.step, called, (), (*KEYS, Did(True)))
    yield Scene("called back, last try", callback.step, called, (), ("", "7", "1"), {"errors": 1})
    for key, title in (("1", "takes the call"), ("2", "puts it off"), ("3", "declines")):
        yield Scene(f"called back, {title}", callback.step, called, (key,), (*DID, "1"))
    graded = survey.begin(TERMS.survey)
    yield Scene("grade", survey.step, graded, (), (*KEYS, Did(True)))
    yield Scene("grade, last try", survey.step, graded, (), ("7", "1"), {"errors": TERMS.survey.tries - 1})
    yield Scene("grade, done", survey.step, graded, ("1",), ("1", Started()))


def scenes() -> dict[str, Scene]:
    """Every scene by its title, made anew."""
    every = [*menus(), *overflows(), *others()]
    found = {scene.title: scene for scene in every}
    assert len(found) == len(every), "two scenes of one title"
    return found


def written(scene: Scene) -> str:
    """The scene's part of the table, an empty line after each."""
    return "".join(f"{line}\n" for line in lines(scene))


if __name__ == "__main__":
    print("\n".join(map(written, scenes().values())), end="")
