"""Whether a regular expression can take more than linear time in a text's length: read from its parsed form. Pure.

Three shapes do, and are told: a repetition inside a repetition with nothing between that says where one round ends; two
repetitions side by side that take the same characters; a repeated choice of which two ways begin alike. Repetitions of
at most `FEW` rounds count as none. Careful in one direction: what is told may still be harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]
from typing import Any, Final

FEW: Final = 20
#: characters by which two sets are compared: all of Latin, and one of each kind that a set may name
ALPHABET: Final = "".join(map(chr, range(0x180))) + "\u0661\u2028\u3000\ufeff\uff11王①\U0001f600"
_REPEATS: Final = frozenset({_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT})
_ONE: Final = frozenset({_constants.LITERAL, _constants.NOT_LITERAL, _constants.ANY, _constants.IN})
#: take no character
_NONE: Final = frozenset({_constants.AT, _constants.ASSERT, _constants.ASSERT_NOT})

Node = tuple[Any, Any]
Chars = frozenset[str]


def faults(pattern: re.Pattern[str] | re.Pattern[bytes]) -> list[str]:
    """What may take more than linear time, in words."""
    text = pattern.pattern
    tree = _parser.parse(text, pattern.flags & ~re.DEBUG)
    return list(_Reader(tree.state).sequence(list(tree)))


class _Reader:
    def __init__(self, state: Any) -> None:
        self._state = state

    def sequence(self, nodes: list[Node]) -> Iterator[str]:
        """Faults of these nodes one after the other."""
        open_ones: list[Chars] = []
        for node in nodes:
            if _many(node):
                if any(self.first([node]) & before for before in open_ones):
                    yield "two repetitions side by side take the same characters"
                open_ones.append(self.chars([node]))
                yield from self._repeated(_body(node))
            elif not self.nullable([node]):
                between = self.chars([node])
                open_ones = [before for before in open_ones if between & before]
            for inner in _inner(node):
                yield from self.sequence(inner)

    def _repeated(self, body: list[Node]) -> Iterator[str]:
        for inner, separators in self._repetitions(body, []):
            if all(separator & self.chars([inner]) for separator in separators):
                yield "a repetition inside a repetition, without a sign between the rounds"
        for ways in _choices(body):
            firsts = [self.first(way) for way in ways]
            if any(one & other for at, one in enumerate(firsts) for other in firsts[:at]):
                yield "a repeated choice of which two ways begin alike"

    def _repetitions(self, nodes: list[Node], around: list[Chars]) -> Iterator[tuple[Node, list[Chars]]]:
        """Repetitions at any depth, each with what must stand beside it in a round."""
        flat = list(_flat(nodes))
        beside = around + [self.chars([node]) for node in flat if not _many(node) and not self.nullable([node])]
        for node in flat:
            if _many(node):
                yield node, beside
            else:
                outside = beside if self.nullable([node]) else [*around, *(_without(beside, self.chars([node])))]
                for inner in _inner(node):
                    yield from self._repetitions(inner, outside)

    def chars(self, nodes: list[Node]) -> Chars:
        """Every character that may be among what they take."""
        found: set[str] = set()
        for node in nodes:
            if node[0] in _ONE:
                found |= self._one(node)
            elif node[0] is _constants.GROUPREF:
                found |= set(ALPHABET)
            elif node[0] not in _NONE:
                for inner in _inner(node):
                    found |= self.chars(inner)
        return frozenset(found)

    def first(self, nodes: list[Node]) -> Chars:
        """Every character they may begin with."""
        found: set[str] = set()
        for node in nodes:
            if node[0] in _ONE:
                found |= self._one(node)
            elif node[0] not in _NONE:
                for inner in _inner(node):
                    found |= self.first(inner)
            if not self.nullable([node]):
                break
        return frozenset(found)

    def nullable(self, nodes: list[Node]) -> bool:
        """Whether they may take nothing at all."""
        return all(self._empty(node) for node in nodes)

    def _empty(self, node: Node) -> bool:
        kind, value = node
        if kind in _NONE:
            return True
        if kind in _REPEATS:
            return value[0] == 0 or self.nullable(list(value[2]))
        if kind is _constants.BRANCH:
            return any(self.nullable(list(way)) for way in value[1])
        return kind not in _ONE and all(self.nullable(inner) for inner in _inner(node))

    def _one(self, node: Node) -> Chars:
        one = _compiler.compile(_parser.SubPattern(self._state, [node]), self._state.flags)
        return frozenset(char for char in ALPHABET if one.fullmatch(char) is not None)


def _without(all_of_them: list[Chars], one: Chars) -> list[Chars]:
    """A node is no separator of what stands inside it."""
    left = list(all_of_them)
    left.remove(one)
    return left


def _many(node: Node) -> bool:
    return node[0] in _REPEATS and node[1][1] > FEW


def _body(node: Node) -> list[Node]:
    return list(_flat(list(node[1][2])))


def _flat(nodes: list[Node]) -> Iterator[Node]:
    for node in nodes:
        if node[0] is _constants.SUBPATTERN:
            yield from _flat(list(node[1][3]))
        else:
            yield node


def _inner(node: Node) -> list[list[Node]]:
    """What stands inside: of a group, a repetition, each way of a choice."""
    kind, value = node
    if kind in _REPEATS:
        return [list(value[2])]
    if kind is _constants.SUBPATTERN:
        return [list(value[3])]
    if kind is _constants.BRANCH:
        return [list(way) for way in value[1]]
    if kind in {_constants.ASSERT, _constants.ASSERT_NOT}:
        return [list(value[1])]
    if kind is _constants.ATOMIC_GROUP:
        return [list(value)]
    return []


def _choices(nodes: list[Node]) -> Iterator[list[list[Node]]]:
    for node in nodes:
        if node[0] is _constants.BRANCH:
            yield [list(way) for way in node[1][1]]
