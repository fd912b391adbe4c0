"""TLS of the page: what a certificate and its key are served with."""

import ssl
from pathlib import Path

from ticketing.errors import Invalid

__all__ = ["server_context"]


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 or newer with this certificate; raises Invalid naming the file when it cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise Invalid(
            "bad_certificate", f"certificate {certificate} with key {key} cannot be used: {error}", field="tls"
        ) from None
    return context
