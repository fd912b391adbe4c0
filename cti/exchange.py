"""The settings of this installation as the settings of its Asterisk, and what lets the two talk to each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from cti.ami.link import AmiAccount
from cti.asterisk.secrets import Secrets
from cti.asterisk.settings import AsteriskSettings, Dnis, Phone
from cti.settings import Settings
from ivr.model import Line
from ivr.prompts import Manifest
from ticketing.errors import Invalid
from ticketing.roles import Action, may
from ticketing.staff.model import Agent, Staff

#: the recording notice every caller hears
NOTICE: Final = "notice"


def roster(people: Iterable[Staff], seated: Iterable[Agent] = ()) -> tuple[Phone, ...]:
    """A phone for everybody who may take calls: browser or desk, as whoever sits there signed in with it (an exchange
    that starts anew must know his phone as it is), else as the staff list says."""
    kinds: dict[str, Literal["desk", "browser"]] = {"desk": "desk", "browser": "browser"}
    now = {agent.number: agent.phone_kind for agent in seated}
    return tuple(
        Phone(number=person.number, kind=kinds[now.get(person.number, person.phone_kind).value])
        for person in people
        if may(person.posts, Action.TAKE_CALLS)
    )


def dialled(lines: Mapping[str, Line], manifest: Manifest) -> tuple[Dnis, ...]:
    """The numbers people dial, with the language and the notice they hear first (TL-01)."""
    return tuple(
        Dnis(
            number=line.dnis,
            language=line.languages[0],
            notice=NOTICE,
            notice_version=manifest.version(NOTICE, line.languages[0]),
        )
        for line in lines.values()
    )


def exchange_settings(
    settings: Settings,
    phones: tuple[Phone, ...] | None = None,
    numbers: tuple[Dnis, ...] | None = None,
    notice_version: int = 0,
) -> AsteriskSettings:
    """What cti.asterisk needs to know; without phones and numbers the shipped sample's."""
    given: dict[str, object] = {
        "managed": settings.asterisk == "sandbox",
        "run_dir": settings.asterisk_run,
        "cache_dir": settings.cache_dir,
        "conf_dir": settings.asterisk_conf,
        "spool_dir": settings.spool,
        "sip_bind": settings.sip_host,
        "sip_port": settings.sip_port,
        "ami_host": settings.ami_host,
        "ami_port": settings.ami_port,
        "http_port": settings.asterisk_http_port,
        "rtp_start": settings.rtp_start,
        "rtp_end": settings.rtp_end,
        "agi_host": settings.agi_advertised or settings.agi_host,
        "agi_port": settings.agi_port,
        "trunk_hosts": settings.trunk_hosts,
        "overflow": settings.overflow,
        "queue_seconds": settings.queue_seconds,
        "survey": settings.survey,
        "notice_version": notice_version,
        "outbound": settings.outbound,
        "trunk_out": settings.trunk_out,
        "outbound_number": settings.callback_caller_id,
    }
    if phones is not None:
        given["roster"] = phones
    if numbers is not None:
        given["dnis"] = numbers
    return AsteriskSettings.model_validate(given)


@dataclass(frozen=True, slots=True)
class Access:
    """What this service and its Asterisk know each other by."""

    account: AmiAccount
    #: last element of the address of the menus (S08)
    agi: str = field(repr=False)
    #: what genuine events carry (S03)
    token: str = field(repr=False)


def access(settings: Settings) -> Access:
    """The accounts and secrets in force: of our own Asterisk those it was started with, of a remote one the files'.

    Raises AsteriskError or Invalid naming the file that is missing, empty, or read by everybody.
    """
    if settings.asterisk == "remote":
        username, secret = settings.ami_username, _secret("ami_secret_file", settings.ami_secret_file)
        agi = _secret("agi_secret_file", settings.agi_secret_file)
        token = _secret("event_token_file", settings.event_token_file)
    else:
        own = Secrets.load_or_create(settings.secrets_dir)
        username, secret, agi, token = "bridge", own.ami_bridge, own.agi, own.token
    return Access(AmiAccount(settings.ami_host, settings.ami_port, username, secret), agi, token)


def metrics_token(settings: Settings) -> str:
    """What a reader of /metrics must send; empty without a setting. Raises Invalid naming a file that is no secret."""
    return "" if settings.metrics_token_file is None else _secret("metrics_token_file", settings.metrics_token_file)


def message_token(settings: Settings) -> str:
    """What the gateway of messages asks for; empty without a setting. Raises Invalid as above."""
    return "" if settings.message_token_file is None else _secret("message_token_file", settings.message_token_file)


def _secret(name: str, file: Path | None) -> str:
    """One line of a file that an administrator wrote (S24)."""
    try:
        if file is None:
            raise FileNotFoundError(2, "is not set")
        everybody = file.stat().st_mode & 0o007
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or "it is no text"
        raise Invalid("bad_setting", f"setting {name}: {file} cannot be read: {said}", field=name) from None
    if everybody:
        raise Invalid("bad_setting", f"setting {name}: {file} can be read by everybody: chmod 600", field=name)
    if not text or not text.isprintable() or " " in text:
        raise Invalid("bad_setting", f"setting {name}: {file} must hold one word, the secret", field=name)
    return text
