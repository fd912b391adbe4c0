"""What the web application is given by the composition root, and the key it is kept under."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from aiohttp import web

from cti.hub import Hub
from cti.web.ports import Telephony
from cti.web.schemas.announcements import AnnouncementChoices
from cti.web.schemas.reference import Standard
from recordings.library import Library
from ticketing.audit import QueryLog
from ticketing.calendar import WorkingCalendar
from ticketing.callbacks.policy import Policy, shipped
from ticketing.changes import Change
from ticketing.db import Database
from ticketing.papers.files import FileStore
from ticketing.staff.sign_in import Door

__all__ = ["DEPS", "WebDeps"]


@dataclass(frozen=True)
class WebDeps:
    """Everything the routes use; nothing here is made by the web itself."""

    database: Database
    #: aware UTC
    clock: Callable[[], datetime]
    hub: Hub
    telephony: Telephony
    door: Door
    queries: QueryLog
    library: Library
    #: scans of papers
    files: FileStore
    #: True behind TLS: cookie `__Host-hotline`, HSTS, `https` origins
    secure: bool = False
    #: further origins that may call us, e.g. `http://localhost:5173` while the desk is developed
    origins: frozenset[str] = frozenset()
    #: host names and addresses the page is opened by, besides this machine's own; empty takes any
    hosts: frozenset[str] = frozenset()
    #: the built desk
    desk: Path = Path(__file__).parent / "desk" / "dist"
    #: told every committed change once, after the web's own announcements
    on_change: Callable[[Sequence[Change]], None] = lambda changes: None
    #: service standards as the voice menu says them (IN-01)
    standards: Sequence[Standard] = field(default_factory=tuple)
    #: zone in which the operator's day begins and ends
    zone: tzinfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    #: answer target of CT-02, milliseconds
    target_ms: int = 15_000
    #: seconds a search with free conditions may take
    search_limit_s: float = 5.0
    #: orders one export may hold
    export_rows: int = 50_000
    #: what a reader of the metrics must send; empty: this machine only
    metrics_token: str = field(default="", repr=False)
    #: how callbacks are offered and dialled
    policy: Policy = field(default_factory=shipped)
    #: when a queue is staffed; None = always
    opening: Callable[[str], WorkingCalendar | None] = lambda queue: None
    #: area code that local numbers belong to, with its 0
    area_code: str = "010"
    #: announcements that are recorded and numbers dialled, as the menus are at this moment (TL-26)
    announceable: Callable[[], AnnouncementChoices] = lambda: AnnouncementChoices(prompts=[], lines=[])
    version: str = "0"


DEPS = web.AppKey("deps", WebDeps)
