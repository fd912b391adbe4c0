"""An upgrade in a process of its own: what Alembic and a changing schema take, 25 MB, ends with that process.

The address of the database, which may hold a password, goes through its standard input, never into its arguments (S24);
the pipe stays open while somebody waits for the upgrade, and the process ends without committing when it closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any, Final

import cti
from cti import migrations
from ticketing.errors import HotlineError, Refused, Unavailable

_ERRORS: Final = {kind.__name__: kind for kind in (Refused, Unavailable)}


async def upgrade(url: str) -> tuple[str | None, str | None]:
    """`cti.migrations.upgrade` there; here when no process can be had. Raises Unavailable when it was killed."""
    # the same program as this one, wherever it is started
    path = os.pathsep.join(filter(None, (str(Path(cti.__file__).parents[1]), os.environ.get("PYTHONPATH"))))
    try:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", __name__),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is ours to answer
            env={**os.environ, "PYTHONPATH": path},
        )
    except OSError:
        return await migrations.upgrade(url)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        with contextlib.suppress(ConnectionError):
            child.stdin.write(f"{json.dumps(url)}\n".encode())
            await child.stdin.drain()
        told = await child.stdout.read()
        status = await child.wait()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
        child.stdin.close()
    if status != 0:
        raise Unavailable("upgrade_failed", f"the upgrade of the database ended with {status}; nothing was changed")
    answer = json.loads(told)
    if "error" in answer:
        raise _ERRORS.get(answer["error"], Unavailable)(answer["code"], answer["message"], **answer["details"])
    return answer["before"], answer["after"]


def main() -> None:
    """The process: an address from standard input, the answer as JSON to standard output."""
    url = json.loads(sys.stdin.readline())
    threading.Thread(target=_until_alone, daemon=True).start()
    sys.stdout.write(json.dumps(asyncio.run(_answer(url))))


async def _answer(url: str) -> dict[str, Any]:
    try:
        before, after = await migrations.upgrade(url)
    except HotlineError as error:
        details = {name: str(value) for name, value in error.details.items()}
        return {"error": type(error).__name__, "code": error.code, "message": error.message, "details": details}
    return {"before": before, "after": after}


def _until_alone() -> None:
    """Ends the process when whoever waited for it is gone: the database takes back what was not committed."""
    while os.read(0, 1):  # past Python's own stream, which it would hold while the interpreter ends
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
