"""Rules for extensions.conf: the variable contract, the guard, reachable targets, no way to a shell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cti.asterisk.conf import Conf, Entry
from cti.asterisk.lint_model import Problem, Site, at, is_yes
from cti.asterisk.render import LANGUAGES
from ivr import variables

_FILE: Final = "extensions.conf"

#: applications and functions that reach a shell, files, the network, or evaluate text (S07)
FORBIDDEN: Final = {
    *("SYSTEM", "TRYSYSTEM", "EXEC", "TRYEXEC", "SHELL", "CURL", "EVAL", "EVAL_EXTEN", "FILE", "FILE_LENGTH"),
    *("EXTERNALIVR", "ORIGINATE", "DISA", "DB", "DB_DELETE", "ODBC", "REALTIME", "LUA", "LOG", "AMI_CLIENT"),
}

_CALLABLE: Final = re.compile(r"(?:^|[,{?:(])\s*([A-Za-z][A-Za-z0-9_]*)\(")
_VARIABLE: Final = re.compile(r"\bCTI_[A-Z0-9_]*(?:\$\{CTI_[A-Z]+\})?")
_ASSIGNED: Final = re.compile(r"Set\((?:_{0,2})(CTI_[A-Z0-9_]+)=")
_PROMPT: Final = re.compile(r"\bhotline/([a-z0-9-]+)")
_USER_EVENT: Final = re.compile(r"UserEvent\(([A-Za-z]+)(.*)\)$")
_HEADER: Final = re.compile(r",([A-Z][A-Za-z]*): ")
_TARGET: Final = re.compile(r"^(?:[a-z][a-z0-9-]*,)?(?:[a-zA-Z0-9*_-]+,)?[a-z0-9-]+$")


@dataclass(frozen=True, slots=True)
class Step:
    """One priority of the dialplan."""

    context: str
    extension: str
    priority: str
    label: str
    action: str
    entry: Entry


def rules(site: Site) -> Iterator[Problem]:
    """All rules of this file."""
    dialplan = site.files.get(_FILE)
    if dialplan is None:
        return
    steps = list(steps_of(dialplan))
    yield from _general(dialplan)
    yield from _patterns(steps)
    yield from _forbidden(steps)
    yield from _contract(dialplan, steps)
    yield from _events(steps)
    yield from _targets(steps)
    yield from _prompts(site, steps)
    yield from _numbers(site, steps)


def steps_of(dialplan: Conf) -> Iterator[Step]:
    """The dialplan's priorities in order; `same` continues the extension above it."""
    for section in dialplan.sections:
        if section.name in {"general", "globals"}:
            continue
        extension = ""
        for entry in section.entries:
            if entry.key not in {"exten", "same"}:
                continue
            parts = entry.value.split(",", 2 if entry.key == "exten" else 1)
            if entry.key == "exten":
                extension = parts.pop(0).strip()
            priority, _, label = parts[0].strip().rstrip(")").partition("(")
            action = parts[1].strip() if len(parts) > 1 else ""
            yield Step(section.name, extension, priority, label, action, entry)


def _general(dialplan: Conf) -> Iterator[Problem]:
    options = dialplan.options("general")
    for key in ("static", "writeprotect"):
        entry = options.get(key)
        if entry is None or not is_yes(entry.value):
            line = entry.line if entry else 1
            yield Problem(
                _FILE, line, f"{key} is not yes, so an account could rewrite the dialplan", f"set {key} = yes"
            )
    for section in dialplan.sections:
        for entry in section.entries:
            known = section.name in {"general", "globals"} or entry.key in {"exten", "same", "include"}
            if not known:
                yield at(entry, f"`{entry.key}` means nothing in a context", "use exten, same or include")


def _patterns(steps: list[Step]) -> Iterator[Problem]:
    for step in steps:
        if step.extension.startswith("_") and step.extension.endswith((".", "!")):
            why = f"pattern {step.extension} takes any text a caller sends, control characters included"
            yield at(step.entry, why, "write patterns of fixed length such as _XXXX")


def _forbidden(steps: list[Step]) -> Iterator[Problem]:
    for step in steps:
        for name in _CALLABLE.findall(step.action):
            if name.upper() in FORBIDDEN:
                yield at(
                    step.entry,
                    f"{name} reaches outside the dialplan",
                    f"remove {name}; decisions belong to the service",
                )
        if "${EXTEN" in step.action and not step.action.startswith("Set(CTI_DNIS="):
            yield at(step.entry, "${EXTEN} is used as it came from the caller", "use ${CTI_DNIS}")
        raw = step.action.replace("${LEN(${CALLERID(num)})}", "").replace(",${CALLERID(num)})}", "")
        if "${CALLERID(" in raw or "${REDIRECTING(" in raw:
            yield at(step.entry, "a caller's own text is used before it was filtered", "use ${CTI_ANI}")


