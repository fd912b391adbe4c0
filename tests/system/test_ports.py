"""What of the product can be reached: every socket its processes listen at, while a call is up (S30)."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path
from typing import Final

import pytest

from cti.asterisk.provision import Installation
from tests.system.house import ServiceHouse
from tests.system.stage import menus, working

pytestmark = pytest.mark.system

_LISTEN: Final = "0A"
#: sockets of one leg of a call: voice and its reports
_PER_LEG: Final = 2


def listening(pid: int) -> set[tuple[str, str, int]]:
    """(protocol, address, port) of every TCP socket a process listens at and every UDP socket it has, from /proc."""
    inodes = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(os.readlink(file).removeprefix("socket:[").removesuffix("]"))
        except FileNotFoundError:
            continue  # closed meanwhile
    found = set()
    for protocol in ("tcp", "udp", "tcp6", "udp6"):
        table = Path(f"/proc/{pid}/net/{protocol}")
        for line in table.read_text(encoding="ascii").splitlines()[1:] if table.exists() else ():
            fields = line.split()
            address, _, port = fields[1].partition(":")
            if fields[9] in inodes and (protocol.startswith("udp") or fields[3] == _LISTEN):
                found.add((protocol, _address(address), int(port, 16)))
    return found


def _address(written: str) -> str:
    """As the kernel writes it: groups of four bytes in the machine's order."""
    words = [struct.pack("=I", int(written[at : at + 8], 16)) for at in range(0, len(written), 8)]
    packed = b"".join(words)
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


@pytest.mark.req("S30", "S01", "S08")
async def test_only_what_is_documented_listens_and_only_on_this_machine(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    """As `make run` starts it: page, menus' service, SIP, manager, Asterisk's WebSocket, and the media of the call."""
    async with ServiceHouse(short_tmp / "h", ivr_data=menus(short_tmp, short=True)) as house, working(house) as stage:
        seat = await stage.seat("1002")
        pid = int((house.settings.asterisk_run / "run" / "asterisk.pid").read_text(encoding="ascii"))
        idle = listening(pid)
        caller = await stage.caller()
        await seat.phone.rings()
        await seat.phone.answer()
        await seat.agent.state("talking")
        settings = house.settings
        service, exchange = listening(house.process.pid), listening(pid)
        await seat.phone.hang_up()
        await caller.ended()
        await seat.free()
    assert {(protocol, port) for protocol, _, port in service} == {
        ("tcp", settings.http_port), ("tcp", settings.agi_port),
    }  # fmt: skip
    assert service == {("tcp", "127.0.0.1", settings.http_port), ("tcp", "127.0.0.1", settings.agi_port)}
    sip = {("udp", "127.0.0.1", settings.sip_port), ("tcp", "127.0.0.1", settings.sip_port)}
    accounts = {("tcp", "127.0.0.1", settings.ami_port), ("tcp", "127.0.0.1", settings.asterisk_http_port)}
    others = exchange - sip - accounts
    assert exchange >= sip | accounts
    # a browser sends no sound over the loopback: while a call is up, its media has ports at every address
    media = {each for each in others if settings.rtp_start <= each[2] <= settings.rtp_end}
    assert {protocol for protocol, _, _ in others} <= {"udp", "udp6"}
    assert 2 <= len(media) <= 2 * _PER_LEG
    # PJSIP keeps one socket of each family, at a port of the system's choice, to ask for names from
    assert len(others - media) <= 2
    assert not {each for each in idle if each[0] in {"udp", "udp6"}} & media
    assert idle - (others - media) == sip | accounts
