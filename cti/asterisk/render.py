"""Renders asterisk-conf into a run folder: the administrator's files as they are, the machine's facts beside them.

What is rendered lies in `etc/rendered/` (mode 0600, it holds secrets) and is written anew at every start.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cti.asterisk.errors import AsteriskError
from cti.asterisk.provision import Installation
from cti.asterisk.secrets import Secrets, write_private
from cti.asterisk.settings import AsteriskSettings, Phone
from ivr.variables import ON_EVENTS

LANGUAGES: Final = ("zh", "en")

#: sun_path holds 108 bytes with its closing NUL
_SOCKET_LIMIT: Final = 107

#: Read rights and write rights of the two manager accounts (S01).
ACCOUNTS: Final = {
    "bridge": ("system,call,agent,user,dialplan", "reporting,agent,call"),
    "dialler": ("call", "originate"),
}

#: The events each account is sent; everything else is filtered at the source. Names are exact.
EVENTS: Final = {
    "bridge": (
        *("FullyBooted", "Shutdown", "Reload", "UserEvent", "Newchannel", "Newstate", "Hangup", "Rename"),
        *("QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon", "AgentCalled", "AgentConnect", "AgentComplete"),
        *("AgentRingNoAnswer", "AgentDump", "QueueMemberAdded", "QueueMemberRemoved", "QueueMemberPause"),
        *("QueueMemberStatus", "QueueMemberPenalty", "QueueMemberRingInUse", "BridgeEnter", "BridgeLeave"),
        *("BridgeMerge", "BlindTransfer", "AttendedTransfer", "Hold", "Unhold", "ContactStatus", "DeviceStateChange"),
        *("MixMonitorStart", "MixMonitorStop", "MixMonitorMute", "LocalBridge", "LocalOptimizationEnd"),
    ),
    "dialler": ("OriginateResponse", "FullyBooted", "DialEnd", "Hangup"),
}

#: Kept from an account in spite of the list above. The first event of a call from the trunk repeats what the caller
#: wrote, before the dialplan could clean it. It is looked for in the whole event, so that no line of his can hide it.
NOT_SENT: Final = {
    "bridge": ("eventfilter(action(exclude),name(Newchannel),method(contains)) = Context: from-trunk",),
}

_HOOK: Final = """\
#!/bin/sh
# Marks the voice files of one call complete. Asterisk runs it when it has closed them, with the call id only.
case "$1" in
  *[!0-9-]*|"") exit 1 ;;
esac
umask 077
: > "{spool}/$1.done"
"""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A rendered exchange, ready to be started."""

    root: Path
    installation: Installation
    settings: AsteriskSettings
    secrets: Secrets

    @property
    def conf(self) -> Path:
        """asterisk.conf, given to Asterisk by -C."""
        return self.root / "etc" / "asterisk.conf"

    @property
    def rendered(self) -> Path:
        """The machine-dependent files."""
        return self.root / "etc" / "rendered"

    @property
    def control(self) -> Path:
        """Control socket."""
        return self.root / "run" / "asterisk.ctl"

    @property
    def pid_file(self) -> Path:
        """Written by Asterisk."""
        return self.root / "run" / "asterisk.pid"

    @property
    def voice(self) -> Path:
        """`<call_id>-in.wav`, `<call_id>-out.wav`, `<call_id>.done`."""
        return self.settings.spool

    @property
    def log(self) -> Path:
        """messages.log, console.log and queue_log."""
        return self.root / "log"

    @property
    def queue_log(self) -> Path:
        """The durable journal of queue calls, whole seconds."""
        return self.log / "queue_log"

    @property
    def cel(self) -> Path:
        """Channel event log as CSV, microseconds."""
        return self.log / "cel-custom" / "hotline.csv"


def render(installation: Installation, settings: AsteriskSettings, secrets: Secrets) -> RunFolder:
    """Builds the run folder. Raises AsteriskError when its path is too long for a socket or it cannot be written."""
    folder = RunFolder(settings.run_dir.resolve(), installation, settings, secrets)
    if len(str(folder.control).encode()) > _SOCKET_LIMIT:
        raise AsteriskError(f"the run folder's path is too long for a control socket: {folder.control}")
    try:
        _folders(folder)
        administrators_files(folder)
        _sounds(folder)
        for name, lines in rendered_files(settings, secrets):
            write_private(folder.rendered / name, "\n".join((_HEADER, *lines)) + "\n")
        write_private(folder.conf, "\n".join((_HEADER, *_asterisk_conf(folder))) + "\n")
        write_private(folder.root / "voice-done", _HOOK.format(spool=folder.voice.resolve()))
        (folder.root / "voice-done").chmod(0o700)
    except OSError as error:
        raise AsteriskError(f"the run folder {folder.root} cannot be written: {error}") from error
    return folder


