"""The self-made certificate."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cti.web.self_made import ensure_self_made
from cti.web.tls import server_context
from ticketing.errors import Invalid

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_it_is_made_once_for_the_names_asked_for(tmp_path: Path) -> None:
    certificate, key = ensure_self_made(tmp_path, ["192.168.1.20", "hotline.lan"], NOW)
    assert key.stat().st_mode & 0o777 == 0o600
    assert isinstance(server_context(certificate, key), ssl.SSLContext)
    first = certificate.read_bytes()
    ensure_self_made(tmp_path, ["hotline.lan"], NOW + timedelta(days=300))
    assert certificate.read_bytes() == first


@pytest.mark.parametrize(
    ("names", "later"), [(["hotline.lan"], timedelta(days=380)), (["other.lan"], timedelta(0))], ids=["old", "short"]
)
def test_it_is_made_anew_when_old_or_short_of_a_name(tmp_path: Path, names: list[str], later: timedelta) -> None:
    certificate, _ = ensure_self_made(tmp_path, ["hotline.lan"], NOW)
    first = certificate.read_bytes()
    ensure_self_made(tmp_path, names, NOW + later)
    assert certificate.read_bytes() != first


def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "cert.pem"
    broken.write_text("nonsense")
    with pytest.raises(Invalid, match=r"cert\.pem"):
        server_context(broken, broken)
    with pytest.raises(Invalid, match=r"absent\.pem"):
        server_context(tmp_path / "absent.pem", broken)
