"""Every setting of the service, with its unit, its default and where it may come from.

Read from `hotline.toml` (the file named by `HOTLINE_CONFIG`, else the working folder's) and from environment variables
`HOTLINE_<NAME>`, which win. Defaults that no requirement gives are marked `default`.
"""

from __future__ import annotations

import os
import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ticketing.errors import Invalid

_PREFIX: Final = "HOTLINE_"
#: variables with our prefix that are no settings of the service: of this module, the installation and the tests
_NO_SETTINGS: Final = frozenset(
    {
        "HOTLINE_CONFIG",
        "HOTLINE_WHEELS",
        "HOTLINE_TEST_ALL",
        "HOTLINE_TEST_LONG",
        "HOTLINE_TEST_SEARCH",
        "HOTLINE_BENCH_CACHE",
    }
)

#: several words: a list in the file, separated by commas in a variable
Words = Annotated[tuple[str, ...], NoDecode]


def default_cache() -> Path:
    """Where the sandbox of Asterisk is kept between checkouts: `$XDG_CACHE_HOME/hotline` or `~/.cache/hotline`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "hotline"


class Settings(BaseSettings):
    """One installation. Lengths of time carry their unit in the name."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="forbid", frozen=True)

    #: folder of everything this installation writes: database, voice files, journal, secrets, Asterisk's run folder
    home: Path = Path("var")
    #: folder of the Asterisk sandbox, shared by installations of one user
    cache_dir: Path = Field(default_factory=default_cache)
    #: folder of Asterisk's own files, which an administrator owns
    asterisk_conf: Path = Path(__file__).resolve().parent.parent / "asterisk-conf"
    #: folder of menus, numbers dialled, routing and opening hours
    ivr_data: Path = Path(__file__).resolve().parent.parent / "ivr" / "data"
    #: `sqlite+aiosqlite:///FILE` or `postgresql+asyncpg://…`; empty means `hotline.db` in `home`
    database_url: str = ""

    #: address the page, the interface, the stream and the browser phones share
    http_host: str = "127.0.0.1"
    #: its port; 0 takes any free one
    http_port: int = Field(8080, ge=0, le=65535)
    #: `off` (localhost only), `self` (self-made certificate) or `files` (tls_certificate, tls_key)
    tls: Literal["off", "self", "files"] = "off"
    #: PEM file with the certificate and its chain, for `tls = files`
    tls_certificate: Path | None = None
    #: PEM file with its key
    tls_key: Path | None = None
    #: file with the token that readers of `/metrics` (Prometheus) must send as `Authorization: Bearer …`; without it
    #: only this machine may read them, and nothing that a proxy passes on
    metrics_token_file: Path | None = None
    #: further host names or addresses the page is opened by
    public_hosts: Words = ()

    #: `sandbox` starts our own Asterisk; `remote` connects to one that is run elsewhere
    asterisk: Literal["sandbox", "remote"] = "sandbox"
    #: address Asterisk's SIP and media are reached at
    sip_host: str = "127.0.0.1"
    #: port of SIP, over UDP and TCP
    sip_port: int = Field(15060, ge=1, le=65535)
    #: first port of the calls' media, over UDP
    rtp_start: int = Field(20000, ge=1024, le=65535)
    #: last port of the calls' media; a call needs two for each of its legs
    rtp_end: int = Field(20999, ge=1024, le=65535)
    #: address of Asterisk's manager interface
    ami_host: str = "127.0.0.1"
    #: its port
    ami_port: int = Field(15038, ge=1, le=65535)
    #: the service's account in it, for `asterisk = remote`
    ami_username: str = Field("bridge", pattern=r"^[A-Za-z0-9_.-]{1,80}$")
    #: file with that account's secret, for `asterisk = remote`
    ami_secret_file: Path | None = None
    #: file with the last element of its `CTI_AGI`, for `asterisk = remote`
    agi_secret_file: Path | None = None
    #: file with its `CTI_TOKEN`, for `asterisk = remote`
    event_token_file: Path | None = None
    #: addresses or networks that calls from outside come from
    trunk_hosts: Words = ("127.0.0.1/32",)
    #: port of Asterisk's own web server, to which browser phones are relayed
    asterisk_http_port: int = Field(18088, ge=1, le=65535)
    #: address our FastAGI server, the menus, listens at
    agi_host: str = "127.0.0.1"
    #: its port
    agi_port: int = Field(14573, ge=1, le=65535)
    #: what a remote Asterisk reaches it by; empty means `agi_host`
    agi_advertised: str = ""
    #: where Asterisk leaves voice files, as this service sees it; empty means the run folder of our own Asterisk
    spool: Path | None = None
    #: Asterisk's log folder as this service sees it, with `queue_log` and `cel-custom/hotline.csv`: what was missed
    #: while nobody listened is read there; empty means our own Asterisk's, and nothing for `asterisk = remote`
    asterisk_log: Path | None = None

    #: the product may place calls; nothing is dialled while it is off
    outbound: bool = False
    #: where it places them, `sip:host:port`; needed when `outbound` is on
    trunk_out: str = Field("", pattern=r"^(sip:[A-Za-z0-9.-]{1,253}:[0-9]{1,5})?$")
    #: booked callbacks are dialled; needs `outbound`
    callbacks: bool = False
    #: who is called first. `agent-first`: an agent is kept, then the customer is called, so that nobody meets a robot.
    #: `customer-first`: the customer is called, presses 1 and waits in the place of his booking
    callback_mode: Literal["agent-first", "customer-first"] = "agent-first"
    #: file of how callbacks are offered and dialled: quiet hours, attempts, spacing, windows
    callback_policy: Path = (
        Path(__file__).resolve().parent.parent / "ticketing" / "callbacks" / "data" / "callbacks.toml"
    )
    #: the hotline's number as people see it whom the product calls
    callback_caller_id: str = Field("1860", pattern=r"^[0-9]{3,15}$")

    #: how text messages and e-mails leave (TL-25). `off`: none are made. `file`: each becomes a file in `messages` of
    #: `home`. `http`: each is sent to `message_url`
    message_gateway: Literal["off", "file", "http"] = "off"
    #: address of the operator's gateway, needed for `message_gateway = http`: it gets JSON with `id`, `means`, `to` and
    #: `text`, and the id as `Idempotency-Key`
    message_url: str = Field("", pattern=r"^(https?://[^\s]{1,500})?$")
    #: file with the token it asks for, sent as `Authorization: Bearer …`
    message_token_file: Path | None = None
    #: seconds it may take for one message; then it is tried again (default)
    message_seconds: float = Field(5.0, gt=0, le=30)
    #: file of what is said to whom: templates in both languages, addresses of departments
    message_rules: Path = Path(__file__).resolve().parent.parent / "ticketing" / "notices" / "data" / "notices.toml"

    #: who waits while everybody is busy may leave a recorded complaint or book a callback (TL-20)
    overflow: bool = True
    #: seconds a caller waits in a queue before he is offered something else, or waits once more (default)
    queue_seconds: int = Field(300, ge=1, le=7200)
    #: the caller is asked for a grade by key after the agent has hung up (TL-08)
    survey: bool = True
    #: load the sample operator at start (staff without passwords, customers, orders)
    sample: bool = True
    #: seconds after a call in which the agent completes the order (default)
    wrap_up_seconds: float = Field(30.0, ge=0)
    #: unanswered offers in a row after which an agent is paused (TL-11) (default)
    misses_before_pause: int = Field(3, ge=1)
    #: an abandoned call shorter than this is a short abandon (TL-12) (default)
    short_abandon_seconds: float = Field(5.0, ge=0)
    #: agent-answer target of CT-02
    answer_target_seconds: float = Field(15.0, gt=0)
    #: a search with free conditions that takes longer is ended, and told what to narrow (AU-03) (default)
    search_seconds: float = Field(5.0, gt=0, le=14)
    #: orders one spreadsheet may hold (default)
    export_rows: int = Field(50_000, ge=1, le=1_000_000)
    #: free disk below which the service does not start, MiB (default)
    disk_floor_mib: int = Field(512, ge=0)
    #: bytes of raw telephony events kept on disk (TL-71) (default)
    journal_bytes: int = Field(256 * 1024 * 1024, ge=1024 * 1024)
    #: days they are kept at most: no longer than calls and their recordings are to be kept (TL-71) (default)
    journal_days: int = Field(90, ge=1)
    #: area code that local numbers belong to, digits with the leading 0 (TL-04) (default)
    area_code: str = "010"
    #: the quietest level that is written to `log/hotline.jsonl` in `home`
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("public_hosts", "trunk_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("sip_host", "ami_host", "agi_host")
    @classmethod
    def _address(cls, value: str) -> str:
        if value != "localhost":
            ip_address(value)
        return value

    @field_validator("trunk_hosts")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            ip_network(host)
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.rtp_end - self.rtp_start < 3:
            raise ValueError("rtp_end must be at least rtp_start + 3: every call needs two ports for each of its legs")
        ours = {"http_port": self.http_port, "agi_port": self.agi_port}
        if self.asterisk == "sandbox":
            ours |= {
                "sip_port": self.sip_port,
                "ami_port": self.ami_port,
                "asterisk_http_port": self.asterisk_http_port,
            }
        taken: dict[int, str] = {}
        for name, port in ours.items():
            if port and (other := taken.setdefault(port, name)) != name:
                raise ValueError(f"{other} and {name} are both {port}")
        if self.outbound and not self.trunk_out:
            raise ValueError("outbound needs trunk_out, where calls are sent")
        if self.callbacks and not self.outbound:
            raise ValueError("callbacks needs outbound")
        if self.message_gateway == "http" and not self.message_url:
            raise ValueError("message_gateway = http needs message_url, where messages are sent")
        if self.asterisk == "remote":
            needed = ("spool", "ami_secret_file", "agi_secret_file", "event_token_file")
            if missing := [name for name in needed if getattr(self, name) is None]:
                raise ValueError(f"asterisk = remote needs {', '.join(missing)}")
        if self.tls == "files" and (self.tls_certificate is None or self.tls_key is None):
            raise ValueError("tls = files needs tls_certificate and tls_key")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then the TOML file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=config_file())

    @property
    def database(self) -> str:
        """The database address in force."""
        return self.database_url or f"sqlite+aiosqlite:///{(self.home / 'hotline.db').resolve()}"

    def make_home(self) -> None:
        """Makes `home`, which only its owner may enter (S24). Raises OSError."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def asterisk_run(self) -> Path:
        """Run folder of the sandboxed Asterisk."""
        return (self.home / "asterisk").resolve()

    @property
    def journals(self) -> Path | None:
        """Asterisk's log folder in force; None when it cannot be read from here."""
        if self.asterisk_log is not None:
            return self.asterisk_log
        return self.asterisk_run / "log" if self.asterisk == "sandbox" else None

    @property
    def secrets_dir(self) -> Path:
        """Folder of generated secrets, mode 0700, files 0600 (S24)."""
        return (self.home / "secrets").resolve()

    @property
    def papers_root(self) -> Path:
        """Folder of the scans of papers: nothing in it is served but through its own checked routes."""
        return (self.home / "papers").resolve()

    @property
    def messages_root(self) -> Path:
        """Folder of the messages that leave as files."""
        return (self.home / "messages").resolve()

    @property
    def recordings_root(self) -> Path:
        """Folder of the checked voice files."""
        return (self.home / "recordings").resolve()

    @property
    def journal_dir(self) -> Path:
        """Folder of the raw event ring (TL-71)."""
        return (self.home / "journal").resolve()


