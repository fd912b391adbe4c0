"""Makes a backup beside a running service (F27). Blocking: files and the database's own means, no event loop."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cti.backup import dump, files, model
from cti.backup.model import Kept, Manifest, Part
from cti.settings import Settings
from ticketing.db import async_url
from ticketing.errors import Refused, Unavailable

#: told what is being copied, and how many files of it
Progress = Callable[[str, int], None]
#: what must stay free where the backup is written, bytes (default)
_MARGIN: Final = 64 * 1024 * 1024
#: looks at the spool until one finds nothing new; a message is spoken for longer than a look takes
_LOOKS: Final = 5


@dataclass(frozen=True, slots=True)
class Release:
    """What made the backup."""

    product: str
    #: revision of the schema of its database
    schema: str


def make(settings: Settings, into: Path, release: Release, now: datetime, progress: Progress) -> Path:
    """Writes a backup into a new folder in `into`, and returns that folder: it has its name only once it is whole.

    Voice files and papers that the last backup there has are linked, not copied. Raises Unavailable without room,
    without an answer of the database, or when the disk fails; what was there before is left as it was.
    """
    earlier = model.complete(into)
    target = into / now.strftime(model.NAME)
    if target.exists():
        raise Refused("backup_exists", f"{target} is there already: wait a second")
    draft = target.with_name(target.name + model.UNFINISHED)
    try:
        into.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in into.glob(f"hotline-*{model.UNFINISHED}"):
            shutil.rmtree(left)
        draft.mkdir(mode=0o700)
        _Copy(settings, draft, earlier[-1] if earlier else None, progress).whole(release, now)
        draft.rename(target)
        files.settle(into)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise Unavailable("backup_failed", f"no backup was made in {into}: {error.strerror or error}") from error
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return target


def keep_only(into: Path, count: int) -> list[Path]:
    """Removes all but the newest `count` finished backups; returns what went."""
    old = model.complete(into)[:-count]
    for folder in old:
        shutil.rmtree(folder)
    return old


class _Copy:
    """One backup in the making."""

    def __init__(self, settings: Settings, draft: Path, earlier: Path | None, progress: Progress) -> None:
        self._settings = settings
        self._draft = draft
        self._earlier = earlier
        self._known = model.read(earlier) if earlier is not None else None
        self._progress = progress
        self._kept: dict[str, Kept] = {}

    def whole(self, release: Release, now: datetime) -> None:
        """Everything in its order, the list last."""
        places = model.parts(self._settings)
        self._room(places)
        for part in (each for each in places if each.first):
            self._moving(part)
        url = self._settings.database
        kind = "sqlite" if async_url(url).startswith("sqlite") else "postgresql"
        self._progress("database", 0)
        name = model.DATABASES[kind]
        dump.take(url, self._draft / name)
        size, digest = files.digest_of(self._draft / name)
        self._kept[name] = Kept(name, size, digest, 0, 0)
        for part in (each for each in places if not each.first):
            self._still(part)
        manifest = Manifest(
            version=model.VERSION,
            product=release.product,
            schema=release.schema,
            database="sqlite" if kind == "sqlite" else "postgresql",
            at=now.isoformat(),
            files=tuple(self._kept[path] for path in sorted(self._kept)),
        )
        (self._draft / model.MANIFEST).write_text(manifest.text(), encoding="utf-8")
        for folder in [path for path in self._draft.rglob("*") if path.is_dir()]:
            files.settle(folder)
        files.settle(self._draft)

    def _room(self, places: tuple[Part, ...]) -> None:
        need = dump.estimate(self._settings.database) + _MARGIN
        for part in places:
            known = self._of_earlier(part)
            for file in part.files():
                try:
                    state = file.stat()
                except FileNotFoundError:
                    continue
                before = known.get(str(file.relative_to(part.folder)))
                if before is None or (before.size, before.mtime_ns) != (state.st_size, state.st_mtime_ns):
                    need += state.st_size
        free = files.free_bytes(self._draft)
        if free < need:
            mib = 1024 * 1024
            said = f"{need // mib} MiB are needed in {self._draft.parent} and {free // mib} MiB are free"
            raise Unavailable("no_room", f"no backup was made: {said}")

    def _of_earlier(self, part: Part) -> dict[str, Kept]:
        return self._known.of(part.name) if part.fixed and self._known is not None else {}

    def _moving(self, part: Part) -> None:
        """A place that things leave for the database: looked at until nothing is new, sounds before what tells of them.

        Whoever is gone between two looks is in the database, which is copied after this.
        """
        for _ in range(_LOOKS):
            if not self._look(part):
                break
        self._without_sound(part)

    def _look(self, part: Part) -> bool:
        found = list(part.files())
        news = False
        for file in sorted(found, key=lambda path: (path.suffix != ".wav", path.name)):
            path = f"{part.name}/{file.relative_to(part.folder)}"
            before = self._kept.get(path)
            try:
                state = file.stat()
            except FileNotFoundError:
                continue
            if before is not None and (before.size, before.mtime_ns) == (state.st_size, state.st_mtime_ns):
                continue
            kept = files.copied(file, self._draft / path, path)
            if kept is not None:
                self._kept[path], news = kept, True
        self._progress(part.name, len(found))
        return news

    def _without_sound(self, part: Part) -> None:
        """What tells of a message whose sound was not there: it was dropped, or is in the database."""
        for path in [each for each in self._kept if each.startswith(f"{part.name}/")]:
            stem, _, ending = path.rpartition(".")
            told_twice = ending == "open" and f"{stem}.json" in self._kept
            if ending in {"open", "json"} and (told_twice or f"{stem}.wav" not in self._kept):
                del self._kept[path]
                (self._draft / path).unlink()

    def _still(self, part: Part) -> None:
        known, count = self._of_earlier(part), 0
        for file in part.files():
            inner = str(file.relative_to(part.folder))
            path = f"{part.name}/{inner}"
            target = self._draft / path
            kept = None
            if self._earlier is not None:
                kept = files.linked(file, target, known.get(inner), self._earlier / path, path)
            kept = kept or files.copied(file, target, path)
            if kept is not None:
                self._kept[path] = kept
                count += 1
        self._progress(part.name, count)
