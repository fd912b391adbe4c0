"""Settings of the telephone exchange: where it lives, its ports, its phones and the numbers it serves. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, model_validator

#: The checkout (or the installed tree) this file belongs to.
HOME: Final = Path(__file__).resolve().parents[2]

Port = int
_PORT = Field(ge=1, le=65535)
_NUMBER = r"^[0-9]{3,8}$"
#: `sip:host:port`, or nothing
TRUNK_OUT: Final = r"^(sip:[A-Za-z0-9.-]{1,253}:[0-9]{1,5})?$"


class Phone(BaseModel):
    """One agent's phone; the interface in the queues is `PJSIP/<number>`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the agent's number (工号)
    number: str = Field(pattern=_NUMBER)
    #: `desk`: a SIP phone with a secret that stays; `browser`: WebRTC with a secret per sign-in
    kind: Literal["desk", "browser"] = "desk"


class Dnis(BaseModel):
    """One number that callers dial, with the language and the notice they hear first (TL-01)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: str = Field(pattern=r"^[0-9]{3,15}$")
    language: Literal["zh", "en"] = "zh"
    #: prompt id of the recording notice
    notice: str = Field(default="notice", pattern=r"^[a-z0-9-]{1,40}$")
    #: version of that prompt, stored on every call that heard it
    notice_version: int = Field(default=0, ge=0)


def _sample_roster() -> tuple[Phone, ...]:
    kinds: dict[str, Literal["desk", "browser"]] = {"1002": "desk"}
    numbers = ("1001", "1002", "2001", "3001", "4001", "5001", "6001", "9001")
    return tuple(Phone(number=n, kind=kinds.get(n, "browser")) for n in numbers)


class AsteriskSettings(BaseModel):
    """Everything the rendering of asterisk-conf needs to know about this machine.

    With `managed = False` nothing is installed, rendered or started: the exchange runs elsewhere, and only the AMI
    address and account, the AGI address it reaches us by, and the voice folder count.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    managed: bool = True
    #: configuration, sockets, logs, voice files of the running exchange
    run_dir: Path
    #: where the sandbox is installed, shared by all run folders of the user
    cache_dir: Path
    #: the administrator's files
    conf_dir: Path = HOME / "asterisk-conf"
    #: prompts: zh/, en/ and moh/ inside
    prompts_dir: Path = HOME / "ivr" / "prompts"
    #: voice files; None = `voice` in the run folder
    spool_dir: Path | None = None

    #: address of manager and HTTP interface; loopback unless there is a very good reason
    bind: str = "127.0.0.1"
    #: address that desk phones and the trunk reach; 0.0.0.0 on a LAN
    sip_bind: str = "127.0.0.1"
    sip_port: Port = Field(default=5160, ge=1, le=65535)
    ami_host: str = "127.0.0.1"
    ami_port: Port = Field(default=5138, ge=1, le=65535)
    http_port: Port = Field(default=8188, ge=1, le=65535)
    rtp_start: Port = Field(default=20000, ge=1024, le=65535)
    rtp_end: Port = Field(default=20999, ge=1024, le=65535)
    #: our FastAGI server, as Asterisk reaches it
    agi_host: str = "127.0.0.1"
    agi_port: Port = Field(default=4673, ge=1, le=65535)

    roster: tuple[Phone, ...] = Field(default_factory=_sample_roster)
    #: version of the notice of numbers that are not listed
    notice_version: int = Field(default=0, ge=0)
    dnis: tuple[Dnis, ...] = (Dnis(number="1860"), Dnis(number="1861", language="en"))
    #: addresses or networks calls from outside come from
    trunk_hosts: tuple[IPvAnyNetwork, ...] = Field(default=("127.0.0.1/32",), validate_default=True)

    #: dead-man's limit for one AGI step, seconds (F07)
    step_seconds: int = Field(default=2, ge=1, le=30)
    #: longest wait in a queue before "all busy", seconds
    queue_seconds: int = Field(default=300, ge=1, le=7200)
    #: queue of callers whom the service could not route
    rescue_queue: str = Field(default="complaint", pattern=r"^[a-z][a-z0-9_-]{0,30}$")
    #: hooks of the dialplan that ask the service after a queue gave up, or after the talk
    overflow: bool = False
    survey: bool = False
    #: the product may place calls, over this contact, showing this number
    outbound: bool = False
    trunk_out: str = Field(default="", pattern=TRUNK_OUT)
    outbound_number: str = Field(default="1860", pattern=r"^[0-9]{3,15}$")

    @property
    def spool(self) -> Path:
        """Folder of the voice files."""
        return self.spool_dir or self.run_dir / "voice"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.rtp_end - self.rtp_start < 3:
            raise ValueError("rtp_end must be at least rtp_start + 3: every call needs two ports for each of its legs")
        numbers = [phone.number for phone in self.roster]
        if doubled := sorted({n for n in numbers if numbers.count(n) > 1}):
            raise ValueError(f"phone numbers listed twice: {', '.join(doubled)}")
        if self.outbound and not self.trunk_out:
            raise ValueError("outbound needs trunk_out, where calls are sent")
        tcp = [self.ami_port, self.http_port]
        if len(set(tcp)) != len(tcp):
            raise ValueError("ami_port and http_port must differ")
        return self