def config_file() -> Path:
    """The TOML file that settings are read from; it need not exist unless `HOTLINE_CONFIG` names it."""
    return Path(os.environ.get("HOTLINE_CONFIG", "hotline.toml"))


def load(**given: object) -> Settings:
    """Settings in force; raises Invalid `bad_setting` naming the setting, what is wrong, and where it is set."""
    file = config_file()
    if "HOTLINE_CONFIG" in os.environ and not file.is_file():
        raise Invalid("bad_setting", f"HOTLINE_CONFIG names {file}, which does not exist", field="HOTLINE_CONFIG")
    known = {_PREFIX + name.upper() for name in Settings.model_fields} | _NO_SETTINGS
    for name in sorted(os.environ):
        if name.startswith(_PREFIX) and name not in known:
            raise Invalid("bad_setting", f"variable {name}: there is no such setting (docs/settings.md)", field=name)
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            said = "there is no such setting (docs/settings.md)"
        told = f"setting {name}: {said} (set {_source(name, given, file)})" if name else f"settings: {said}"
        raise Invalid("bad_setting", told, field=name) from None
    except (ValueError, OSError) as error:
        raise Invalid("bad_setting", f"{file} is not readable TOML: {error}", field="HOTLINE_CONFIG") from None


def _source(name: str, given: dict[str, object], file: Path) -> str:
    """Where a setting got its value, in the order of precedence."""
    top = name.partition(".")[0]
    if top in given:
        return "on the command line"
    if _PREFIX + top.upper() in os.environ:
        return f"by the variable {_PREFIX}{top.upper()}"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    here = (number for number, line in enumerate(lines, 1) if re.match(rf"\s*\"?{re.escape(top)}\"?\s*[=.]", line))
    return f"in {file}:{next(here, 1)}"
