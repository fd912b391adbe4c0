"""Loads the menu tree from ivr/data, checks it, and takes up a changed one only when it is sound (TL-03)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ivr.files import (
    CalendarTable,
    DnisFile,
    HoursFile,
    MenusFile,
    OverflowFile,
    RoutingFile,
    RuleTable,
)
from ivr.model import (
    Calendar,
    Entry,
    Key,
    LanguageKey,
    Line,
    LookUp,
    Menu,
    Node,
    Route,
    Routing,
    Rule,
    Settings,
    StateWords,
    Survey,
    Terms,
    Text,
    Tree,
)
from ivr.prompts import Finding, Manifest
from ivr.source import Source
from ivr.treecheck import FileName, Files, check_tree

DATA: Final = Path(__file__).parent / "data"
FILES: Final[tuple[FileName, ...]] = ("menus", "dnis", "routing", "hours", "overflow")


@dataclass(frozen=True)
class Loaded:
    """What became of the files: a tree, or what is wrong with them."""

    tree: Tree | None
    findings: tuple[Finding, ...]


class BrokenMenus(Exception):
    """The menus cannot be used; `findings` names file, line, reason and remedy."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


def load(manifest: Manifest, folder: Path = DATA) -> Loaded:
    """Read and check all five files; every fault is found, not only the first."""
    findings: list[Finding] = []
    sources: dict[str, Source] = {name: Source(folder / f"{name}.toml") for name in FILES}
    menus = sources["menus"].read(MenusFile, findings)
    dnis = sources["dnis"].read(DnisFile, findings)
    routing = sources["routing"].read(RoutingFile, findings)
    hours = sources["hours"].read(HoursFile, findings)
    overflow = sources["overflow"].read(OverflowFile, findings)
    if menus is None or dnis is None or routing is None or hours is None or overflow is None:
        return Loaded(None, tuple(findings))
    files = Files(sources, menus, dnis, routing, hours, overflow, manifest)
    check_tree(files, findings)
    if findings:
        return Loaded(None, tuple(findings))
    return Loaded(_tree(files), ())


class Menus:
    """The tree new calls begin with. A reload that finds a fault keeps the old one (TL-03)."""

    def __init__(self, manifest: Manifest, folder: Path = DATA) -> None:
        """Raises `BrokenMenus`: without a tree there is nothing to start with."""
        self._folder = folder
        loaded = load(manifest, folder)
        if loaded.tree is None:
            raise BrokenMenus(loaded.findings)
        self._tree = loaded.tree

    @property
    def tree(self) -> Tree:
        return self._tree

    def reload(self, manifest: Manifest) -> tuple[Finding, ...]:
        """Take up the files as they are now; what is wrong with them, if the old tree was kept."""
        loaded = load(manifest, self._folder)
        if loaded.tree is not None:
            self._tree = loaded.tree
        return loaded.findings


def _text(table: object) -> Text:
    return {"zh": getattr(table, "zh"), "en": getattr(table, "en")}  # noqa: B009  # pydantic models of several kinds


def _nodes(menus: MenusFile) -> Mapping[str, Node]:
    nodes: dict[str, Node] = {}
    for name, menu in menus.menu.items():
        keys = {digit: Key(key.go, _text(key)) for digit, key in menu.keys.items()}
        prompts = tuple(menu.prompts)
        nodes[name] = Menu(name, prompts, tuple(menu.again or prompts), menu.back, _text(menu), keys)
    for name, entry in menus.entry.items():
        nodes[name] = Entry(
            name,
            entry.kind,
            tuple(entry.prompts),
            entry.wrong,
            entry.unknown,
            entry.max_keys,
            entry.back,
            entry.result,
            _text(entry),
        )
    for name, look_up in menus.look_up.items():
        nodes[name] = LookUp(name, look_up.kind, look_up.back, look_up.result)
    for name, route in menus.route.items():
        nodes[name] = Route(name, route.intent, frozenset(route.identify))
    return nodes


def _rule(rule: RuleTable) -> Rule:
    return Rule(
        rule.code,
        frozenset(rule.intents),
        frozenset(rule.when),
        rule.queue,
        rule.priority,
        rule.say,
        _text(rule),
    )


def _routing(routing: RoutingFile) -> Routing:
    rules = tuple(map(_rule, routing.rule))
    reasons = {rule.code: rule.text for rule in rules} | {code: _text(said) for code, said in routing.reason.items()}
    say = {name: intent.say for name, intent in routing.intent.items()}
    return Routing(rules, say, routing.settings.manager_routing, reasons)


def _calendar(name: str, table: CalendarTable) -> Calendar:
    week = tuple(map(tuple, (table.mon, table.tue, table.wed, table.thu, table.fri, table.sat, table.sun)))
    return Calendar(name, table.zone, week, tuple(table.holidays), frozenset(table.workdays), tuple(table.makeup))


def _terms(table: OverflowFile) -> Terms:
    choice, record = table.choice, table.record
    return Terms(
        tries=choice.tries,
        wait_s=choice.wait_s,
        limit_s=record.limit_s,
        silence_s=record.silence_s,
        shortest_s=record.shortest_s,
        speech_s=record.speech_s,
        record_tries=record.tries,
        max_takes=record.max_takes,
        intro=dict(record.intro),
        max_windows=table.callback.max_windows,
        max_keys=table.callback.max_keys,
        progress=table.closed.progress,
        survey=Survey(table.survey.tries, table.survey.wait_s, dict(table.survey.answer)),
    )


def _tree(files: Files) -> Tree:
    menus, dnis = files.menus, files.dnis
    lines = {
        number: Line(number, _text(line), line.greeting, tuple(line.languages), line.menu)
        for number, line in dnis.line.items()
    }
    return Tree(
        settings=Settings(menus.settings.tries, menus.settings.wait_s, menus.settings.max_asks),
        nodes=_nodes(menus),
        language_keys={lang: LanguageKey(table.key, table.prompt) for lang, table in menus.language.items()},
        lines=lines,
        unknown_greeting=dnis.unknown.greeting,
        unknown_language=dnis.unknown.language,
        routing=_routing(files.routing),
        states={code: StateWords(state.say, state.next) for code, state in menus.state.items()},
        calendars={name: _calendar(name, table) for name, table in files.hours.calendar.items()},
        queue_calendar=dict(files.hours.queue),
        seconds={key: prompt.seconds for key, prompt in files.manifest.prompts.items()},
        terms=_terms(files.overflow),
    )