_HEADER: Final = "; Rendered at start. Edit asterisk-conf/ or the settings, not this file."


def rendered_files(settings: AsteriskSettings, secrets: Secrets) -> Iterator[tuple[str, Iterable[str]]]:
    """Name and lines of every machine-dependent file."""
    yield "cti_globals.conf", _globals(settings, secrets)
    yield "queue_offer.conf", _queue_offer(settings)
    yield "manager_accounts.conf", _manager(settings, secrets)
    yield "pjsip_transports.conf", _transports(settings)
    yield "pjsip_trunk.conf", _trunk(settings)
    yield "pjsip_phones.conf", (line for phone in settings.roster for line in phone_lines(phone))
    yield "pjsip_secrets.conf", phone_secrets(settings.roster, secrets)
    yield "rtp_ports.conf", (f"rtpstart = {settings.rtp_start}", f"rtpend = {settings.rtp_end}")
    yield "http_bind.conf", (f"bindaddr = {settings.bind}", f"bindport = {settings.http_port}")


def _folders(folder: RunFolder) -> None:
    folder.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in ("etc", "run", "log", "log/cel-custom", "db", "varlib", "varlib/keys", "data", "spool", "agi-bin"):
        (folder.root / name).mkdir(exist_ok=True, mode=0o700)
    folder.rendered.mkdir(exist_ok=True, mode=0o700)
    folder.voice.mkdir(parents=True, exist_ok=True, mode=0o700)


def administrators_files(folder: RunFolder) -> None:
    """Copies the administrator's files as they are now; a reload of Asterisk reads the copies."""
    sources = sorted(folder.settings.conf_dir.glob("*.conf"))
    if not sources:
        raise AsteriskError(f"no configuration files in {folder.settings.conf_dir}")
    for source in sources:
        shutil.copyfile(source, folder.conf.parent / source.name)
    _rescue_script(folder)


def _rescue_script(folder: RunFolder) -> None:
    """Asterisk's own `AGI(rescue)`: this Python, since pyst2 is in it, and the administrator's script."""
    script = folder.root / "agi-bin" / "rescue.py"
    shutil.copyfile(folder.settings.conf_dir / "agi-bin" / "rescue.py", script)
    command = shlex.join((sys.executable, "-I", str(script), str(folder.voice.resolve())))
    starter = script.with_suffix("")
    write_private(starter, f"#!/bin/sh\nexec {command}\n")
    starter.chmod(0o700)


def _sounds(folder: RunFolder) -> None:
    data = folder.root / "data"
    for language in LANGUAGES:
        (data / "sounds" / language).mkdir(parents=True, exist_ok=True)
        _link(data / "sounds" / language / "hotline", folder.settings.prompts_dir / language)
    _link(data / "moh", folder.settings.prompts_dir / "moh")
    _link(data / "documentation", folder.installation.documentation)


def _link(link: Path, target: Path) -> None:
    if link.is_symlink():
        link.unlink()
    link.symlink_to(target.resolve())


def _asterisk_conf(folder: RunFolder) -> Iterator[str]:
    root = folder.root
    yield "[directories]"
    yield f"astetcdir => {root}/etc"
    yield f"astmoddir => {folder.installation.modules}"
    yield f"astvarlibdir => {root}/varlib"
    yield f"astdbdir => {root}/db"
    yield f"astkeydir => {root}/varlib"
    yield f"astdatadir => {root}/data"
    yield f"astagidir => {root}/agi-bin"
    yield f"astspooldir => {root}/spool"
    yield f"astrundir => {root}/run"
    yield f"astlogdir => {root}/log"
    yield f"astsbindir => {folder.installation.binary.parent}"
    yield "[options]"
    yield "live_dangerously = no"
    yield "hideconnect = yes"
    yield "dumpcore = no"
    yield "defaultlanguage = zh"
    yield "documentation_language = en_US"
    yield "[files]"
    yield "astctlpermissions = 0600"


