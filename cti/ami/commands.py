"""Every action this product may ask of Asterisk, and the one encoder all of them go through (S02, S06). Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ticketing.errors import Invalid

#: longest value, bytes; Asterisk cuts a line at 1,024
VALUE_CAP: Final = 512
LINES_CAP: Final = 40


class Answer(Enum):
    """What Asterisk sends back."""

    ONE = "one"
    #: a start, items, and an event named `...Complete`
    LIST = "list"
    #: `Response: Success` at once, and `OriginateResponse` when the call is decided
    ORIGINATE = "originate"


_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_INTERFACE: Final = re.compile(r"PJSIP/[A-Za-z0-9_-]{1,32}")
_CHANNEL: Final = re.compile(r"(?:PJSIP|Local)/[A-Za-z0-9_@.;-]{1,120}")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: a place calls may be sent to: contexts of ours only
_CONTEXT: Final = re.compile(r"cti-[a-z-]{1,40}")
#: what can be dialled or shown as a caller's number (S02)
_NUMBER: Final = re.compile(r"\+?[0-9*#]{1,32}")
_SMALL: Final = re.compile(r"[0-9]{1,6}")
#: Asterisk splits `Variable` at commas
_VARIABLE: Final = re.compile(r"_{0,2}CTI_[A-Z_]{1,32}=[A-Za-z0-9+*#._:/@-]{0,128}")
_FLAG: Final = re.compile(r"true|false")
#: the two fences of the dialplan: an attempt's own name, or a number of the mainland (S06)
_OUT: Final = re.compile(
    r"Local/(?:[A-Za-z0-9][A-Za-z0-9._-]{0,63}@cti-out|(?:1[3-9][0-9]{9}|0[1-9][0-9]{8,10})@cti-dial)"
)
_LINE: Final = re.compile(r"[^\r\n]{1,512}")

#: action to the keys it may carry and the pattern of each value; what is not here cannot be sent
ALLOWED: Final[Mapping[str, Mapping[str, re.Pattern[str]]]] = {
    "Login": {"Username": _NAME, "Secret": _LINE, "Events": re.compile(r"on|off")},
    "Logoff": {},
    "Ping": {},
    "CoreStatus": {},
    "CoreSettings": {},
    "CoreShowChannels": {},
    "QueueStatus": {"Queue": _NAME, "Member": _INTERFACE},
    "QueueAdd": {
        "Queue": _NAME,
        "Interface": _INTERFACE,
        "MemberName": _LINE,
        "StateInterface": _INTERFACE,
        "Penalty": _SMALL,
        "Paused": _FLAG,
    },
    "QueueRemove": {"Queue": _NAME, "Interface": _INTERFACE},
    "QueuePause": {"Queue": _NAME, "Interface": _INTERFACE, "Paused": _FLAG, "Reason": _LINE},
    "Originate": {
        "Channel": _OUT,
        "ChannelId": _ID,
        "OtherChannelId": _ID,
        "Context": _CONTEXT,
        "Exten": _ID,
        "Priority": _SMALL,
        "Timeout": _SMALL,
        "CallerID": _NUMBER,
        "Async": _FLAG,
        "Variable": _VARIABLE,
    },
    "Redirect": {"Channel": _CHANNEL, "Context": _CONTEXT, "Exten": _ID, "Priority": _SMALL},
    "Hangup": {"Channel": _CHANNEL, "Cause": _SMALL},
    "Setvar": {"Variable": re.compile(r"CTI_PROBE"), "Value": _SMALL},
}
_LISTS: Final = frozenset({"CoreShowChannels", "QueueStatus"})


@dataclass(frozen=True, slots=True)
class Command:
    """One action, checked when it is made: whatever exists may be sent."""

    name: str
    #: in the order they are sent; a key may be repeated
    fields: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        keys = ALLOWED.get(self.name)
        if keys is None:
            raise Invalid("bad_ami_action", "this action is never sent", field="Action")
        if len(self.fields) > LINES_CAP:
            raise Invalid("bad_ami_action", "too many lines", field="Action")
        for key, value in self.fields:
            pattern = keys.get(key)
            if pattern is None:
                raise Invalid("bad_ami_key", "this action has no such key", field=key[:64])
            if not _plain(value) or pattern.fullmatch(value) is None:
                raise Invalid("bad_ami_value", "this value cannot be sent to Asterisk", field=key)

    @property
    def answer(self) -> Answer:
        """What the link waits for."""
        if self.name == "Originate":
            return Answer.ORIGINATE
        return Answer.LIST if self.name in _LISTS else Answer.ONE

    def __repr__(self) -> str:
        return f"<Command {self.name}>"


def encode(command: Command, action_id: str) -> str:
    """The text of exactly one action, with its empty line. Everything sent to Asterisk is made here."""
    if _ID.fullmatch(action_id) is None:
        raise Invalid("bad_ami_value", "this value cannot be sent to Asterisk", field="ActionID")
    lines = [("Action", command.name), ("ActionID", action_id), *command.fields]
    return "".join(f"{key}: {value}\r\n" for key, value in lines) + "\r\n"


def _plain(value: str) -> bool:
    """True for text of one line without control characters, separators, private or broken code points."""
    if value.isascii():
        return value.isprintable() and len(value) <= VALUE_CAP
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for char in value):
        return False
    return len(value.encode()) <= VALUE_CAP


def _command(name: str, **fields: str) -> Command:
    return Command(name, tuple((key, value) for key, value in fields.items() if value))


def _flag(value: bool) -> str:
    return "true" if value else "false"


def login(username: str, secret: str, *, events: bool = True) -> Command:
    """Open the session; `events` False for an account that only acts."""
    return _command("Login", Username=username, Secret=secret, Events="on" if events else "off")


def logoff() -> Command:
    """End the session in good order."""
    return Command("Logoff")


def ping() -> Command:
    """Sign of life."""
    return Command("Ping")


#: how the event begins that `probe_filter` raises
PROBE: Final = b"Event: VarSet\r\n"


def probe_filter() -> Command:
    """Sets a global nobody reads: it raises a VarSet event, which a session whose event filter holds never sees.

    manager.conf must not disable that event for everybody, or nothing would be proved.
    """
    return _command("Setvar", Variable="CTI_PROBE", Value="1")


def core_status() -> Command:
    """Start and reload times of Asterisk."""
    return Command("CoreStatus")


def core_settings() -> Command:
    """Version of Asterisk and of AMI."""
    return Command("CoreSettings")


def core_show_channels() -> Command:
    """All channels, each with its call id."""
    return Command("CoreShowChannels")


def queue_status(queue: str = "", member: str = "") -> Command:
    """Queues, members and waiting callers; of one queue or member when given."""
    return _command("QueueStatus", Queue=queue, Member=member)


def queue_add(
    queue: str,
    interface: str,
    member_name: str,
    state_interface: str = "",
    *,
    penalty: int = 0,
    paused: bool = False,
) -> Command:
    """Sign an agent's phone into a queue. The reason of a pause goes by `queue_pause`: QueueAdd has no key for it."""
    return _command(
        "QueueAdd",
        Queue=queue,
        Interface=interface,
        MemberName=member_name,
        StateInterface=state_interface or interface,
        Penalty=str(penalty),
        Paused=_flag(paused),
    )


