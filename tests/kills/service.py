"""The service as a process of its own that starts in a blink: `python -m tests.kills.service`, told by its input.

One mother has read the whole program and then only makes children: `start` on her input makes one, which is the service
as the composition root makes it, from the settings in the environment; `wait` returns when the last child is dead. She
says `pid N`, her child says `ready` or why not, she says `ended`.

What differs from `make run`: what can only be wrong with files and ports is not looked at before each start, and the
lease of one who was killed runs out in a third of a second, so that thousands of deaths are affordable.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import signal
import sys
import traceback
from functools import partial
from typing import Final, NoReturn

from cti import app as composition
from cti import migrations
from cti.logs import configure
from cti.settings import Settings, load
from cti.supervisor import Lease

_TERM_S: Final = 0.35
_EVERY_S: Final = 0.1
#: in the environment: the event loop is watched, as it is by `make run`
_WATCHDOG: Final = "WATCHDOG"
#: of <linux/prctl.h>: the signal a process is sent when its parent dies
_PR_SET_PDEATHSIG: Final = 1


def say(words: str) -> None:
    """One line to whoever started the mother, in one write."""
    os.write(1, f"{words}\n".encode())


async def live(settings: Settings) -> None:
    """Until the process is killed."""
    async with composition.service(settings, alone=_WATCHDOG in os.environ) as ready:
        say("ready")
        raise await ready.broken


def child(settings: Settings) -> NoReturn:
    """Never returns to the mother's loop, and does not outlive her."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        configure(settings.home / "log", settings.log_level)
        asyncio.run(live(settings))
    except BaseException:
        say("failed " + traceback.format_exc().replace("\n", " | "))
    finally:
        os._exit(1)


async def _no_preflight(_settings: Settings) -> None:
    """Files and ports are those of the start before."""


def main() -> None:
    """Makes children until the input ends."""
    settings = load()
    vars(composition)["preflight"] = _no_preflight
    vars(composition)["Lease"] = partial(Lease, term_s=_TERM_S, every_s=_EVERY_S)
    migrations.load_tables()
    gc.freeze()
    last = 0
    for line in sys.stdin:
        if line.strip() == "wait":
            os.waitpid(last, 0)
            say("ended")
            continue
        last = os.fork()
        if last == 0:
            child(settings)
        say(f"pid {last}")


if __name__ == "__main__":
    main()
