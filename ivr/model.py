"""The menu tree, dialled lines, routing rules and opening hours as frozen values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Final, Literal

Lang = Literal["zh", "en"]
LANGUAGES: Final[tuple[Lang, ...]] = ("zh", "en")

#: Keys with one meaning in every menu (TL-02).
PERSON_KEY: Final = "0"
BACK_KEY: Final = "*"
REPEAT_KEY: Final = "#"

#: What a rule may ask of a caller (`when` in routing.toml).
FACTS: Final = (
    "vip",
    "major",
    "important",
    "dedicated-line",
    "repeat",
    "overdue-repeat",
    "withheld",
    "unknown",
    "several",
    "nuisance",
    "manager-routing",
)

#: What a caller can wish for; routing.toml says what becomes of it.
INTENTS: Final = ("complaint", "suggestion", "person", "errors", "failure", "unknown-line")

#: Prompts the flow plays by name.
FLOW_PROMPTS: Final = (
    "invalid-key",
    "no-input",
    "please-hold",
    "silence",
    "closed-hours",
    "goodbye",
    "no-open-orders",
    "one-order",
    "several-orders-2",
    "several-orders-3",
    "several-orders-4",
    "several-orders-5",
    "several-orders-more",
    "order-nth-1",
    "order-nth-2",
    "order-nth-3",
    "order-nth-4",
    "order-nth-5",
    "number-withheld",
)

#: Prompts of the overflow dialogues and the survey, by name.
OVERFLOW_PROMPTS: Final = (
    *("all-busy", "overflow-offer", "overflow-menu", "place-kept", "closed-menu", "press-star", "queue-next"),
    *("wait-under-1", "wait-more", "queue-ahead-many", "order-number-repeat"),
    *("record-intro", "record-too-short", "record-silent", "record-limit", "record-review", "record-saved", "beep"),
    *("record-saved-plain", "record-saved-promise", "record-failed", "record-unavailable"),
    *("callback-intro", "callback-read-back", "callback-number-choice", "callback-other-number", "callback-bad-number"),
    *("callback-when", "callback-no-window", "callback-time-is", "callback-confirm", "callback-saved"),
    *("callback-exists", "callback-taken-over", "callback-cancelled", "callback-kept", "callback-failed"),
    *("callback-window-asap", "announcement-intro", "announcement-end"),
    *("survey-ask", "survey-ask-short", "survey-invalid"),
    *(f"{name}-{n}" for name in ("queue-ahead", "wait") for n in range(1, 11)),
    *(f"digit-{n}" for n in range(10)),
    *(f"press-{n}" for n in range(1, 10)),
)

#: A text in both languages.
Text = Mapping[Lang, str]


@dataclass(frozen=True, slots=True)
class Key:
    """What one key of a menu does."""

    go: str
    label: Text


@dataclass(frozen=True, slots=True)
class Menu:
    """A prompt and the keys that follow it."""

    name: str
    prompts: tuple[str, ...]
    #: Played after a wrong key or silence.
    again: tuple[str, ...]
    #: Where * leads; None at the top.
    back: str | None
    label: Text
    keys: Mapping[str, Key]


@dataclass(frozen=True, slots=True)
class Entry:
    """Keys collected until #."""

    name: str
    kind: Literal["serial", "service-number"]
    prompts: tuple[str, ...]
    #: Said when what was keyed cannot be right.
    wrong: str
    #: Said when nothing is found for it.
    unknown: str
    max_keys: int
    back: str
    #: Menu that follows what was found; None when the call goes on to a person.
    result: str | None
    label: Text


@dataclass(frozen=True, slots=True)
class LookUp:
    """Something found by the calling number, without keys."""

    name: str
    kind: Literal["caller-number"]
    back: str
    result: str


@dataclass(frozen=True, slots=True)
class Route:
    """The caller asks for somebody."""

    name: str
    intent: str
    #: For which callers the service number is asked first.
    identify: frozenset[str]


Node = Menu | Entry | LookUp | Route


@dataclass(frozen=True, slots=True)
class Line:
    """A number people dial (TL-01)."""

    dnis: str
    label: Text
    greeting: str
    #: The first is spoken, the others are offered.
    languages: tuple[Lang, ...]
    menu: str


@dataclass(frozen=True, slots=True)
class LanguageKey:
    key: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the routing table (TL-05, G14)."""

    code: str
    #: Empty = every intent.
    intents: frozenset[str]
    when: frozenset[str]
    queue: str
    #: -1 to 20, larger is served first.
    priority: int
    #: Prompt instead of the intent's; None = the intent's.
    say: str | None
    text: Text


@dataclass(frozen=True, slots=True)
class Routing:
    rules: tuple[Rule, ...]
    #: Prompt played before the queue, by intent.
    say: Mapping[str, str]
    manager_routing: bool
    #: The one sentence the agent reads, by reason code.
    reasons: Mapping[str, Text]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Opening times: make-up workdays win over holidays, holidays over the week."""

    name: str
    zone: str
    #: By weekday, Monday first; a span ends at `time.max` when written 24:00.
    week: tuple[tuple[tuple[time, time], ...], ...]
    holidays: tuple[tuple[date, date], ...]
    workdays: frozenset[date]
    makeup: tuple[tuple[time, time], ...]