def queue_remove(queue: str, interface: str) -> Command:
    """Sign a phone out of a queue; Asterisk refuses it for members of queues.conf."""
    return _command("QueueRemove", Queue=queue, Interface=interface)


def queue_pause(interface: str, paused: bool, reason: str = "", queue: str = "") -> Command:
    """Pause or free a member, in all queues unless one is named."""
    return _command("QueuePause", Interface=interface, Paused=_flag(paused), Reason=reason, Queue=queue)


def originate(
    attempt: str,
    context: str,
    extension: str,
    *,
    caller_id: str,
    timeout_ms: int,
    variables: Mapping[str, str],
    channel_id: str,
    other_channel_id: str,
    fence: str = "",
) -> Command:
    """Dial the number that the attempt's row holds, through the fence `cti-out` (S06), then go on at `context`.

    Or through another `fence`, `number@cti-dial`, when the customer is called first.

    Only the attempt's id travels; the dialplan asks for the number. `channel_id` makes Asterisk refuse a second
    living call of the same attempt (P33).
    """
    fields = (
        ("Channel", f"Local/{fence or f'{attempt}@cti-out'}"),
        ("ChannelId", channel_id),
        ("OtherChannelId", other_channel_id),
        ("Context", context),
        ("Exten", extension),
        ("Priority", "1"),
        ("Timeout", str(timeout_ms)),
        ("CallerID", caller_id),
        ("Async", "true"),
        *(("Variable", f"{name}={value}") for name, value in variables.items()),
    )
    return Command("Originate", fields)


def redirect(channel: str, context: str, extension: str) -> Command:
    """Send a channel to another place of the dialplan, ours only."""
    return _command("Redirect", Channel=channel, Context=context, Exten=extension, Priority="1")


def hangup(channel: str, cause: int = 16) -> Command:
    """End a channel; 16 is a normal end."""
    return _command("Hangup", Channel=channel, Cause=str(cause))
