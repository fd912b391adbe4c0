"""What a backup consists of: parts, files, and the list of them with their digests. Pure but for reading the list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from cti.backfill import CEL, QUEUE_LOG, journal_files
from cti.settings import Settings
from ticketing.errors import Invalid, NotFound

MANIFEST: Final = "manifest.json"
#: form of the list; a later one is refused, not guessed
VERSION: Final = 1
#: what a folder of a backup is called, by the moment it was begun, UTC
NAME: Final = "hotline-%Y%m%dT%H%M%SZ"
#: of one that is not finished
UNFINISHED: Final = ".partial"
DATABASES: Final[dict[str, str]] = {"sqlite": "database.sqlite", "postgresql": "database.pgdump"}

_NAMED: Final = re.compile(r"hotline-[0-9]{8}T[0-9]{6}Z\Z")
_SHA256: Final = re.compile(r"[0-9a-f]{64}\Z")
#: never copied: drafts, locks, and numbers set aside, which only the installation that drew them may give out
_PASSING: Final = re.compile(r"(\..*|.*\.new|.*\.part|.*\.lock|numbers\.reserve)\Z")


@dataclass(frozen=True, slots=True)
class Part:
    """One place of an installation that is copied."""

    name: str
    folder: Path
    #: names in the folder, as glob patterns; what lies deeper is found by `**`
    patterns: tuple[str, ...] = ("**/*",)
    #: copied before the database: what is here goes away once the database has it
    first: bool = False
    #: files are written once and never changed: one that the last backup has is not copied again
    fixed: bool = False

    def files(self) -> Iterable[Path]:
        """What is there now, drafts and locks left out; links are followed nowhere."""
        found = {path for pattern in self.patterns for path in self.folder.glob(pattern)}
        return sorted(p for p in found if p.is_file() and not p.is_symlink() and not _PASSING.match(p.name))


def parts(settings: Settings) -> tuple[Part, ...]:
    """The places of this installation, without its database, in the order they are copied."""
    spool = settings.spool or settings.asterisk_run / "voice"
    journals = journal_files(settings.journals) if settings.asterisk == "sandbox" and settings.journals else {}
    logs = [
        Part(name, path.parent, (path.name, f"{path.name}[.-]*"))
        for name, path in (("queue-log", journals.get(QUEUE_LOG)), ("channel-log", journals.get(CEL)))
        if path is not None
    ]
    return (
        Part("anchors", settings.home, ("audit-anchors.txt",), first=True),
        Part("spool", spool, ("*",), first=True),
        Part("recordings", settings.recordings_root, fixed=True),
        Part("papers", settings.papers_root, fixed=True),
        Part("messages", settings.messages_root),
        Part("journal", settings.journal_dir),
        Part("secrets", settings.secrets_dir),
        *logs,
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of a backup."""

    #: `part/path in it`, or the database's file
    path: str
    size: int
    sha256: str
    #: of the file it was copied from
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The list of a backup."""

    version: int
    product: str
    #: revision of the database's schema
    schema: str
    database: Literal["sqlite", "postgresql"]
    #: when the copy of the database was taken, ISO, UTC: nothing later is in it
    at: str
    files: tuple[Kept, ...]

    def text(self) -> str:
        """As it stands in the backup's folder."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n"

    def of(self, part: str) -> dict[str, Kept]:
        """Its files of one part, by their path in it."""
        return {kept.path.partition("/")[2]: kept for kept in self.files if kept.path.startswith(f"{part}/")}


def read(folder: Path) -> Manifest:
    """The list of the backup in this folder. Raises NotFound without one, Invalid for one that cannot be believed."""
    try:
        said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound("no_backup", f"{folder} holds no backup: there is no {MANIFEST} in it") from None
    except (OSError, ValueError) as error:
        raise Invalid("bad_backup", f"{folder / MANIFEST} cannot be read: {error}") from None
    try:
        if said["version"] != VERSION:
            raise Invalid("other_backup", f"{folder} was made by another release (form {said['version']})")
        files = tuple(Kept(**each) for each in said.pop("files"))
        manifest = Manifest(**said, files=files)
        good = manifest.database in DATABASES and all(_plain(each) for each in files)
    except (KeyError, TypeError, AttributeError):
        good = False
    if not good:
        raise Invalid("bad_backup", f"{folder / MANIFEST} is no list of a backup: it was changed")
    return manifest


def _plain(kept: Kept) -> bool:
    """A path that stays in the folder, a size and a digest: the list may come from anywhere (S18)."""
    if not all(isinstance(value, int) for value in (kept.size, kept.mtime_ns, kept.inode)):
        return False
    path = PurePosixPath(kept.path)
    inside = not path.is_absolute() and ".." not in path.parts and "\0" not in kept.path and str(path) == kept.path
    return inside and bool(_SHA256.match(kept.sha256))


def complete(folder: Path) -> list[Path]:
    """The finished backups in a folder, oldest first."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if _NAMED.match(path.name) and (path / MANIFEST).is_file())
