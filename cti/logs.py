"""Where the service's words go: JSON lines in a file, warnings on the console; numbers masked in both (S25)."""

from __future__ import annotations

import logging
import queue
import re
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from time import monotonic
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from ticketing.text import mask_number

#: fields that hold telephone numbers
_NUMBERS: Final = frozenset({"ani", "number", "caller", "caller_number", "contact_number"})
#: mobile numbers with or without 86 or 0 before them, and landlines with their area code, in any other text
_LOOSE: Final = re.compile(
    r"(?<![0-9-])(?:(?:\+|00)?86[ -]?|0)?1[3-9][0-9]{9}(?![0-9])"
    r"|(?<![0-9A-Za-z-])(?:(?:\+|00)86[ -]?[1-9][0-9]{1,2}|0[1-9][0-9]{1,2})-?[0-9]{7,8}(?![0-9A-Za-z])"
)
_FILE_BYTES: Final = 20 * 1024 * 1024
#: Lines that wait for a console nobody reads; more are counted and not shown.
_CONSOLE_LINES: Final = 1000
#: Seconds the end of the process waits for it.
_CONSOLE_END_S: Final = 1.0


class Console(logging.Handler):
    """Writes to the console from a thread of its own: a terminal or pipe that stands still holds nobody up (F22)."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(_CONSOLE_LINES)
        #: lines that were not shown
        self.dropped = 0
        threading.Thread(target=self._write, name="console", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Never waits."""
        try:
            self._lines.put_nowait(self.format(record))
        except queue.Full:
            self.dropped += 1
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Wait until all is written, at most a second."""
        until = monotonic() + _CONSOLE_END_S
        with self._lines.all_tasks_done:
            while self._lines.unfinished_tasks and (left := until - monotonic()) > 0:
                self._lines.all_tasks_done.wait(left)

    def close(self) -> None:
        """What waits is still written, if anybody reads it."""
        with suppress(queue.Full):
            self._lines.put_nowait(None)
        super().close()

    def _write(self) -> None:
        told = 0
        while (line := self._lines.get()) is not None:
            with suppress(OSError, ValueError):  # it was closed
                if self.dropped > told:
                    self._stream.write(f"{self.dropped - told} lines before this one were not shown\n")
                    told = self.dropped
                self._stream.write(line + "\n")
                self._stream.flush()
            self._lines.task_done()
        self._lines.task_done()


class LogFile(RotatingFileHandler):
    """Lines that the disk does not take are lost and counted; nobody is told by an exception (F22)."""

    #: lines that are in no file
    lost = 0

    def handleError(self, record: logging.LogRecord) -> None:
        """A disk that is full or gone costs this line; anything else is a defect, and is shown."""
        if isinstance(sys.exc_info()[1], OSError):
            self.lost += 1
        else:
            super().handleError(record)


def lost() -> int:
    """Lines since the start that the file's disk did not take, or the console did not show (F22)."""
    ours = logging.getLogger().handlers
    files = sum(each.lost for each in ours if isinstance(each, LogFile))
    return files + sum(each.dropped for each in ours if isinstance(each, Console))


def mask(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Masks numbers, by field name and by form, in lists and objects too."""
    for name, value in event.items():
        if not name.startswith("_"):  # structlog's own, taken out before the line is written
            event[name] = _masked(name, value)
    return event


def _masked(name: str, value: object) -> object:
    if isinstance(value, str):
        return mask_number(value) if name in _NUMBERS else _LOOSE.sub(lambda found: mask_number(found[0]), value)
    if isinstance(value, Mapping):
        return {key: _masked(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(name, item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else _masked(name, repr(value))


def _shared() -> list[structlog.typing.Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask,
    ]


def configure(folder: Path, level: str) -> None:
    """Sends everything of `level` and above to `hotline.jsonl` in `folder`, warnings and errors to the console too."""
    for made in (folder.parent, folder):
        made.mkdir(parents=True, exist_ok=True, mode=0o700)
    shared = _shared()
    file = LogFile(folder / "hotline.jsonl", maxBytes=_FILE_BYTES, backupCount=4, encoding="utf-8")
    file.setFormatter(_formatter(shared, structlog.processors.JSONRenderer(ensure_ascii=False)))
    console = Console(sys.stderr)
    console.setLevel(logging.WARNING)
    console.setFormatter(_formatter(shared, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())))
    _take(shared, [file, console], level)


def configure_aside(folder: Path) -> None:
    """For a command beside the service: warnings go to its file, if there is one to write to, nothing to the console.

    The file is never rotated here: the service holds it.
    """
    shared = _shared()
    handler: logging.Handler = logging.NullHandler()
    with suppress(OSError):
        handler = logging.FileHandler(folder / "hotline.jsonl", encoding="utf-8")
        handler.setFormatter(_formatter(shared, structlog.processors.JSONRenderer(ensure_ascii=False)))
    _take(shared, [handler], "warning")


def _take(shared: list[structlog.typing.Processor], handlers: list[logging.Handler], level: str) -> None:
    root = logging.getLogger()
    root.handlers = handlers
    root.setLevel(level.upper())
    for loud in ("asyncio", "aiohttp", "panoramisk", "alembic", "aiosqlite"):
        logging.getLogger(loud).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _formatter(
    shared: list[structlog.typing.Processor], renderer: structlog.typing.Processor
) -> structlog.stdlib.ProcessorFormatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
