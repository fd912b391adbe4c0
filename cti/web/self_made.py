"""The certificate the service makes itself for the local network."""

import ipaddress
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["ensure_self_made"]

#: browsers refuse server certificates that last longer than 398 days
_LASTS = timedelta(days=397)
_RENEW_BEFORE = timedelta(days=30)


def ensure_self_made(folder: Path, names: Sequence[str], now: datetime) -> tuple[Path, Path]:
    """Certificate and key (mode 0600) for these host names and addresses; made anew when missing, old, or short of one.

    A browser warns once, until `hotline-cert.pem` is trusted on that machine.
    """
    certificate, key = folder / "hotline-cert.pem", folder / "hotline-key.pem"
    wanted = list(dict.fromkeys([*names, "localhost", "127.0.0.1", "::1"]))
    if not _serves(certificate, key, wanted, now):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make(certificate, key, wanted, now)
    return certificate, key


def _serves(certificate: Path, key: Path, names: Sequence[str], now: datetime) -> bool:
    try:
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
        serialization.load_pem_private_key(key.read_bytes(), password=None)
        have = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    held = {*have.get_values_for_type(x509.DNSName), *map(str, have.get_values_for_type(x509.IPAddress))}
    in_time = loaded.not_valid_before_utc <= now < loaded.not_valid_after_utc - _RENEW_BEFORE
    return in_time and set(names) <= held


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _make(certificate: Path, key: Path, names: Sequence[str], now: datetime) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hotline")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LASTS)
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(key, pem)
    _write(certificate, made.public_bytes(serialization.Encoding.PEM))


def _write(path: Path, data: bytes) -> None:
    """Through a new file that only the owner may read, so that no moment shows half of it."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
