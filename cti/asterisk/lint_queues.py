"""Rules for queues.conf, music and announcements: what would break the 15-second target or mean silence."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from typing import Final

from cti.asterisk.conf import Conf, Entry, Section
from cti.asterisk.lint_dialplan import missing_prompt
from cti.asterisk.lint_model import Problem, Site, at, is_yes
from cti.asterisk.render import LANGUAGES

_FILE: Final = "queues.conf"

#: longest announcement that may hold an offer up, seconds
_ANNOUNCEMENT_S: Final = 3.0
#: two offers have to fit into the 15 seconds (TL-11)
_RING_S: Final = 8
_TARGET_S: Final = 15

_SOUNDS: Final = ("periodic-announce", "announce", "queue-youarenext", "queue-thankyou", "queue-callswaiting")

_YES: Final = {
    "autofill": "free agents would be offered one caller at a time",
}
_NO: Final = {
    "ringinuse": "an agent who is talking would be rung",
    "leavewhenempty": "callers would be thrown out when the last agent signs out",
    "autopause": "Asterisk would pause agents behind the service's back",
}


def rules(site: Site) -> Iterator[Problem]:
    """All rules of these files."""
    queues = site.files.get(_FILE)
    if queues is None:
        return
    names = [name for name in queues.names() if name != "general"]
    for name in names:
        section = queues.named(name)[0]
        options = {entry.key.lower(): entry for entry in queues.effective(section)}
        yield from _switches(section, options)
        yield from _times(section, options)
        yield from _members(site, queues, section)
        yield from _sounds(site, options)
        yield from _music(site, section, options)
    if site.settings.rescue_queue not in names:
        why = f"there is no queue [{site.settings.rescue_queue}] for callers whom the service cannot route"
        yield Problem(_FILE, 1, why, "add that queue, or set another rescue_queue")


def _switches(section: Section, options: dict[str, Entry]) -> Iterator[Problem]:
    for key, harm in _YES.items():
        entry = options.get(key)
        if entry is None or not is_yes(entry.value):
            yield _about(section, entry, f"[{section.name}] has {key} = no: {harm}", f"set {key} = yes")
    for key, harm in _NO.items():
        entry = options.get(key)
        wrong = is_yes(entry.value) if entry else key == "ringinuse"
        if wrong:
            yield _about(section, entry, f"[{section.name}] has {key} = yes: {harm}", f"set {key} = no")
    entry = options.get("joinempty")
    if entry is not None and not is_yes(entry.value):
        why = f"[{section.name}] refuses callers while nobody is signed in (joinempty = {entry.value})"
        yield at(entry, why, "set joinempty = yes: they wait and are told so")


def _times(section: Section, options: dict[str, Entry]) -> Iterator[Problem]:
    ring = _number(options.get("timeout"), 15)
    retry = _number(options.get("retry"), 5)
    if not 0 < ring <= _RING_S or retry > 1 or 2 * ring + retry > _TARGET_S + 2:
        why = f"[{section.name}] rings {ring} s and waits {retry} s: two offers do not fit into {_TARGET_S} s"
        yield _about(
            section, options.get("timeout") or options.get("retry"), why, "set timeout = 8 or less and retry = 1"
        )
    if _number(options.get("servicelevel"), 0) != _TARGET_S:
        why = f"[{section.name}] counts its service level against another time than {_TARGET_S} s"
        yield _about(section, options.get("servicelevel"), why, f"set servicelevel = {_TARGET_S}")


def _members(site: Site, queues: Conf, section: Section) -> Iterator[Problem]:
    endpoints = set(site.files["pjsip.conf"].names()) if "pjsip.conf" in site.files else set()
    for entry in queues.effective(section):
        if entry.key != "member":
            continue
        interface = entry.value.split(",")[0].strip()
        technology, _, name = interface.partition("/")
        if technology != "PJSIP":
            why = f"member {interface} is not a plain PJSIP phone: transfers and talk time would be wrong"
            yield at(entry, why, "use PJSIP/<number>")
        elif name not in endpoints:
            yield at(entry, f"member {interface} has no endpoint in pjsip.conf", "add the phone, or remove the member")


def _sounds(site: Site, options: dict[str, Entry]) -> Iterator[Problem]:
    for key in _SOUNDS:
        entry = options.get(key)
        for sound in entry.value.split(",") if entry else ():
            prompt = sound.strip().removeprefix("hotline/")
            if entry is None or not prompt:
                continue
            yield from missing_prompt(site, entry, prompt)
            for language in LANGUAGES:
                path = site.prompt(language, prompt)
                if key.endswith("announce") and path.is_file() and (seconds := _seconds(str(path))) > _ANNOUNCEMENT_S:
                    why = f"{key} {language}/{prompt}.wav is {seconds:.1f} s long and would hold an offer up"
                    yield at(entry, why, f"use a prompt of {_ANNOUNCEMENT_S:g} s or less")


def _music(site: Site, section: Section, options: dict[str, Entry]) -> Iterator[Problem]:
    entry = options.get("musicclass")
    music = site.files.get("musiconhold.conf")
    name = entry.value if entry else "default"
    if music is not None and name not in music.names():
        why = f"[{section.name}] plays the music {name}, which musiconhold.conf does not have"
        yield _about(section, entry, why, "correct the name")
    elif not any((site.settings.prompts_dir / "moh").glob("*.wav")):
        why = f"no music: {site.settings.prompts_dir / 'moh'} holds no WAV, callers would wait in silence"
        yield _about(section, entry, why, "put a WAV there")


def _seconds(path: str) -> float:
    with wave.open(path) as file:
        return float(file.getnframes() / file.getframerate())


def _number(entry: Entry | None, default: int) -> int:
    try:
        return int(entry.value) if entry else default
    except ValueError:
        return -1


def _about(section: Section, entry: Entry | None, why: str, remedy: str) -> Problem:
    return at(entry, why, remedy) if entry else Problem(section.file, section.line, why, remedy)
