"""SIPp's parts: callers who press a key and wait to be hung up on, phones that answer, and their registration."""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SDP: Final = """v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000"""

_HEAD: Final = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:{to}@[remote_ip]:[remote_port]>{tag}
Call-ID: [call_id]
CSeq: {seq} {method}
Contact: <sip:[field0]@[local_ip]:[local_port]>
Max-Forwards: 70"""


def _send(method: str, dialled: str, seq: int, body: str = "", *, kind: str = "application/sdp") -> str:
    tag = "" if method == "INVITE" else "[peer_tag_param]"
    head = _HEAD.format(to=dialled, tag=tag, seq=seq, method=method)
    typed = f"Content-Type: {kind}\n" if body else ""
    first = f"{method} sip:{dialled}@[remote_ip]:[remote_port] SIP/2.0"
    text = f"{first}\n{head}\n{typed}Content-Length: [len]\n\n{body}"
    return _sending(text, again=method != "ACK")


def _sending(text: str, *, again: bool) -> str:
    """Sends a message, again and again until it is answered when it must be."""
    retrans = ' retrans="500"' if again else ""
    return f"<send{retrans}><![CDATA[\n{text}\n]]></send>\n"


def caller(dialled: str, key: str, presses_ms: int, leaves_ms: int | None) -> str:
    """Dials, presses a key so long after the answer, and leaves after that, or waits for the other end to."""
    parts = [
        _send("INVITE", dialled, 1, _SDP),
        '<recv response="100" optional="true"/><recv response="180" optional="true"/>',
        '<recv response="181" optional="true"/><recv response="183" optional="true"/>',
        '<recv response="200" rtd="true"/>\n',
        _send("ACK", dialled, 1),
        f'<pause milliseconds="{presses_ms}"/>\n',
        _send("INFO", dialled, 2, f"Signal={key}\nDuration=100", kind="application/dtmf-relay"),
        '<recv response="200"/>\n',
    ]
    if leaves_ms is None:
        parts += ['<recv request="BYE" timeout="60000"/>\n', _answer("")]
    else:
        parts += [f'<pause milliseconds="{leaves_ms}"/>\n', _send("BYE", dialled, 3), '<recv response="200"/>\n']
    return _scenario("caller", parts)


def phone(talks_ms: int) -> str:
    """Answers at once, and hangs up after so long."""
    bye = (
        "BYE [next_url] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n"
        "From: [$callee];tag=[pid]p[call_number]\nTo: [$from]\n[last_Call-ID:]\nCSeq: 2 BYE\nMax-Forwards: 70\n"
        "Content-Length: 0\n"
    )
    keep = (
        '<recv request="INVITE" rrs="true"><action>'
        '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>'
        '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="callee"/></action></recv>\n'
    )
    parts = [
        keep,
        _answer("", "180 Ringing"),
        _answer(_SDP),
        '<recv request="ACK"/>\n',
        f'<pause milliseconds="{talks_ms}"/>\n',
        _sending(bye, again=True),
        '<recv response="200"/>\n',
    ]
    return _scenario("phone", parts)


def _answer(body: str, status: str = "200 OK") -> str:
    typed = "Content-Type: application/sdp\n" if body else ""
    text = (
        f"SIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]p[call_number]\n[last_Call-ID:]\n"
        f"[last_CSeq:]\nContact: <sip:x@[local_ip]:[local_port]>\n{typed}Content-Length: [len]\n\n{body}"
    )
    return _sending(text, again=bool(body))


def _scenario(name: str, parts: Sequence[str]) -> str:
    return f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<scenario name="{name}">\n{"".join(parts)}</scenario>\n'


def program() -> str | None:
    """Where SIPp is; None when it is not installed."""
    return shutil.which("sipp")


@dataclass(frozen=True, slots=True)
class Done:
    """How calls ended for the caller."""

    well: int
    failed: int


async def _start(
    folder: Path, name: str, scenario: str, remote: str, port: int, *given: str
) -> asyncio.subprocess.Process:
    file = folder / f"{name}.xml"
    file.write_text(scenario, encoding="latin-1")
    media = str(42_000 + port * 4 % 20_000)  # it takes four
    return await asyncio.create_subprocess_exec(
        *("sipp", remote, "-sf", str(file), "-i", "127.0.0.1", "-p", str(port), "-mp", media, "-nostdin"),
        *("-cid_str", f"%u-{name}@%s", "-trace_err", "-error_file", str(folder / f"{name}.err"), *given),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"TERM": "vt100", "PATH": "/usr/bin:/bin"},
    )


async def calls(
    folder: Path, name: str, scenario: str, remote: str, port: int, *, numbers: Sequence[str], rate: float, count: int
) -> Done:
    """So many calls, so many a second; returns when all are over."""
    fields = folder / f"{name}.csv"
    fields.write_text("SEQUENTIAL\n" + "".join(f"{number}\n" for number in numbers), encoding="ascii")
    running = await _start(
        folder, name, scenario, remote, port,
        *("-inf", str(fields), "-r", str(rate), "-m", str(count), "-l", "4000", "-recv_timeout", "40000"),
    )  # fmt: skip
    out, _ = await running.communicate()
    if b"Successful call" not in out:
        raise RuntimeError(f"SIPp did not begin: {out.decode('latin-1')[-500:]}")
    ends = {
        word: int(found)
        for word, found in re.findall(r"(Successful|Failed) call\s*\|\s*\d+\s*\|\s*(\d+)", out.decode("latin-1"))
    }
    return Done(ends.get("Successful", 0), count - ends.get("Successful", 0))


def _register(sip: tuple[str, int], number: str, secret: str, port: int) -> None:
    """Registers one desk phone that answers at a port; raises TimeoutError or RuntimeError."""
    digest = ""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(10)
        line.connect(sip)
        for turn in (1, 2):
            lines = [
                f"REGISTER sip:{sip[0]} SIP/2.0",
                f"Via: SIP/2.0/UDP 127.0.0.1:{line.getsockname()[1]};branch=z9hG4bK{number}{turn}",
                f"From: <sip:{number}@{sip[0]}>;tag={number}",
                f"To: <sip:{number}@{sip[0]}>",
                f"Call-ID: {number}@registration",
                f"CSeq: {turn} REGISTER",
                f"Contact: <sip:{number}@127.0.0.1:{port}>",
                *("Expires: 600", "Max-Forwards: 70", "Content-Length: 0"),
                *([digest] if digest else []),
            ]
            line.send(("\r\n".join(lines) + "\r\n\r\n").encode())
            said = line.recv(4096).decode()
            if said.startswith("SIP/2.0 200"):
                return
            asked = dict(
                re.findall(r'(\w+)="?([^",\s]+)"?', said.partition("WWW-Authenticate: Digest ")[2].split("\r\n")[0])
            )
            first = _md5(f"{number}:{asked['realm']}:{secret}")
            second = _md5(f"REGISTER:sip:{sip[0]}")
            answer = _md5(f"{first}:{asked['nonce']}:00000001:{number}:auth:{second}")
            digest = (
                f'Authorization: Digest username="{number}", realm="{asked["realm"]}", nonce="{asked["nonce"]}", '
                f'uri="sip:{sip[0]}", response="{answer}", algorithm=MD5, qop=auth, nc=00000001, cnonce="{number}"'
                + (f', opaque="{asked["opaque"]}"' if "opaque" in asked else "")
            )
        raise RuntimeError(f"{number} was not registered: {said.splitlines()[0]}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@asynccontextmanager
async def phones(folder: Path, remote: str, port: int, secrets: dict[str, str], talks_ms: int) -> AsyncIterator[None]:
    """Desk phones, registered, that answer at once until the block ends."""
    host, _, sip_port = remote.partition(":")
    for number, secret in secrets.items():
        await asyncio.to_thread(_register, (host, int(sip_port)), number, secret, port)
    answering = await _start(folder, "phone", phone(talks_ms), remote, port)
    drain = asyncio.create_task(answering.communicate())
    try:
        yield
    finally:
        if answering.returncode is None:
            answering.kill()
        await drain


def version() -> str:
    """What it says it is."""
    said = subprocess.run(["sipp", "-v"], capture_output=True, text=True, check=False).stdout
    return next((line.strip() for line in said.splitlines() if line.strip()), "")