def _contract(dialplan: Conf, steps: list[Step]) -> Iterator[Problem]:
    globals_ = {variable.name for variable in variables.GLOBALS}
    channel = {variable.name for variable in variables.CHANNEL}
    rendered = {_family(entry.key) for section in dialplan.named("globals") for entry in section.entries}
    for step in steps:
        for name in map(_family, _VARIABLE.findall(step.action)):
            if name not in globals_ | channel:
                yield at(
                    step.entry,
                    f"{name} is not in the variable contract",
                    "correct the name, or add it to ivr/variables.py",
                )
            elif name in globals_ and name not in rendered and "<" not in name:
                yield at(
                    step.entry, f"the global {name} is never rendered", "restore #include rendered/cti_globals.conf"
                )
    assigned = {name for step in steps for name in _ASSIGNED.findall(step.action)}
    for variable in variables.CHANNEL:
        if variable.setter == "dialplan" and variable.name not in assigned:
            yield Problem(_FILE, 1, f"{variable.name} is never set, but the service relies on it", "restore its Set()")


def _family(name: str) -> str:
    """CTI_LANG_1861 and CTI_LANG_${CTI_DNIS} are both CTI_LANG_<dnis>."""
    return re.sub(r"_(?:[0-9]{3,15}|\$\{CTI_DNIS\})$", "_<dnis>", name)


def _events(steps: list[Step]) -> Iterator[Problem]:
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        match = _USER_EVENT.match(step.action)
        if match is None:
            continue
        expected = variables.USER_EVENTS.get(match[1])
        headers = tuple(_HEADER.findall(match[2]))
        if expected is None:
            yield at(step.entry, f"nobody listens to the event {match[1]}", "use a name of ivr/variables.py")
        elif headers != expected:
            why = f"{match[1]} carries {', '.join(headers) or 'nothing'} instead of {', '.join(expected)}"
            yield at(step.entry, why, "use the headers of ivr/variables.py")
        elif after is None or after.action != f"CELGen{step.action}":
            why = f"{match[1]} is not written to the journal: it would be lost while the service is away"
            yield at(step.entry, why, "let a CELGenUserEvent with the same words follow")


def _targets(steps: list[Step]) -> Iterator[Problem]:
    places = {(step.context, step.extension) for step in steps}
    labels = {(step.context, step.extension, step.label) for step in steps if step.label}
    contexts = {step.context for step in steps}
    for step in steps:
        for target in _jumps(step.action):
            parts = [part.strip() for part in target.split(",")]
            context = parts[-3] if len(parts) > 2 else step.context
            extension = parts[-2] if len(parts) > 1 else step.extension
            priority = parts[-1]
            if context not in contexts:
                yield at(step.entry, f"goes to the context [{context}], which does not exist", "correct the name")
            elif (context, extension) not in places:
                yield at(step.entry, f"goes to {extension} in [{context}], which does not exist", "correct the name")
            elif not priority.isdigit() and (context, extension, priority) not in labels:
                yield at(step.entry, f"goes to the label {priority}, which does not exist", "correct the name")


def _jumps(action: str) -> Iterator[str]:
    name, _, rest = action.partition("(")
    arguments = rest.removesuffix(")")
    if name in {"Goto", "Gosub"}:
        yield arguments.partition("(")[0]
    elif name in {"GotoIf", "GosubIf"}:
        branches = arguments[arguments.rfind("]") + 1 :].removeprefix("?")
        yield from (branch for branch in branches.split(":") if branch)
    elif name == "Set" and "hangup_handler_push" in arguments:
        yield arguments.partition("=")[2].partition("(")[0]


def _prompts(site: Site, steps: list[Step]) -> Iterator[Problem]:
    for step in steps:
        for prompt in _PROMPT.findall(step.action):
            yield from missing_prompt(site, step.entry, prompt)


def missing_prompt(site: Site, entry: Entry, prompt: str) -> Iterator[Problem]:
    """A prompt has to be there in every language."""
    for language in LANGUAGES:
        if not site.prompt(language, prompt).is_file():
            why = f"the prompt {language}/{prompt}.wav does not exist: the caller would hear nothing"
            yield at(entry, why, f"make it, or correct the name (looked in {site.settings.prompts_dir})")


def _numbers(site: Site, steps: list[Step]) -> Iterator[Problem]:
    lengths = {len(s.extension) - 1 for s in steps if s.context == "from-trunk" and set(s.extension[1:]) == {"X"}}
    exact = {step.extension for step in steps if step.context == "from-trunk"}
    for dnis in site.settings.dnis:
        if len(dnis.number) not in lengths and dnis.number not in exact:
            why = f"the number {dnis.number} of the settings matches no pattern of [from-trunk]"
            yield Problem(_FILE, 1, why, "add a pattern of its length")
        for language in LANGUAGES:
            if not site.prompt(language, dnis.notice).is_file():
                why = f"the notice {language}/{dnis.notice}.wav of the number {dnis.number} does not exist"
                yield Problem("settings", 0, why, "make the prompt, or set another notice")
