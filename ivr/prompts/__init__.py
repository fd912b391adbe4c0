"""The prompts callers hear: which there are, in which words and version, and where their sound is.

texts.toml is what people edit; manifest.toml and the WAV files are written from it by ``python -m ivr.prompts.make``,
which is not needed at run time. Here they are only read and checked (TL-03, TL-61).
"""

from __future__ import annotations

import hashlib
import re
import tomllib
import wave
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: The languages every prompt is there in: Mandarin first, English selectable (TL-02).
LANGUAGES = ("zh", "en")

#: What Asterisk plays natively and anybody can edit: 8 kHz, 16 bit, one channel.
SAMPLE_RATE = 8000
SAMPLE_WIDTH = 2
CHANNELS = 1

#: A sample this loud (of 32767, about -30 dBFS) must be in every prompt but a tone that is quiet on purpose.
AUDIBLE = 1000

_HERE = Path(__file__).parent
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class PromptError(Exception):
    """The prompts' files cannot be read."""


class UnknownPrompt(PromptError):
    """There is no such prompt in this language."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One sound file and the facts it was made with."""

    #: Lower-case words joined by hyphens, the same in every language.
    id: str
    #: The language of the table it belongs to; a prompt may be spoken in another (the language choice is).
    lang: str
    #: The words, or for a tone its name.
    text: str
    #: The WAV file, relative to the manifest's folder.
    file: str
    #: kokoro, espeak, command, recorded or tone.
    engine: str
    voice: str
    sha256: str
    seconds: float
    #: Rises by one each time the sound changes; with the id it names what a caller heard (TL-01).
    version: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with the prompts, where it stands and what mends it (TL-61)."""

    file: str
    #: Counted from one; None when the fault is not in a line of a text file.
    line: int | None
    reason: str
    remedy: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.reason}. {self.remedy}"


@dataclass(frozen=True)
class Manifest:
    """All prompts, by id and language, as they were when the manifest was read.

    A call in progress keeps the manifest it began with; a reload makes a new one (TL-03).
    """

    #: The folder that manifest.toml lies in.
    root: Path
    prompts: Mapping[tuple[str, str], Prompt]
    #: The words in texts.toml, which may be newer than what is in `prompts`.
    texts: Mapping[tuple[str, str], str]
    #: A caller's and an agent's speech, for tests and demonstrations only.
    demo: Mapping[str, Prompt]
    #: Music on hold.
    moh: Mapping[str, Prompt]

    def prompt(self, prompt_id: str, lang: str) -> Prompt:
        """The prompt of this id in this language; raises `UnknownPrompt`."""
        try:
            return self.prompts[prompt_id, lang]
        except KeyError:
            raise UnknownPrompt(f"no prompt {prompt_id!r} in language {lang!r}") from None

    def path(self, prompt_id: str, lang: str) -> Path:
        """The WAV file of a prompt; raises `UnknownPrompt`. The file may still be missing: see `missing`."""
        return self.root / self.prompt(prompt_id, lang).file

    def sound(self, prompt_id: str, lang: str) -> str:
        """The prompt's path as Asterisk's Playback and STREAM FILE want it: without the suffix."""
        return str(self.path(prompt_id, lang).with_suffix(""))

    def version(self, prompt_id: str, lang: str) -> int:
        """The version stored on the call beside the id (TL-01); raises `UnknownPrompt`."""
        return self.prompt(prompt_id, lang).version

    def ids(self) -> tuple[str, ...]:
        """Every id with words or a sound in any language, sorted."""
        return tuple(sorted({key for key, _ in (*self.texts, *self.prompts)}))

    def missing(self) -> tuple[tuple[str, str], ...]:
        """The (id, lang) pairs that cannot be played: a language without words, or words without a file (TL-61)."""
        wanted = ((key, lang) for key in self.ids() for lang in LANGUAGES)
        return tuple(
            pair for pair in wanted if pair not in self.prompts or not (self.root / self.prompts[pair].file).is_file()
        )


def load_manifest(path: Path | str = _HERE / "manifest.toml") -> Manifest:
    """Read manifest.toml and the texts.toml beside it (TL-03).

    A manifest that is not there yet is an empty one, so that `check` can say what to build. Raises `PromptError` for
    a file that is no TOML or lacks a field.
    """
    path = Path(path)
    facts = _read(path) if path.exists() else {}
    texts = _read(path.with_name("texts.toml"))
    try:
        return Manifest(
            root=path.parent,
            prompts={
                (key, lang): _prompt(key, lang, f"{lang}/{key}.wav", entry)
                for key, by_lang in facts.get("prompt", {}).items()
                for lang, entry in by_lang.items()
            },
            texts=dict(_texts(texts.get("prompt", {}))),
            demo={key: _prompt(key, e["lang"], f"demo/{key}.wav", e) for key, e in facts.get("demo", {}).items()},
            moh={key: _prompt(key, "", f"moh/{key}.wav", e) for key, e in facts.get("moh", {}).items()},
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise PromptError(f"{path}: an entry is not as the build tool writes it ({error!r})") from error


def check(manifest: Manifest) -> list[Finding]:
    """Everything wrong with the prompts on disk, worst for a caller first; empty when all is well (TL-61, TL-62)."""
    lines = {name: _headers(manifest.root / name) for name in ("texts.toml", "manifest.toml")}
    return [
        *_check_files(manifest, lines["manifest.toml"]),
        *_check_words(manifest, lines["texts.toml"], lines["manifest.toml"]),
        *_check_unlisted(manifest),
    ]


def _check_files(manifest: Manifest, lines: Mapping[str, int]) -> Iterator[Finding]:
    """Each listed sound is there, of the right format, audible, and the one that was built."""
    for table, prompt in _entries(manifest):
        path = manifest.root / prompt.file
        if not path.is_file():
            yield Finding(
                "manifest.toml",
                lines.get(table),
                f"{prompt.file} is missing",
                "Restore the file, or run `python -m ivr.prompts.make` to build it again",
            )
            continue
        reason = _wrong_format(path, quiet=prompt.engine == "tone")
        if reason:
            yield Finding(prompt.file, None, reason, _REBUILD)
        elif hashlib.sha256(path.read_bytes()).hexdigest() != prompt.sha256:
            yield Finding(
                prompt.file,
                None,
                f"is not the file that manifest.toml lists as version {prompt.version}",
                f"Put a person's recording in recorded/{prompt.file} instead, then: {_REBUILD}",
            )


def _check_words(manifest: Manifest, texts: Mapping[str, int], built: Mapping[str, int]) -> Iterator[Finding]:
    """Each id is well-formed and has words in every language, and the sounds say those words."""
    for key in manifest.ids():
        line = texts.get(f"prompt.{key}")
        if not _ID.fullmatch(key):
            yield Finding("texts.toml", line, f"{key!r} is not lower-case words joined by hyphens", "Rename the prompt")
        for lang in LANGUAGES:
            pair = key, lang
            if pair not in manifest.texts and pair in manifest.prompts:
                yield Finding(
                    "manifest.toml",
                    built.get(f"prompt.{key}.{lang}"),
                    f"{key} has a {lang} sound but no words",
                    _REBUILD,
                )
            elif pair not in manifest.texts:
                yield Finding("texts.toml", line, f"{key} has no {lang} words", f'Write {lang} = "..." under the id')
            elif pair not in manifest.prompts:
                yield Finding("texts.toml", line, f"{key} has {lang} words but no sound", _REBUILD)
            elif manifest.texts[pair] != manifest.prompts[pair].text:
                yield Finding("texts.toml", line, f"the {lang} words of {key} changed since it was built", _REBUILD)


def _check_unlisted(manifest: Manifest) -> Iterator[Finding]:
    """No sound lies in the folders that nobody made and nobody will play."""
    listed = {prompt.file for _, prompt in _entries(manifest)}
    for folder in (*LANGUAGES, "demo", "moh"):
        for path in sorted((manifest.root / folder).glob("*.wav")):
            if f"{folder}/{path.name}" not in listed:
                yield Finding(
                    f"{folder}/{path.name}",
                    None,
                    "is in no entry of manifest.toml",
                    "Add its words to texts.toml, or delete it",
                )


_REBUILD = "Run `python -m ivr.prompts.make`"


def _entries(manifest: Manifest) -> Iterator[tuple[str, Prompt]]:
    """Every listed sound with the name of its table in manifest.toml."""
    for (key, lang), prompt in manifest.prompts.items():
        yield f"prompt.{key}.{lang}", prompt
    for kind, prompts in (("demo", manifest.demo), ("moh", manifest.moh)):
        for key, prompt in prompts.items():
            yield f"{kind}.{key}", prompt


def _wrong_format(path: Path, *, quiet: bool) -> str:
    """What keeps Asterisk or a caller from hearing this file, or an empty string."""
    try:
        with wave.open(str(path), "rb") as sound:
            form = sound.getframerate(), sound.getsampwidth(), sound.getnchannels()
            samples = array("h", sound.readframes(sound.getnframes())) if form[1] == SAMPLE_WIDTH else array("h")
    except (wave.Error, EOFError, ValueError) as error:
        return f"is no WAV file that can be read ({error})"
    if form != (SAMPLE_RATE, SAMPLE_WIDTH, CHANNELS):
        return f"is {form[0]} Hz, {8 * form[1]} bit, {form[2]} channel(s), not 8000 Hz, 16 bit, one channel"
    if not samples:
        return "has no sound in it"
    lowest, highest = min(samples), max(samples)
    if max(highest, -lowest) < (1 if quiet else AUDIBLE):
        return "is silent"
    return ""


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PromptError(f"{path}: {error}") from error


def _texts(prompts: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[tuple[str, str], str]]:
    """The words by id and language; a tone has its name in every language."""
    for key, entry in prompts.items():
        for lang in LANGUAGES:
            words = entry.get("tone", entry.get(lang))
            if words is not None:
                yield (key, lang), str(words)


def _prompt(prompt_id: str, lang: str, file: str, entry: Mapping[str, Any]) -> Prompt:
    return Prompt(
        id=prompt_id,
        lang=lang,
        text=str(entry["text"]),
        file=file,
        engine=str(entry["engine"]),
        voice=str(entry["voice"]),
        sha256=str(entry["sha256"]),
        seconds=float(entry["seconds"]),
        version=int(entry["version"]),
    )


def _headers(path: Path) -> dict[str, int]:
    """The line number of each [table] of a TOML file, for pointing at it."""
    if not path.is_file():
        return {}
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    return {
        line.strip()[1:-1]: number for number, line in lines if line.startswith("[") and line.rstrip().endswith("]")
    }
