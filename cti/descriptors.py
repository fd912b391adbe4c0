"""Files and sockets of this process: how many may be open, are open, and may be taken up by pages (F29).

A caller's menu, the database, a voice file and the link to Asterisk need some at any moment; pages come in numbers
nobody chose. So pages get at most half, and callers are served however many pages are opened.
"""

from __future__ import annotations

import errno
import os
import resource
from contextlib import suppress
from typing import Final

#: asked of the system at a start, when it allows so many: each agent takes three (page, news, phone)
_WANTED: Final = 65_536


def widen() -> int:
    """Raises the limit to what the system allows, up to what any centre needs; the limit now.

    Many systems begin a process with 1,024, which 340 agents would use up.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def now() -> tuple[int, int]:
    """How many are open, and how many may be."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        return len(os.listdir("/proc/self/fd")), most
    except OSError as error:  # to look needs one, too
        return (most if error.errno in {errno.EMFILE, errno.ENFILE} else 0), most


def for_pages() -> int:
    """Connections of pages that may be open at once."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2
