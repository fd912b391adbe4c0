"""The page's own facts: where it is opened, by which names and certificate, and the service standards it shows."""

from __future__ import annotations

import ssl
from datetime import datetime
from typing import Final

from cti.calls.announced import PREFIX
from cti.settings import Settings
from cti.web import tls
from cti.web.listen import reached_by
from cti.web.schemas.announcements import AnnouncementChoices, AnnouncementLine, AnnouncementPrompt
from cti.web.schemas.common import Label
from cti.web.schemas.reference import Standard
from ivr import prompts
from ivr.model import Menu, Tree
from ticketing.errors import Invalid

#: said before and after whatever is announced
_FRAME: Final = frozenset({"announcement-intro", "announcement-end"})


def standards(tree: Tree, manifest: prompts.Manifest) -> tuple[Standard, ...]:
    """The service standards in the words of the voice menu (IN-01)."""
    menu = tree.nodes.get("standards")
    if not isinstance(menu, Menu):
        return ()
    return tuple(
        Standard(
            code=key.go,
            title=Label(zh=key.label["zh"], en=key.label["en"]),
            text=Label(zh=manifest.prompt(key.go, "zh").text, en=manifest.prompt(key.go, "en").text),
        )
        for key in menu.keys.values()
        if key.go in manifest.ids()
    )


def announceable(tree: Tree, manifest: prompts.Manifest) -> AnnouncementChoices:
    """What can be announced before the menu (TL-26): every recorded announcement, and the numbers dialled."""
    codes = sorted({prompt for prompt in manifest.ids() if prompt.startswith(PREFIX)} - _FRAME)
    recorded = [
        AnnouncementPrompt(
            code=code,
            text=Label(zh=manifest.prompt(code, "zh").text, en=manifest.prompt(code, "en").text),
        )
        for code in codes
    ]
    lines = [
        AnnouncementLine(dnis=dnis, label=Label(zh=line.label["zh"], en=line.label["en"]))
        for dnis, line in tree.lines.items()
    ]
    return AnnouncementChoices(prompts=recorded, lines=lines)


def address(settings: Settings, port: int) -> str:
    """What to open in a browser."""
    host = settings.public_hosts[0] if settings.public_hosts else reached_by(settings.http_host)
    return f"{'http' if settings.tls == 'off' else 'https'}://{f'[{host}]' if ':' in host else host}:{port}/"


def page_hosts(settings: Settings) -> frozenset[str]:
    """Names the page may be opened by: the public ones and the address it listens on; empty takes any."""
    if not settings.public_hosts:
        return frozenset()
    return frozenset({*settings.public_hosts, settings.http_host})


def certificate(settings: Settings, now: datetime) -> ssl.SSLContext | None:
    """The TLS of the page, the interface and the browser phones; None when it is off."""
    if settings.tls == "off":
        return None
    if settings.tls == "files":
        if settings.tls_certificate is None or settings.tls_key is None:
            raise Invalid("bad_setting", "tls = files needs tls_certificate and tls_key", field="tls")
        return tls.server_context(settings.tls_certificate, settings.tls_key)
    from cti.web import self_made  # noqa: PLC0415 - 7 MB of cryptography, for those whose certificate is self-made

    names = (*settings.public_hosts, reached_by(settings.http_host))
    return tls.server_context(*self_made.ensure_self_made(settings.secrets_dir, names, now))
