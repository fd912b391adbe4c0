"""Reads Asterisk's configuration files as Asterisk does: sections, templates, includes, comments, escapes.

For checking, not for writing: what an administrator wrote stays as he wrote it. Pure but for the reader it is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

#: text of a file named as in the folder of configurations, or None when there is no such file
Reader = Callable[[str], str | None]

_SECTION: Final = re.compile(r"^\[([^\]]*)\]\s*(?:\(([^)]*)\))?\s*$")
_DIRECTIVE: Final = re.compile(r"^#\s*(include|tryinclude|exec)\s+(.+)$")
_MAX_DEPTH: Final = 10


class ConfError(ValueError):
    """A file cannot be read as Asterisk configuration."""

    def __init__(self, file: str, line: int, why: str) -> None:
        super().__init__(f"{file}:{line}: {why}")
        self.file, self.line, self.why = file, line, why


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key = value` (or `key => value`)."""

    key: str
    value: str
    file: str
    line: int


@dataclass(slots=True)
class Section:
    """One `[name]` as written, before templates are applied."""

    name: str
    file: str
    line: int
    template: bool = False
    parents: tuple[str, ...] = ()
    #: `(+)`: its entries belong to the earlier section of that name
    added: bool = False
    entries: list[Entry] = field(default_factory=list)


@dataclass(slots=True)
class Conf:
    """One configuration file with everything it includes."""

    name: str
    sections: list[Section] = field(default_factory=list)

    def named(self, name: str) -> list[Section]:
        """Sections of one name, in order (pjsip.conf has several)."""
        return [section for section in self.sections if section.name == name]

    def names(self) -> list[str]:
        """Names of the sections that are not templates, each once, in order."""
        return list(dict.fromkeys(s.name for s in self.sections if not s.template and not s.added))

    def effective(self, section: Section) -> list[Entry]:
        """Entries of a section with its templates' first and what is added by `(+)` last."""
        entries: list[Entry] = []
        for parent in section.parents:
            for template in self.named(parent)[:1]:
                entries.extend(self.effective(template))
        entries.extend(section.entries)
        same = self.named(section.name)
        if same and same[0] is section:
            entries.extend(entry for more in same if more.added for entry in more.entries)
        return entries

    def options(self, name: str) -> dict[str, Entry]:
        """Last entry of each key of the section called `name`, keys in lower case; empty when there is none."""
        found = [section for section in self.named(name) if not section.added][:1]
        return {entry.key.lower(): entry for section in found for entry in self.effective(section)}


def folder_reader(folder: Path) -> Reader:
    """Reads from a folder; absolute names are read as they are."""

    def read(name: str) -> str | None:
        try:
            return (folder / name).read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, IsADirectoryError):
            return None

    return read


def read(name: str, reader: Reader) -> Conf:
    """Parses one file. Raises ConfError with file and line: missing include, text outside a section, bad header."""
    conf = Conf(name)
    text = reader(name)
    if text is None:
        raise ConfError(name, 0, "there is no such file")
    _parse(conf, name, text, reader, 0)
    return conf


def _parse(conf: Conf, name: str, text: str, reader: Reader, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise ConfError(name, 1, f"includes are nested more than {_MAX_DEPTH} deep (does a file include itself?)")
    for number, line in _lines(name, text):
        if (directive := _DIRECTIVE.match(line)) is not None:
            _include(conf, directive, (name, number), reader, depth)
        elif line.startswith("["):
            conf.sections.append(_section(conf, line, name, number))
        elif not conf.sections:
            raise ConfError(name, number, f"`{line}` stands before the first [section]")
        else:
            conf.sections[-1].entries.append(_entry(line, name, number))


def _lines(name: str, text: str) -> Iterator[tuple[int, str]]:
    """Non-empty lines without comments: `;` to the end unless escaped, `;--` to `--;` over several lines."""
    depth = 0
    for number, raw in enumerate(text.split("\n"), 1):
        kept, depth = _without_comment(raw, depth)
        if stripped := kept.strip():
            yield number, stripped
    if depth:
        raise ConfError(name, text.count("\n") + 1, "a block comment `;--` is never closed by `--;`")


def _without_comment(raw: str, depth: int) -> tuple[str, int]:
    kept, at = [], 0
    while at < len(raw):
        rest = raw[at:]
        if rest.startswith(";--") and not rest.startswith(";---"):
            depth, at = depth + 1, at + 3
        elif depth:
            closed = rest.startswith("--;")
            depth, at = depth - closed, at + (3 if closed else 1)
        elif rest.startswith("\\;"):
            kept.append(";")
            at += 2
        elif rest.startswith(";"):
            break
        else:
            kept.append(raw[at])
            at += 1
    return "".join(kept), depth


def _include(conf: Conf, directive: re.Match[str], at: tuple[str, int], reader: Reader, depth: int) -> None:
    kind, target = directive[1], directive[2].strip().strip('"<>')
    if kind == "exec":
        raise ConfError(*at, "#exec runs a program while Asterisk starts: not allowed here")
    text = reader(target)
    if text is not None:
        _parse(conf, target, text, reader, depth + 1)
    elif kind == "include":
        raise ConfError(*at, f"includes {target}, which does not exist")


def _section(conf: Conf, line: str, name: str, number: int) -> Section:
    match = _SECTION.match(line)
    if match is None:
        raise ConfError(name, number, f"`{line}` is not a section header")
    section = Section(match[1].strip(), name, number)
    parents = []
    for option in filter(None, (part.strip() for part in (match[2] or "").split(","))):
        if option == "!":
            section.template = True
        elif option == "+":
            section.added = True
            if not conf.named(section.name):
                raise ConfError(name, number, f"adds to [{section.name}], which is not defined above")
        elif conf.named(option):
            parents.append(option)
        else:
            raise ConfError(name, number, f"[{section.name}] is based on [{option}], which is not defined above")
    section.parents = tuple(parents)
    return section


def _entry(line: str, name: str, number: int) -> Entry:
    key, equals, value = line.partition("=")
    if not equals:
        raise ConfError(name, number, f"`{line}` has no `=`")
    return Entry(key.strip(), value.removeprefix(">").strip(), name, number)
