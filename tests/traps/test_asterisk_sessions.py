"""Where sessions with Asterisk end or hang - a slow reader, a missing right, a script that queues - and ours do not."""

from __future__ import annotations

import asyncio
import contextlib
import select
import shutil
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cti.asterisk.lint import check
from cti.asterisk.provision import Installation
from cti.asterisk.settings import HOME
from ivr import agi
from ivr.server import FastAgiServer
from ivr.session import EntryStep
from recordings import wav
from tests.ami.watching import up
from tests.ivr.fakes import FakeDirectory, ports, shipped_tree
from tests.system import services
from tests.system.ami import Ami
from tests.system.callers import Lines
from tests.system.conftest import QUICK, Pbx, exchange, exchange_settings
from tests.system.raw_sip import RawCall
from tests.system.services import ScriptedService, Session
from tests.system.sound import tone
from tests.system.test_ami_link import link_to

pytestmark = pytest.mark.system

#: what a session asks without reading the answers: some 40 MB of them
MANY = 20_000
ASK = b"Action: QueueStatus\r\n\r\n"
#: bytes of a voice file's header
HEADER = 44


@asynccontextmanager
async def deaf(pbx: Pbx) -> AsyncIterator[socket.socket]:
    """A session of the bridge account whose client does not read."""
    loop = asyncio.get_running_loop()
    with socket.socket() as client:
        client.setblocking(False)
        await loop.sock_connect(client, ("127.0.0.1", pbx.settings.ami_port))
        login = f"Action: Login\r\nUsername: bridge\r\nSecret: {pbx.secrets.ami_bridge}\r\n\r\n"
        await loop.sock_sendall(client, login.encode())
        while b"Authentication accepted" not in await loop.sock_recv(client, 65536):
            pass
        yield client


async def cut_off(client: socket.socket, within_s: float) -> bool:
    """Whether the other side ends the connection within this time, found without reading from it."""
    poll = select.poll()
    poll.register(client, 0)  # only the end is asked for, not data
    return bool(await asyncio.to_thread(poll.poll, round(within_s * 1000)))


@pytest.mark.req("F03", "S01")
async def test_p1_a_slow_reader_is_cut_off_and_ours_is_given_time(
    tmp_path: Path, asterisk_installation: Installation, pbx: Pbx
) -> None:
    """With Asterisk's own 100 ms who does not read is gone in a moment; with ours he may pause for seconds."""
    loop = asyncio.get_running_loop()
    conf = tmp_path / "conf"
    shutil.copytree(HOME / "asterisk-conf", conf)
    manager = conf / "manager.conf"
    manager.write_text(manager.read_text(encoding="utf-8").replace("writetimeout = 5000\n", ""), encoding="utf-8")
    assert any("cut off when it is slow" in each.why for each in check(exchange_settings(tmp_path, conf_dir=conf)))
    async with exchange(asterisk_installation, conf_dir=conf) as impatient, deaf(impatient) as client:
        asking = asyncio.create_task(loop.sock_sendall(client, ASK * MANY))
        assert await cut_off(client, within_s=20)
        with contextlib.suppress(ConnectionError):
            await asking
    async with deaf(pbx) as client:
        asking = asyncio.create_task(loop.sock_sendall(client, ASK * MANY))
        assert not await cut_off(client, within_s=2), "nothing was read for two seconds"
        answers, tail = 0, b""
        async with asyncio.timeout(120):
            while answers < MANY:
                data = await loop.sock_recv(client, 1 << 20)
                assert data, f"cut off after {answers} answers"
                answers += (tail + data).count(b"Event: QueueStatusComplete")
                tail = data[-25:]
        await asking


@pytest.mark.req("S01")
async def test_p4_an_account_without_system_is_never_told_that_all_is_booted(pbx: Pbx) -> None:
    """Whoever waits for FullyBooted waits for ever; our link is up all the same."""
    async with Ami(pbx, "dialler") as dialler, Ami(pbx, "bridge") as bridge:
        await bridge.event("FullyBooted")
        assert (await dialler.ask("Ping"))["Response"] == "Success"
        assert not dialler.seen("FullyBooted")
    async with up(link_to(pbx, "dialler")) as watched:
        assert watched.ups == 1


