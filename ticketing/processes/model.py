"""Templates, their versions and nodes as values; names are those of the JSON. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ticketing.classification import Cover


class VersionState(StrEnum):
    """Where a version stands; it follows from its times."""

    DRAFT = "draft"  #: 草稿: may be changed, makes no work order
    COMING = "coming"  #: 待生效: published, in force from a moment that is still to come
    IN_FORCE = "in_force"  #: 生效: orders registered now follow it
    RETIRED = "retired"  #: 停用: only the orders that began with it follow it


@dataclass(frozen=True, slots=True)
class Node:
    """One step: a work order for a unit."""

    code: str
    zh: str
    en: str
    #: what the unit is to do
    task: str
    #: seconds from its start; working time of the unit, or every hour
    limit_s: int
    working_time: bool = False
    #: codes of the nodes that must be over before it starts; none: it starts at dispatch
    after: tuple[str, ...] = ()
    #: leaf of taxonomy `unit`; None: whoever has the duty on the day it starts
    unit: str | None = None
    #: code of taxonomy `duty`, asked of the responsibility map
    duty: str | None = None
    #: 工位
    workplace: str | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a template: what it covers and its nodes, in their order."""

    #: internal key, the one orders keep
    key: int
    number: int
    covers: tuple[Cover, ...]
    nodes: tuple[Node, ...]
    #: what has changed, for whoever reads the list
    note: str | None = None
    published_at: datetime | None = None
    #: 工号
    published_by: str | None = None
    #: from then on newly registered orders follow it
    effective_at: datetime | None = None
    retired_at: datetime | None = None
    #: how long a department watches its own answer, in seconds; 0: not at all; None: as everywhere (RP-08)
    tracking_s: int | None = None

    def state(self, at: datetime) -> VersionState:
        """Where it stands at a moment."""
        if self.published_at is None or self.effective_at is None:
            return VersionState.DRAFT
        if self.retired_at is not None and self.retired_at <= max(at, self.effective_at):
            return VersionState.RETIRED
        return VersionState.COMING if at < self.effective_at else VersionState.IN_FORCE


@dataclass(frozen=True, slots=True)
class Template:
    """A process template with its versions, the newest first."""

    key: int
    code: str
    #: kind of order it is for
    kind: str
    zh: str
    en: str
    #: of its row: what a change of the template or its draft must have seen
    version: int
    versions: tuple[Version, ...]

    @property
    def draft(self) -> Version | None:
        """The version that is being written."""
        return next((each for each in self.versions if each.published_at is None), None)

    def in_force(self, at: datetime) -> Version | None:
        """The version newly registered orders follow at a moment."""
        return next((each for each in self.versions if each.state(at) is VersionState.IN_FORCE), None)


@dataclass(frozen=True, slots=True)
class Content:
    """What a draft says; written as a whole."""

    covers: tuple[Cover, ...]
    nodes: tuple[Node, ...]
    note: str | None = None
    #: how long a department watches its own answer, in seconds; 0: not at all; None: as everywhere (RP-08)
    tracking_s: int | None = None
