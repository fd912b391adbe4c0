"""The prompts that are shipped, and that a fault in them is found."""

from __future__ import annotations

import hashlib
import shutil
import tomllib
import wave
from array import array
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ivr.prompts import (
    CHANNELS,
    LANGUAGES,
    SAMPLE_RATE,
    SAMPLE_WIDTH,
    Finding,
    Manifest,
    PromptError,
    UnknownPrompt,
    check,
    load_manifest,
    make,
)
from ivr.prompts.speech import tone_sandhi, utterances
from ivr.prompts.tones import MUSIC

SHIPPED = load_manifest()

#: Prompts without which a flow of the IVR, the queue or the overflow would fall silent.
NEEDED = """
    notice greeting-1860 greeting-1861 greeting-default language-choice announcement-intro closed-hours beep silence
    menu-main menu-progress menu-standards standard-install standard-repair standard-complaint standard-billing
    standard-answer invalid-key no-input to-person to-person-after-errors to-senior to-suggestion please-hold
    technical-hold goodbye ask-order-number order-number-wrong order-not-found ask-last-four last-four-wrong
    no-open-orders several-orders-more ask-service-number state-overdue-apology queue-next queue-ahead-many
    wait-under-1 wait-more queue-still-holding all-busy thanks-suggestion thanks-waiting
    overflow-offer overflow-menu place-kept record-intro record-too-short record-silent record-review record-saved
    record-failed callback-intro callback-read-back callback-other-number callback-bad-number callback-when
    callback-confirm callback-saved callback-exists callback-cancelled callback-kept
    agent-number at-your-service survey-ask survey-thanks survey-invalid
"""


def samples(path: Path) -> NDArray[np.int32]:
    """The samples of a WAV that is as Asterisk wants it."""
    with wave.open(str(path), "rb") as sound:
        assert (sound.getframerate(), sound.getsampwidth(), sound.getnchannels()) == (8000, 2, 1), path.name
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.int32)