def _globals(settings: AsteriskSettings, secrets: Secrets) -> Iterator[str]:
    yield f"CTI_TOKEN = {secrets.token}"
    yield f"CTI_AGI = agi://{settings.agi_host}:{settings.agi_port}/{secrets.agi}"
    yield f"CTI_SPOOL = {settings.spool.resolve()}"
    yield f"CTI_HOOK = {settings.run_dir.resolve()}/voice-done"
    yield f"CTI_STEP_SECONDS = {settings.step_seconds}"
    yield f"CTI_QUEUE_SECONDS = {settings.queue_seconds}"
    yield f"CTI_RESCUE_QUEUE = {settings.rescue_queue}"
    yield f"CTI_OVERFLOW = {'yes' if settings.overflow else 'no'}"
    yield f"CTI_SURVEY = {'yes' if settings.survey else 'no'}"
    yield f"CTI_OUTBOUND = {'yes' if settings.outbound else 'no'}"
    yield f"CTI_OUTBOUND_NUMBER = {settings.outbound_number}"
    yield "CTI_LANG_DEFAULT = zh"
    yield "CTI_NOTICE_DEFAULT = notice"
    yield f"CTI_NOTICE_VERSION_DEFAULT = {settings.notice_version}"
    for dnis in settings.dnis:
        yield f"CTI_LANG_{dnis.number} = {dnis.language}"
        yield f"CTI_NOTICE_{dnis.number} = {dnis.notice}"
        yield f"CTI_NOTICE_VERSION_{dnis.number} = {dnis.notice_version}"


def _queue_offer(settings: AsteriskSettings) -> Iterator[str]:
    """What waiting callers are offered in every queue (TL-20)."""
    if not settings.overflow:
        yield "; nothing is offered"
    else:
        yield "periodic-announce = hotline/overflow-offer"
        yield "context = cti-keys"


def _manager(settings: AsteriskSettings, secrets: Secrets) -> Iterator[str]:
    yield "[general](+)"
    yield f"bindaddr = {settings.bind}"
    yield f"port = {settings.ami_port}"
    yield f"channelvars = {','.join(ON_EVENTS)}"
    for name, secret in (("bridge", secrets.ami_bridge), ("dialler", secrets.ami_dialler)):
        read, write = ACCOUNTS[name]
        yield f"[{name}](account)"
        yield f"secret = {secret}"
        yield f"permit = {settings.bind}/255.255.255.255"
        yield f"read = {read}"
        yield f"write = {write}"
        for event in EVENTS[name]:
            yield f"eventfilter(action(include),name({event})) ="
        yield from NOT_SENT.get(name, ())


def _transports(settings: AsteriskSettings) -> Iterator[str]:
    for protocol in ("udp", "tcp"):
        yield f"[transport-{protocol}]"
        yield "type = transport"
        yield f"protocol = {protocol}"
        yield f"bind = {settings.sip_bind}:{settings.sip_port}"
    yield "[transport-ws]"
    yield "type = transport"
    yield "protocol = ws"
    yield f"bind = {settings.bind}"


def _trunk(settings: AsteriskSettings) -> Iterator[str]:
    yield "[trunk](trunk-endpoint)"
    if settings.outbound:
        yield "aors = trunk"
        yield "[trunk]"
        yield "type = aor"
        yield f"contact = {settings.trunk_out}"
    yield "[trunk-hosts]"
    yield "type = identify"
    yield "endpoint = trunk"
    for host in settings.trunk_hosts:
        yield f"match = {host}"


def phone_lines(phone: Phone) -> Iterator[str]:
    """Endpoint and address of one phone."""
    yield f"[{phone.number}]({phone.kind}-phone)"
    yield f"auth = {phone.number}"
    yield f"aors = {phone.number}"
    yield f'callerid = "{phone.number}" <{phone.number}>'
    yield f"[{phone.number}]({phone.kind}-aor)"


def phone_secrets(phones: Iterable[Phone], secrets: Secrets) -> Iterator[str]:
    """The file of its own that `phones.rotate` writes anew: one auth object for each phone."""
    for phone in phones:
        yield f"[{phone.number}]"
        yield "type = auth"
        yield "auth_type = digest"
        yield "realm = hotline"
        yield f"username = {phone.number}"
        yield f"password = {secrets.phone(phone.number)}"
