"""The file adapter of the message port: one JSON file a message, for a gateway that watches a folder."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict
from pathlib import Path

from ticketing.notices.model import Outgoing


class FileGateway:
    """Each message becomes `ID.json`, whole or not at all, on disk before it counts as sent.

    The same message again writes the same file: whoever takes files away tells a second one by its name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, message: Outgoing) -> None:
        """Raises OSError when the disk does not take it."""
        await asyncio.to_thread(self._write, message)

    def _write(self, message: Outgoing) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{message.id}.json"
        part = self._folder / f".{message.id}.part"
        data = json.dumps(asdict(message), ensure_ascii=False).encode()
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