async def test_p27_a_script_that_queues_holds_its_connection_as_long_as_the_caller_waits(
    pbx: Pbx, lines: Lines
) -> None:
    """The product's step decides, and is gone when the caller waits: it has no command that would do otherwise."""

    async def queues(session: Session) -> None:
        await session.command('EXEC Queue "complaint"')

    async with ScriptedService(pbx.settings.agi_port, queues) as service, Ami(pbx) as ami:
        caller = await lines.caller("13800001111")
        await caller.dial(QUICK)
        await ami.event("QueueCallerJoin")
        assert not service.over.is_set()
        await caller.hang_up()
        await service.over.wait()
    entry = EntryStep(shipped_tree, ports(FakeDirectory()))
    server = FastAgiServer("127.0.0.1", pbx.settings.agi_port, pbx.secrets.agi, {"entry": entry})
    await server.start()
    try:
        async with Ami(pbx) as ami:
            caller = await lines.caller("13800001111")
            await caller.dial("1860")
            await caller.hears("greeting-1860", within_s=20)
            await caller.press("0")
            joined = await ami.event("QueueCallerJoin")
            async with asyncio.timeout(5):
                await server.idle()
            assert not ami.seen("QueueCallerLeave"), joined
            await caller.hang_up()
    finally:
        await server.stop()
    made = [name for name in dir(agi) if name.startswith("exec") or "queue" in name.lower() or "dial" in name.lower()]
    assert made == []


def frames_said(file: Path) -> int:
    """Bytes of sound as the file's own header gives them."""
    return int(struct.unpack("<I", file.read_bytes()[HEADER - 4 : HEADER])[0])


@pytest.mark.req("TL-50")
async def test_p28_p29_a_header_is_written_at_the_end_and_a_file_made_at_the_start(pbx: Pbx, lines: Lines) -> None:
    """While a call is recorded its header says nothing, and one without sound leaves a bare header.

    The product waits for the mark that Asterisk's own hook leaves when the files are closed, and reads by size.
    """
    phone = await lines.phone("1002")
    await pbx.add_member("1002")
    async with Ami(pbx) as ami, ScriptedService(pbx.settings.agi_port, services.routes("complaint")):
        caller = await lines.caller("13800001111")
        await caller.dial(QUICK)
        await phone.rings()
        await phone.answer()
        await caller.says(tone(700, 3.0))
        await phone.hears(tone(700, 1.0))
        entered = await ami.event("CtiEntered")
        call_id = next(
            line.removeprefix("ChanVariable: CTI_CALL_ID=")
            for line in ami.raw.decode().split("\r\n")
            if line.startswith("ChanVariable: CTI_CALL_ID=2")
        )
        said, done = pbx.folder.voice / f"{call_id}-in.wav", pbx.folder.voice / f"{call_id}.done"
        assert said.stat().st_size > HEADER, entered
        assert frames_said(said) == 0, "the header comes last"
        assert not done.exists()
        await caller.hang_up()
        await pbx.file(done)
        assert frames_said(said) == said.stat().st_size - HEADER > 0
    before = set(pbx.folder.voice.glob("*-in.wav"))
    async with Ami(pbx) as ami, ScriptedService(pbx.settings.agi_port, services.says_goodbye):
        silent = await RawCall.invite(pbx.sip, from_user="13800002222", dnis=QUICK)
        assert await silent.final() == 200
        await silent.ended()
        silent.close()
        await ami.event("CtiEnd")
        (sound,) = set(pbx.folder.voice.glob("*-in.wav")) - before
        await pbx.file(sound.with_name(sound.name.replace("-in.wav", ".done")))
        said = sound
        assert said.stat().st_size == HEADER
        assert wav.read(said).seconds == 0
