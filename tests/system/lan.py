"""Another machine on a network of the test's own: a network namespace joined to this one by a pair of interfaces."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cti.web.listen import reached_by
from tests.system.browser import program


@dataclass(frozen=True, slots=True)
class Lan:
    """What joins the two machines."""

    #: this machine's address on it, never the loopback
    address: str
    #: starts Chromium on the other machine; None where this user may not make networks: then it runs here
    elsewhere: Path | None


@asynccontextmanager
async def lan(folder: Path) -> AsyncIterator[Lan]:
    """A network between here and a namespace; for an ordinary user this machine's own address on its network."""
    holder = await asyncio.create_subprocess_exec(
        *("unshare", "--net", "cat"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        number = os.getpid() % 16384
        ours, theirs = (f"10.203.{number // 64}.{number % 64 * 4 + last}" for last in (1, 2))
        try:
            await _inside(holder)
            await _join(holder.pid, f"hl{number}", ours, theirs)
        except (OSError, _NotAllowed):
            yield Lan(reached_by("0.0.0.0"), None)
        else:
            yield Lan(ours, _wrapped(folder, holder.pid))
    finally:
        with contextlib.suppress(ProcessLookupError):  # the namespace goes with its last process, the pair with it
            holder.terminate()
        await holder.communicate()


class _NotAllowed(Exception):
    """This user may not make networks."""


async def _inside(holder: asyncio.subprocess.Process) -> None:
    """Waits until the process has its namespace: it answers from then on."""
    assert holder.stdin is not None
    assert holder.stdout is not None
    holder.stdin.write(b"here?\n")
    if await holder.stdout.readline() != b"here?\n":
        raise _NotAllowed


async def _join(pid: int, name: str, ours: str, theirs: str) -> None:
    await _run("ip", "link", "add", name, "type", "veth", "peer", "name", "lan0", "netns", str(pid))
    await _run("ip", "address", "add", f"{ours}/30", "dev", name)
    await _run("ip", "link", "set", name, "up")
    inside = ("nsenter", "--target", str(pid), "--net", "ip")
    await _run(*inside, "address", "add", f"{theirs}/30", "dev", "lan0")
    await _run(*inside, "link", "set", "lan0", "up")
    await _run(*inside, "link", "set", "lo", "up")


async def _run(*words: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    if process.returncode:
        raise _NotAllowed(said.decode())


def _wrapped(folder: Path, pid: int) -> Path:
    script = folder / "chromium-elsewhere"
    script.write_text(f'#!/bin/sh\nexec nsenter --target {pid} --net {program()} "$@"\n')
    script.chmod(0o700)
    return script


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate an administrator gives the service."""

    file: Path
    key: Path
    #: digest of its public key: a browser told of it trusts this key and no other
    pin: str


def certificate(folder: Path, address: str) -> Certificate:
    """One for this address, as an administrator's authority would make it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file, key_file = folder / "given-cert.pem", folder / "given-key.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    key_file.chmod(0o600)
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Certificate(file, key_file, base64.b64encode(hashlib.sha256(public).digest()).decode())
