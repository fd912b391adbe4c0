"""Words of a service announcement: states, what is switched on, and the form pages read. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """Where an announcement stands; it follows from its times."""

    PLANNED = "planned"  #: 未开始
    ON = "on"  #: 播放中
    OVER = "over"  #: 已结束


@dataclass(frozen=True, slots=True)
class NewAnnouncement:
    """An announcement to be switched on."""

    #: id of the recorded prompt
    prompt: str
    #: numbers dialled whose callers hear it; empty = all
    dnis: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    #: for colleagues, not spoken
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """One announcement as pages and menus read it; field names are those of the JSON."""

    #: public id, random: the one in addresses
    id: str
    prompt: str
    dnis: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    #: when a person switched it off before its end
    off_at: datetime | None
    note: str | None
    created_at: datetime
    #: 工号 of who switched it on
    created_by: str
    #: 工号 of the last change
    changed_by: str
    version: int

    @property
    def until(self) -> datetime:
        """From this moment on nobody hears it."""
        return self.ends_at if self.off_at is None else min(self.off_at, self.ends_at)
