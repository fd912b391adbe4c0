"""Build the prompts: ``python -m ivr.prompts.make`` speaks what changed in texts.toml, writes WAVs and manifest.

A prompt is rebuilt when its words, voice, speed or the readings in polyphones.toml changed, or when its file is missing
or not the listed one. A person's recording in recorded/<lang>/<id>.wav wins over the engine. See README.md for what to
install. Not needed at run time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tomllib
import wave
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ivr.prompts import CHANNELS, LANGUAGES, SAMPLE_RATE, SAMPLE_WIDTH, PromptError, check, load_manifest
from ivr.prompts.speech import Sound, Speaker, SpeechError, level, read, speak, to_telephone
from ivr.prompts.tones import MUSIC, TONES

#: Raise it when this tool makes another sound of the same words: everything is then rebuilt.
RECIPE = 1


@dataclass(frozen=True, slots=True)
class Job:
    """One sound to have: its table in manifest.toml, its file and what it is made of."""

    table: tuple[str, ...]
    file: str
    #: The words as people read them.
    text: str
    #: The words as the engine gets them, and the language they are spoken in.
    say: str
    lang: str
    speaker: Speaker
    #: The language of its table, for demo speech.
    extra: Mapping[str, str]

    def key(self, root: Path, polyphones: Mapping[str, str]) -> str:
        """Changes when, and only when, the sound has to be made again."""
        recording = root / "recorded" / self.file
        if recording.is_file():
            parts: list[Any] = ["recorded", hashlib.sha256(recording.read_bytes()).hexdigest()]
        else:
            readings = {word: reading for word, reading in polyphones.items() if word in self.say}
            speaker = self.speaker
            parts = [self.say, self.lang, speaker.engine, speaker.voice, speaker.speed, speaker.command, readings]
        return hashlib.sha256(json.dumps([RECIPE, *parts], sort_keys=True).encode()).hexdigest()[:16]


def jobs(texts: Mapping[str, Any]) -> Iterator[Job]:
    """Every sound that texts.toml asks for, in its order. Pure."""
    speakers = {lang: _speaker(entry) for lang, entry in texts["voice"].items()}
    for name, entry in texts["prompt"].items():
        for lang in LANGUAGES:
            file = f"{lang}/{name}.wav"
            if "tone" in entry:
                tone = str(entry["tone"])
                yield Job(("prompt", name, lang), file, tone, tone, lang, Speaker("tone", tone), {})
            elif lang in entry:
                spoken = entry.get(f"{lang}-speak", lang)
                speaker = speakers[spoken]
                speaker = replace(speaker, speed=float(entry.get(f"{lang}-speed", speaker.speed)))
                say = entry.get(f"{lang}-say", entry[lang])
                yield Job(("prompt", name, lang), file, entry[lang], say, spoken, speaker, {})
    for name, entry in texts.get("demo", {}).items():
        lang = entry["lang"]
        speaker = replace(speakers[lang], voice=entry.get("voice", speakers[lang].voice))
        file = f"demo/{name}.wav"
        yield Job(("demo", name), file, entry["text"], entry.get("say", entry["text"]), lang, speaker, {"lang": lang})
    for name, entry in texts.get("moh", {}).items():
        yield Job(("moh", name), f"moh/{name}.wav", entry["text"], name, "", Speaker("tone", name), {})


def build(
    root: Path, *, only: Sequence[str] = (), force: bool = False, voices: Sequence[Path] = ()
) -> tuple[int, list[str]]:
    """Make what changed under `root`; returns how many sounds were made and one sentence for each that could not be.

    manifest.toml is written in any case, so that a build that is broken off goes on where it stopped.
    """
    texts = _read(root / "texts.toml")
    polyphones: dict[str, str] = _read(root / "polyphones.toml").get("zh", {})
    facts = _read(root / "manifest.toml") if (root / "manifest.toml").exists() else {}
    wanted = list(jobs(texts))
    entries: dict[tuple[str, ...], dict[str, Any]] = {}
    for job in wanted:
        old = _at(facts, job.table)
        if old is not None:
            entries[job.table] = old
    made, failures = 0, []
    try:
        for job in wanted:
            key = job.key(root, polyphones)
            old = entries.get(job.table)
            if not _stale(root / job.file, old, key) and not force:
                if old is not None:
                    entries[job.table] = {**old, "text": job.text}
                continue
            if only and job.table[1] not in only:
                continue
            try:
                sound, engine = _make(job, root, polyphones, (root / "voices", *voices))
            except SpeechError as error:
                failures.append(f"{job.file}: {error}.")
                continue
            write_wav(root / job.file, sound)
            entries[job.table] = _facts(job, root / job.file, engine, key, old)
            made += 1
            _say(f"{job.file}: {entries[job.table]['seconds']:.2f} s, version {entries[job.table]['version']}")
    finally:
        ordered = {job.table: entries[job.table] for job in wanted if job.table in entries}
        (root / "manifest.toml").write_text(_toml(ordered), encoding="utf-8")
    _remove_unlisted(root, {job.file for job in wanted})
    return made, failures


def _make(job: Job, root: Path, polyphones: Mapping[str, str], voices: Sequence[Path]) -> tuple[Sound, str]:
    """The samples of one sound, and the engine that made them."""
    recording = root / "recorded" / job.file
    if recording.is_file():
        return level(to_telephone(*read(recording))), "recorded"
    if job.speaker.engine == "tone":
        maker = (MUSIC if job.table[0] == "moh" else TONES).get(job.say)
        if maker is None:
            raise SpeechError(f"there is no tone {job.say!r}: {', '.join([*TONES, *MUSIC])}")
        return maker(), "tone"
    return speak(job.say, job.lang, job.speaker, polyphones, voices), job.speaker.engine


def write_wav(path: Path, sound: Sound) -> None:
    """Write samples between -1 and 1 as the WAV that Asterisk plays; the file is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with wave.open(str(part), "wb") as out:
        out.setnchannels(CHANNELS)
        out.setsampwidth(SAMPLE_WIDTH)
        out.setframerate(SAMPLE_RATE)
        out.writeframes(np.round(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    part.replace(path)


def _facts(job: Job, path: Path, engine: str, key: str, old: Mapping[str, Any] | None) -> dict[str, Any]:
    """The manifest's entry of a sound just made; the version rises when the sound is another than before (TL-01)."""
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    version = 1 if old is None else int(old["version"]) + (old["sha256"] != sha256)
    with wave.open(str(path), "rb") as sound:
        seconds = round(sound.getnframes() / sound.getframerate(), 3)
    return {
        **job.extra,
        "text": job.text,
        "engine": engine,
        "voice": "" if engine == "recorded" else job.speaker.voice,
        "sha256": sha256,
        "seconds": seconds,
        "version": version,
        "key": key,
    }


def _stale(path: Path, old: Mapping[str, Any] | None, key: str) -> bool:
    if old is None or old.get("key") != key or not path.is_file():
        return True
    return bool(hashlib.sha256(path.read_bytes()).hexdigest() != old["sha256"])


def _remove_unlisted(root: Path, wanted: set[str]) -> None:
    """Delete sounds whose words were taken out of texts.toml."""
    for folder in (*LANGUAGES, "demo", "moh"):
        for path in (root / folder).glob("*.wav"):
            if f"{folder}/{path.name}" not in wanted:
                path.unlink()
                _say(f"{folder}/{path.name}: removed, it has no words any more")


def _speaker(entry: Mapping[str, Any]) -> Speaker:
    command = tuple(str(word) for word in entry.get("command", ()))
    return Speaker(str(entry["engine"]), str(entry.get("voice", "")), float(entry.get("speed", 1.0)), command)


def _at(facts: Mapping[str, Any], table: Sequence[str]) -> dict[str, Any] | None:
    found: Any = facts
    for name in table:
        found = found.get(name, {})
    return dict(found) or None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PromptError(f"{path}: {error}") from error


def _toml(entries: Mapping[tuple[str, ...], Mapping[str, Any]]) -> str:
    """The manifest as TOML; strings, whole numbers and decimals are all it holds."""
    parts = ["# Written by `python -m ivr.prompts.make` from texts.toml: edit that, not this.\n"]
    for table, entry in entries.items():
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in entry.items()]
        parts.append("\n".join([f"[{'.'.join(table)}]", *lines, ""]))
    return "\n".join(parts)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, then check; 0 when every prompt is in order."""
    parser = argparse.ArgumentParser(prog="python -m ivr.prompts.make", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parent, help="folder of texts.toml (this one)")
    parser.add_argument("--only", nargs="+", default=[], metavar="ID", help="build no other ids")
    parser.add_argument("--force", action="store_true", help="build what has not changed, too")
    parser.add_argument("--voices", type=Path, action="append", default=[], help="another folder of Kokoro voice files")
    options = parser.parse_args(arguments)
    try:
        made, failures = build(options.root, only=options.only, force=options.force, voices=options.voices)
        findings = check(load_manifest(options.root / "manifest.toml"))
    except PromptError as error:
        _say(str(error))
        return 1
    for line in [*failures, *map(str, findings)]:
        _say(line)
    _say(f"{made} made, {len(failures)} failed, {len(findings)} findings.")
    return 1 if failures or findings else 0


if __name__ == "__main__":
    sys.exit(main())
