"""Are Asterisk's ports free? Asked before it starts, because Asterisk itself would start without the interface."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cti.asterisk.errors import PortTaken
from cti.asterisk.settings import AsteriskSettings

#: pairs of ports for media without which not even one call has sound: one for each of its legs
LEGS: Final = 2


def check(settings: AsteriskSettings) -> None:
    """Raises PortTaken naming the port, its setting, and who holds it if this user may know."""
    if (said := media(settings)) is not None:
        raise PortTaken(f"{said}: end that program, or set another rtp_start and rtp_end")
    for setting, kind, address, port in needed(settings):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                raise PortTaken(_complaint(setting, kind, address, port, error)) from error


def needed(settings: AsteriskSettings) -> Iterator[tuple[str, socket.SocketKind, str, int]]:
    """Setting, kind, address and number of every port Asterisk listens on."""
    yield "sip_port", socket.SOCK_DGRAM, settings.sip_bind, settings.sip_port
    yield "sip_port", socket.SOCK_STREAM, settings.sip_bind, settings.sip_port
    yield "ami_port", socket.SOCK_STREAM, settings.bind, settings.ami_port
    yield "http_port", socket.SOCK_STREAM, settings.bind, settings.http_port


def media(settings: AsteriskSettings) -> str | None:
    """What keeps every call from having sound, None when there are ports: an even one for sound and the next for its
    control. Asterisk itself would start, answer, and leave caller and agent in silence."""
    first = settings.rtp_start + settings.rtp_start % 2
    pairs = range(first, settings.rtp_end, 2)
    free = 0
    for port in pairs:
        free += _free(settings.sip_bind, port) and _free(settings.sip_bind, port + 1)
        if free == LEGS:
            return None
    who = next(filter(None, (holder("udp", port) for port in pairs)), None)
    held = f"are held, the first by {who}" if who else "cannot be used"
    return f"the UDP ports {settings.rtp_start}-{settings.rtp_end} for the calls' media {held}"


def _free(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def _complaint(setting: str, kind: socket.SocketKind, address: str, port: int, error: OSError) -> str:
    protocol = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
    who = holder(protocol.lower(), port)
    reason = f"is held by {who}" if who else f"cannot be used ({error.strerror})"
    return f"{protocol} port {port} on {address} {reason}: end that program, or set another {setting}"


def holder(protocol: str, port: int) -> str | None:
    """The program that listens on a `tcp` or `udp` port; None when nobody does, or this user may not know."""
    inodes = set()
    for table in (protocol, f"{protocol}6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                listening = protocol == "udp" or fields[3] == "0A"
                if listening and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if any(str(link.readlink()) in inodes for link in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text(encoding='utf-8').strip()} (process {process.name})"
    return None