@dataclass(frozen=True, slots=True)
class StateWords:
    """What an order's state sounds like."""

    say: str
    next: str | None


@dataclass(frozen=True, slots=True)
class Settings:
    #: Wrong keys and silences of one menu that are answered before a person takes over.
    tries: int
    #: Seconds after a prompt, and between keyed digits.
    wait_s: float
    #: Questions in one call before a person takes over.
    max_asks: int


@dataclass(frozen=True, slots=True)
class Survey:
    tries: int
    wait_s: float
    #: What is said to each grade.
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Terms:
    """What the overflow dialogues go by (overflow.toml)."""

    #: Wrong keys that are answered before the caller waits on.
    tries: int
    #: Seconds after a prompt.
    wait_s: float
    #: Longest message, seconds.
    limit_s: float
    #: Seconds of silence that end a message.
    silence_s: int
    #: A shorter message is asked for again, seconds.
    shortest_s: float
    #: With less sound than this a message counts as silent, seconds.
    speech_s: float
    #: Silent and short messages before something else is offered.
    record_tries: int
    max_takes: int
    #: Prompt before the beep, by queue.
    intro: Mapping[str, str]
    #: Times of a callback that are read out at most.
    max_windows: int
    #: Digits of another number.
    max_keys: int
    #: Menu of key 3 outside opening hours.
    progress: str
    survey: Survey


@dataclass(frozen=True)
class Tree:
    """Everything the menus are made of, as it was when it was loaded; a call keeps the one it began with (TL-03)."""

    settings: Settings
    nodes: Mapping[str, Node]
    language_keys: Mapping[Lang, LanguageKey]
    lines: Mapping[str, Line]
    unknown_greeting: str
    unknown_language: Lang
    routing: Routing
    states: Mapping[str, StateWords]
    calendars: Mapping[str, Calendar]
    #: Calendar name by queue.
    queue_calendar: Mapping[str, str]
    #: Length of each prompt in seconds.
    seconds: Mapping[tuple[str, str], float]
    terms: Terms

    def menu(self, name: str) -> Menu:
        node = self.nodes[name]
        assert isinstance(node, Menu), name
        return node

    def entry(self, name: str) -> Entry:
        node = self.nodes[name]
        assert isinstance(node, Entry), name
        return node

    def reason(self, code: str, lang: Lang) -> str:
        """The sentence for a reason code; the code itself when nobody wrote one."""
        text = self.routing.reasons.get(code)
        return code if text is None else text[lang]

    def label(self, node: str, key: str, lang: Lang) -> str:
        """What one step of the walked path is called on the agent's page."""
        step = _STEP_WORDS.get((node, key)) or _STEP_WORDS.get((node, ""))
        if step is not None:
            return step[lang]
        found = self.nodes.get(node)
        if isinstance(found, Menu) and key in found.keys:
            return found.keys[key].label[lang]
        common = _KEY_WORDS.get(key)
        if common is not None:
            return common[lang]
        return found.label[lang] if isinstance(found, Menu | Entry) else node


_KEY_WORDS: Final[Mapping[str, Text]] = {
    PERSON_KEY: {"zh": "人工", "en": "A person"},
    BACK_KEY: {"zh": "返回", "en": "Back"},
    REPEAT_KEY: {"zh": "重听", "en": "Repeat"},
    "8": {"zh": "普通话", "en": "Mandarin"},
    "9": {"zh": "英语", "en": "English"},
    "silence": {"zh": "没有按键", "en": "No key"},
    "entered": {"zh": "已输入号码", "en": "Number keyed in"},
}

#: Steps outside the menus: overflow, announcements, survey; with the key "" the node's own name.
_STEP_WORDS: Final[Mapping[tuple[str, str], Text]] = {
    ("overflow", ""): {"zh": "坐席全忙", "en": "All busy"},
    ("overflow", "1"): {"zh": "选择录音投诉", "en": "Chose to record"},
    ("overflow", "2"): {"zh": "选择预约回电", "en": "Chose a callback"},
    ("overflow", "3"): {"zh": "继续等待", "en": "Keeps waiting"},
    ("overflow", "silence"): {"zh": "继续等待", "en": "Keeps waiting"},
    ("closed", ""): {"zh": "非工作时间", "en": "Closed"},
    ("closed", "1"): {"zh": "选择录音投诉", "en": "Chose to record"},
    ("closed", "2"): {"zh": "选择预约回电", "en": "Chose a callback"},
    ("closed", "3"): {"zh": "查询进度", "en": "Progress"},
    ("record", ""): {"zh": "录音投诉", "en": "Recorded complaint"},
    ("record", "kept"): {"zh": "录音已受理", "en": "Recording accepted"},
    ("record", "silent"): {"zh": "录音无声", "en": "Recording silent"},
    ("record", "short"): {"zh": "录音太短", "en": "Recording too short"},
    ("callback", ""): {"zh": "预约回电", "en": "Callback"},
    ("callback", "booked"): {"zh": "回电已预约", "en": "Callback booked"},
    ("callback", "taken-over"): {"zh": "按预约次序排队", "en": "Took over the booked place"},
    ("callback", "cancelled"): {"zh": "回电已取消", "en": "Callback cancelled"},
    ("announcement", ""): {"zh": "公告", "en": "Announcement"},
    ("survey", ""): {"zh": "满意度评价", "en": "Grade"},
}
