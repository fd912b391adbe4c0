"""What the shape alone cannot show: names that lead nowhere, prompts that cannot be played, callers who get stuck."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ivr.files import DnisFile, HoursFile, MenusFile, OverflowFile, RoutingFile
from ivr.model import FLOW_PROMPTS, INTENTS, LANGUAGES, OVERFLOW_PROMPTS
from ivr.prompts import Finding, Manifest
from ivr.source import Source

FileName = Literal["menus", "dnis", "routing", "hours", "overflow"]
#: Where something stands: the file, and the path of table and key in it.
Where = tuple[FileName, tuple[str, ...]]


@dataclass(frozen=True)
class Files:
    """The files as they were read."""

    sources: Mapping[str, Source]
    menus: MenusFile
    dnis: DnisFile
    routing: RoutingFile
    hours: HoursFile
    overflow: OverflowFile
    manifest: Manifest

    def add(self, findings: list[Finding], where: Where, reason: str, remedy: str) -> None:
        self.sources[where[0]].add(findings, where[1], reason, remedy)


def check_tree(files: Files, findings: list[Finding]) -> None:
    """Add everything that is wrong across tables and files."""
    _names(files, findings)
    _prompts(files, findings)
    _keys(files, findings)
    _lines(files, findings)
    _routing(files, findings)
    _hours(files, findings)
    if not findings:
        _reach(files, findings)


def _nodes(menus: MenusFile) -> dict[str, str]:
    """Kind of every node by name; a name used twice keeps the first."""
    kinds: dict[str, str] = {}
    tables: dict[str, Mapping[str, object]] = {
        "menu": menus.menu,
        "entry": menus.entry,
        "look-up": menus.look_up,
        "route": menus.route,
    }
    for kind, table in tables.items():
        for name in table:
            kinds.setdefault(name, kind)
    return kinds


def _names(files: Files, findings: list[Finding]) -> None:
    menus = files.menus
    kinds = _nodes(menus)
    written = [("entry", name) for name in menus.entry] + [("look-up", name) for name in menus.look_up]
    for kind, name in (*written, *(("route", name) for name in menus.route)):
        if kinds[name] != kind:
            files.add(findings, ("menus", (kind, name)), f"the name {name!r} is used twice", "Rename one of them.")
    for where, target, wanted in _links(files):
        found = kinds.get(target)
        if found is None or (wanted and found != wanted):
            reason = f"there is no {wanted or 'table'} {target!r}"
            files.add(findings, where, reason, "Write the name of one that exists, or add it.")
    if any(r.identify for r in menus.route.values()) and not any(
        e.kind == "service-number" for e in menus.entry.values()
    ):
        files.add(
            findings,
            ("menus", ("route",)),
            "a route identifies callers, but no entry has kind = service-number",
            "Add [entry.service-number], or empty `identify`.",
        )


def _links(files: Files) -> Iterator[tuple[Where, str, str]]:
    """Every name that must exist: where it is written, the name, the kind it must be ("" = any)."""
    menus = files.menus
    for name, menu in menus.menu.items():
        if menu.back is not None:
            yield ("menus", ("menu", name, "back")), menu.back, "menu"
        for digit, key in menu.keys.items():
            yield ("menus", ("menu", name, "keys", digit)), key.go, ""
    for name, entry in menus.entry.items():
        yield ("menus", ("entry", name, "back")), entry.back, "menu"
        if entry.result is not None:
            yield ("menus", ("entry", name, "result")), entry.result, "menu"
    for name, look_up in menus.look_up.items():
        yield ("menus", ("look-up", name, "back")), look_up.back, "menu"
        yield ("menus", ("look-up", name, "result")), look_up.result, "menu"
    for number, line in files.dnis.line.items():
        yield ("dnis", ("line", number, "menu")), line.menu, "menu"
    yield ("overflow", ("closed", "progress")), files.overflow.closed.progress, "menu"


def _prompts(files: Files, findings: list[Finding]) -> None:
    """Each prompt that cannot be played is named once, where it is first used."""
    missing = set(files.manifest.missing())
    known = set(files.manifest.ids())
    first: dict[str, Where] = {}
    for where, prompt in _prompts_used(files):
        first.setdefault(prompt, where)
    for prompt, where in first.items():
        silent = [lang for lang in LANGUAGES if (prompt, lang) in missing]
        if prompt not in known:
            files.add(findings, where, f"there is no prompt {prompt!r}", "Add it to ivr/prompts/texts.toml.")
        elif silent:
            reason = f"the prompt {prompt!r} has no sound in {' and '.join(silent)}"
            files.add(findings, where, reason, "Run `python -m ivr.prompts.make`.")


def _prompts_used(files: Files) -> Iterator[tuple[Where, str]]:
    menus = files.menus
    for prompt in FLOW_PROMPTS:
        yield ("menus", ()), prompt
    for lang, language in menus.language.items():
        yield ("menus", ("language", lang, "prompt")), language.prompt
    for name, menu in menus.menu.items():
        for prompt in (*menu.prompts, *(menu.again or ())):
            yield ("menus", ("menu", name, "prompts")), prompt
    for name, entry in menus.entry.items():
        for prompt in (*entry.prompts, entry.wrong, entry.unknown):
            yield ("menus", ("entry", name)), prompt
    for code, state in menus.state.items():
        for prompt in (state.say, *([state.next] if state.next else [])):
            yield ("menus", ("state", code)), prompt
    for number, line in files.dnis.line.items():
        yield ("dnis", ("line", number, "greeting")), line.greeting
    yield ("dnis", ("unknown", "greeting")), files.dnis.unknown.greeting
    for intent, said in files.routing.intent.items():
        yield ("routing", ("intent", intent, "say")), said.say
    for place, rule in enumerate(files.routing.rule):
        if rule.say is not None:
            yield ("routing", ("rule", str(place), "say")), rule.say
    yield from _overflow_prompts(files)


def _overflow_prompts(files: Files) -> Iterator[tuple[Where, str]]:
    for prompt in OVERFLOW_PROMPTS:
        yield ("overflow", ()), prompt
    for queue, prompt in files.overflow.record.intro.items():
        yield ("overflow", ("record", "intro", queue)), prompt
    for digit, prompt in files.overflow.survey.answer.items():
        yield ("overflow", ("survey", "answer", digit)), prompt


def _keys(files: Files, findings: list[Finding]) -> None:
    """The language keys are taken in the menus that lines start in."""
    language_keys = {language.key: lang for lang, language in files.menus.language.items()}
    if len(language_keys) != len(files.menus.language):
        files.add(findings, ("menus", ("language",)), "two languages have one key", "Give each its own key.")
    for number, line in files.dnis.line.items():
        menu = files.menus.menu.get(line.menu)
        for lang in line.languages:
            if lang not in files.menus.language:
                where: Where = ("dnis", ("line", number, "languages"))
                files.add(findings, where, f"the language {lang!r} has no key", f"Add [language.{lang}] to menus.toml.")
        for digit in menu.keys if menu else ():
            if language_keys.get(digit) in line.languages:
                where = ("menus", ("menu", line.menu, "keys", digit))
                files.add(findings, where, f"key {digit} chooses a language here", "Use another key.")


def _lines(files: Files, findings: list[Finding]) -> None:
    for number, line in files.dnis.line.items():
        if len(set(line.languages)) != len(line.languages):
            files.add(findings, ("dnis", ("line", number, "languages")), "a language stands twice", "Drop one.")


def _routing(files: Files, findings: list[Finding]) -> None:
    routing = files.routing
    for intent in INTENTS:
        if intent not in routing.intent:
            reason = f"the intent {intent!r} has no prompt"
            files.add(findings, ("routing", ("intent",)), reason, f"Add [intent.{intent}] with say = a prompt.")
        if not any(not rule.when and (not rule.intents or intent in rule.intents) for rule in routing.rule):
            reason = f"no rule without conditions takes the intent {intent!r}"
            last = str(len(routing.rule) - 1)
            files.add(findings, ("routing", ("rule", last)), reason, "Add a [[rule]] without `when` for it at the end.")
    codes = [rule.code for rule in routing.rule] + list(routing.reason)
    for place, rule in enumerate(routing.rule):
        if codes.count(rule.code) > 1:
            files.add(
                findings,
                ("routing", ("rule", str(place), "code")),
                f"the code {rule.code!r} is used twice",
                "Rename it.",
            )
        if rule.queue not in files.hours.queue:
            reason = f"the queue {rule.queue!r} has no opening hours"
            files.add(
                findings, ("routing", ("rule", str(place), "queue")), reason, "Name it under [queue] in hours.toml."
            )


def _hours(files: Files, findings: list[Finding]) -> None:
    for queue, calendar in files.hours.queue.items():
        if calendar not in files.hours.calendar:
            reason = f"there is no calendar {calendar!r}"
            files.add(findings, ("hours", ("queue", queue)), reason, f"Add [calendar.{calendar}].")
    for name, table in files.hours.calendar.items():
        try:
            ZoneInfo(table.zone)
        except (ZoneInfoNotFoundError, ValueError):
            where: Where = ("hours", ("calendar", name, "zone"))
            files.add(findings, where, f"there is no time zone {table.zone!r}", "Write one like Asia/Shanghai.")
        if table.workdays and not table.makeup:
            where = ("hours", ("calendar", name, "workdays"))
            files.add(findings, where, "make-up workdays have no times", "Add `makeup = [...]`.")


def _reach(files: Files, findings: list[Finding]) -> None:
    """Every table must be reachable from a line; one that is not is a slip."""
    menus = files.menus
    open_ends = [line.menu for line in files.dnis.line.values()]
    if any(route.identify for route in menus.route.values()):
        open_ends += [name for name, entry in menus.entry.items() if entry.kind == "service-number"]
    seen: set[str] = set()
    while open_ends:
        name = open_ends.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in menus.menu:
            open_ends += [key.go for key in menus.menu[name].keys.values()]
        for table in (menus.entry, menus.look_up):
            if name in table and table[name].result is not None:
                open_ends.append(str(table[name].result))
    for name, kind in _nodes(menus).items():
        if name not in seen:
            files.add(findings, ("menus", (kind, name)), f"no key leads to {name!r}", "Give it a key, or delete it.")