def write(path: Path, *, rate: int = SAMPLE_RATE, channels: int = CHANNELS, loudness: int = 8000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(SAMPLE_WIDTH)
        sound.setframerate(rate)
        sound.writeframes(array("h", [loudness, -loudness] * 400 * channels).tobytes())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small set of prompts in good order: `hello` and `bye` in both languages, one demo, one music file."""
    texts, facts = [], []
    for name, words in (("hello", {"zh": "您好。", "en": "Hello."}), ("bye", {"zh": "再见。", "en": "Goodbye."})):
        texts += [f"[prompt.{name}]", *(f'{lang} = "{text}"' for lang, text in words.items()), ""]
        for lang, text in words.items():
            facts += entry(tmp_path, f"prompt.{name}.{lang}", f"{lang}/{name}.wav", text)
    facts += ['[demo.caller]\nlang = "zh"', *entry(tmp_path, "", "demo/caller.wav", "你好。")]
    facts += entry(tmp_path, "moh.song", "moh/song.wav", "A song.")
    (tmp_path / "texts.toml").write_text("\n".join(texts), encoding="utf-8")
    (tmp_path / "manifest.toml").write_text("\n".join(facts), encoding="utf-8")
    return tmp_path


def entry(folder: Path, table: str, file: str, text: str) -> list[str]:
    """A sound and the lines of its entry in manifest.toml."""
    write(folder / file)
    sha256 = hashlib.sha256((folder / file).read_bytes()).hexdigest()
    head = [f"[{table}]"] if table else []
    return [
        *head,
        f'text = "{text}"\nengine = "kokoro"\nvoice = "v"\nsha256 = "{sha256}"\nseconds = 0.1\nversion = 3\n',
    ]


def found(folder: Path) -> Finding:
    """The only finding in the folder."""
    (finding,) = check(load_manifest(folder / "manifest.toml"))
    return finding


@pytest.mark.req("TL-02")
def test_every_prompt_is_there_in_both_languages() -> None:
    assert SHIPPED.missing() == ()
    for prompt_id in SHIPPED.ids():
        for lang in LANGUAGES:
            assert SHIPPED.prompt(prompt_id, lang).text
            assert SHIPPED.path(prompt_id, lang).is_file()


def test_no_flow_lacks_its_prompt() -> None:
    several = [f"several-orders-{n}" for n in range(2, 6)]
    counted = [f"{phrase}-{n}" for phrase in ("queue-ahead", "wait") for n in range(1, 11)]
    digits = [f"digit-{n}" for n in range(10)]
    steps = ["registered", "at-senior", "in-review", "at-manager", "in-process", "replying", "survey"]
    states = [*steps, "closed", "cancelled"]
    windows = [
        f"callback-window-{day}-{part}" for day in ("today", "tomorrow") for part in ("morning", "afternoon", "evening")
    ]
    wanted = {
        *(NEEDED.split() + several + counted + digits + windows),
        *(f"state-{state}" for state in states),
        *(f"next-step-{state}" for state in steps),
    }
    assert wanted - set(SHIPPED.ids()) == set()


@pytest.mark.req("TL-02")
def test_main_menu_names_every_key_in_both_languages() -> None:
    zh, en = SHIPPED.prompt("menu-main", "zh").text, SHIPPED.prompt("menu-main", "en").text
    for key in ("投诉请按一", "建议请按二", "查询处理进度请按三", "服务标准请按四", "人工服务请按零", "重听请按井号键"):
        assert key in zh
    for word in ("complaints, press one", "suggestions, press two", "progress of your order, press three"):
        assert word in en
    for word in ("service standards, press four", "a person, press zero", "pound key"):
        assert word in en
    assert SHIPPED.prompt("language-choice", "zh").text == SHIPPED.prompt("language-choice", "en").text


@pytest.mark.req("TL-02")
def test_a_person_is_offered_in_every_menu() -> None:
    for prompt_id in SHIPPED.ids():
        if prompt_id.startswith("menu-"):
            assert "人工服务请按零" in SHIPPED.prompt(prompt_id, "zh").text, prompt_id
            assert "person, press zero" in SHIPPED.prompt(prompt_id, "en").text, prompt_id


def test_shipped_prompts_are_in_order() -> None:
    assert [str(finding) for finding in check(SHIPPED)] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_prompts_can_be_heard_and_do_not_clip(lang: str) -> None:
    for prompt_id in SHIPPED.ids():
        prompt = SHIPPED.prompt(prompt_id, lang)
        sound = samples(SHIPPED.path(prompt_id, lang))
        assert len(sound) / SAMPLE_RATE == pytest.approx(prompt.seconds, abs=0.001)
        if prompt.engine == "tone":
            continue
        rms = np.sqrt(np.mean((sound / 32768) ** 2))
        assert 10 ** (-32 / 20) < rms < 10 ** (-10 / 20), prompt_id  # dBFS
        assert 22000 < np.abs(sound).max() < 24000, prompt_id  # -3 dBFS
        assert prompt.seconds < 30, prompt_id


@pytest.mark.parametrize("lang", LANGUAGES)
def test_overflow_offer_is_short(lang: str) -> None:
    assert SHIPPED.prompt("overflow-offer", lang).seconds <= 3


@pytest.mark.parametrize("music", sorted(SHIPPED.moh))
def test_music_on_hold_is_never_silent_for_long(music: str) -> None:
    sound = samples(SHIPPED.root / SHIPPED.moh[music].file)
    assert len(sound) >= 30 * SAMPLE_RATE
    for start in range(0, len(sound), SAMPLE_RATE):
        assert np.abs(sound[start : start + SAMPLE_RATE]).max() > 300  # within each second


def test_demonstration_has_a_caller_and_an_agent_in_other_voices() -> None:
    callers = [prompt for name, prompt in SHIPPED.demo.items() if name.startswith("customer-")]
    agents = [prompt for name, prompt in SHIPPED.demo.items() if name.startswith("agent-")]
    assert len(callers) >= 2
    assert agents
    assert {prompt.voice for prompt in callers}.isdisjoint(prompt.voice for prompt in agents)
    for prompt in (*callers, *agents):
        assert np.abs(samples(SHIPPED.root / prompt.file)).max() > 20000


def test_a_good_folder_has_no_findings(folder: Path) -> None:
    manifest = load_manifest(folder / "manifest.toml")
    assert check(manifest) == []
    assert manifest.ids() == ("bye", "hello")
    assert manifest.version("hello", "zh") == 3
    assert manifest.path("hello", "en") == folder / "en" / "hello.wav"
    assert manifest.sound("hello", "en") == str(folder / "en" / "hello")


@pytest.mark.req("TL-61")
def test_a_missing_file_is_found(folder: Path) -> None:
    (folder / "zh" / "bye.wav").unlink()
    finding = found(folder)
    lines = (folder / "manifest.toml").read_text(encoding="utf-8").splitlines()
    assert finding.line is not None
    assert (finding.file, lines[finding.line - 1]) == ("manifest.toml", "[prompt.bye.zh]")
    assert "zh/bye.wav is missing" in finding.reason
    assert "ivr.prompts.make" in finding.remedy
    assert load_manifest(folder / "manifest.toml").missing() == (("bye", "zh"),)


@pytest.mark.parametrize(
    ("rate", "channels", "loudness", "reason"),
    [
        (16000, 1, 8000, "16000 Hz"),
        (8000, 2, 8000, "2 channel"),
        (8000, 1, 0, "is silent"),
        (8000, 1, 9000, "not the file"),
    ],
)
def test_a_wrong_file_is_found(folder: Path, rate: int, channels: int, loudness: int, reason: str) -> None:
    write(folder / "en" / "hello.wav", rate=rate, channels=channels, loudness=loudness)
    assert found(folder).file == "en/hello.wav"
    assert reason in found(folder).reason


@pytest.mark.parametrize("content", [b"", b"not a sound", b"RIFF\x00\x00\x00\x00WAVE"])
def test_a_broken_file_is_found(folder: Path, content: bytes) -> None:
    (folder / "en" / "hello.wav").write_bytes(content)
    assert found(folder).file == "en/hello.wav"
    assert "no WAV file" in found(folder).reason


def test_a_file_nobody_listed_is_found(folder: Path) -> None:
    shutil.copy(folder / "en" / "hello.wav", folder / "en" / "hallo.wav")
    assert found(folder).file == "en/hallo.wav"


def test_words_without_their_sound_are_found(folder: Path) -> None:
    texts = folder / "texts.toml"
    before = texts.read_text(encoding="utf-8")
    texts.write_text(before.replace("再见。", "再见，祝您愉快。"), encoding="utf-8")
    assert "zh words of bye changed" in found(folder).reason
    assert found(folder).line == before.splitlines().index("[prompt.bye]") + 1
    texts.write_text(before + '\n[prompt.new]\nzh = "新。"\nen = "New."\n', encoding="utf-8")
    reasons = [finding.reason for finding in check(load_manifest(folder / "manifest.toml"))]
    assert reasons == ["new has zh words but no sound", "new has en words but no sound"]
    texts.write_text(before.replace('en = "Goodbye."', ""), encoding="utf-8")
    assert found(folder).reason == "bye has a en sound but no words"


def test_a_manifest_read_again_leaves_the_old_one_as_it_was(folder: Path) -> None:
    old = load_manifest(folder / "manifest.toml")
    path = folder / "manifest.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("version = 3", "version = 4"), encoding="utf-8")
    assert load_manifest(path).version("hello", "zh") == 4
    assert old.version("hello", "zh") == 3


def test_an_unknown_prompt_is_named() -> None:
    with pytest.raises(UnknownPrompt, match="'no-such-prompt' in language 'zh'"):
        SHIPPED.path("no-such-prompt", "zh")
    with pytest.raises(UnknownPrompt):
        SHIPPED.version("menu-main", "fr")


@pytest.mark.parametrize("content", ["[prompt", '[prompt.hello.zh]\ntext = "x"\n', "prompt = 3"])
def test_a_manifest_that_cannot_be_read_names_itself(folder: Path, content: str) -> None:
    (folder / "manifest.toml").write_text(content, encoding="utf-8")
    with pytest.raises(PromptError, match=r"manifest\.toml"):
        load_manifest(folder / "manifest.toml")


def test_without_a_manifest_everything_is_missing(folder: Path) -> None:
    (folder / "manifest.toml").unlink()
    empty: Manifest = load_manifest(folder / "manifest.toml")
    assert empty.missing() == (("bye", "zh"), ("bye", "en"), ("hello", "zh"), ("hello", "en"))


# The build tool, as far as it needs no speech engine


@pytest.fixture
def tones(tmp_path: Path) -> Path:
    """A folder to build in whose prompts need no engine."""
    words = '[voice.zh]\nengine = "nobody"\n\n[prompt.beep]\ntone = "beep"\n\n[prompt.pause]\ntone = "comfort-noise"\n'
    (tmp_path / "texts.toml").write_text(words, encoding="utf-8")
    (tmp_path / "polyphones.toml").write_text("", encoding="utf-8")
    return tmp_path


def test_build_makes_only_what_changed_and_counts_versions(tones: Path) -> None:
    assert make.build(tones) == (4, [])
    first = load_manifest(tones / "manifest.toml")
    assert check(first) == []
    assert make.build(tones) == (0, [])
    (tones / "zh" / "beep.wav").unlink()
    write(tones / "en" / "beep.wav")
    assert make.build(tones) == (2, [])
    second = load_manifest(tones / "manifest.toml")
    assert check(second) == []
    assert second.version("beep", "zh") == 1  # the same sound again
    texts = (tones / "texts.toml").read_text(encoding="utf-8")
    (tones / "texts.toml").write_text(texts.replace('tone = "beep"', 'tone = "comfort-noise"'), encoding="utf-8")
    assert make.build(tones) == (2, [])
    assert load_manifest(tones / "manifest.toml").version("beep", "zh") == 2


def test_build_removes_a_sound_whose_words_are_gone(tones: Path) -> None:
    make.build(tones)
    texts = (tones / "texts.toml").read_text(encoding="utf-8")
    (tones / "texts.toml").write_text(texts.partition("[prompt.pause]")[0], encoding="utf-8")
    make.build(tones)
    assert not (tones / "zh" / "pause.wav").exists()
    assert load_manifest(tones / "manifest.toml").ids() == ("beep",)


def test_build_names_what_it_cannot_speak_and_makes_the_rest(tones: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (tones / "texts.toml").open("a", encoding="utf-8") as texts:
        texts.write('\n[prompt.hello]\nzh = "您好。"\n')
    made, failures = make.build(tones)
    assert made == 4
    assert failures == ["zh/hello.wav: there is no engine 'nobody': kokoro, espeak or command."]
    assert make.main(["--root", str(tones)]) == 1
    assert "hello has zh words but no sound" in capsys.readouterr().out


def test_shipped_sounds_are_what_the_tool_would_make() -> None:
    """Nobody changed the words, a voice or a reading without building again."""
    with (SHIPPED.root / "manifest.toml").open("rb") as file:
        facts = tomllib.load(file)
    with (SHIPPED.root / "polyphones.toml").open("rb") as file:
        polyphones = tomllib.load(file)["zh"]
    with (SHIPPED.root / "texts.toml").open("rb") as file:
        wanted = list(make.jobs(tomllib.load(file)))
    assert len(wanted) == len(SHIPPED.prompts) + len(SHIPPED.demo) + len(SHIPPED.moh)
    for job in wanted:
        kept = facts
        for name in job.table:
            kept = kept[name]
        assert kept["key"] == job.key(SHIPPED.root, polyphones), job.file


def test_text_is_spoken_one_sentence_at_a_time() -> None:
    pieces = utterances("投诉请按一；建议请按二，谢谢。请稍候")
    assert [piece for piece, _ in pieces] == ["投诉请按一；", "建议请按二，谢谢。", "请稍候"]
    assert pieces[0][1] > 0
    assert pieces[-1][1] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([["you3"], ["liang3", "ge4"]], [["you2"], ["liang3", "ge4"]]),
        ([["bu4"], ["yao4"]], [["bu2"], ["yao4"]]),
        ([["qing3"], ["an4"]], [["qing3"], ["an4"]]),
        ([["ni2", "hao3"], ["qing3"]], [["ni2", "hao3"], ["qing3"]]),
    ],
)
def test_tones_change_before_the_next_word(words: list[list[str]], said: list[list[str]]) -> None:
    assert tone_sandhi(words) == said


@pytest.mark.parametrize("name", sorted(MUSIC))
def test_music_loops_without_a_seam(name: str) -> None:
    loop = MUSIC[name]()
    steps = np.abs(np.diff(loop))
    assert abs(loop[0] - loop[-1]) <= steps.max()
    assert np.max(np.abs(loop)) < 0.5
