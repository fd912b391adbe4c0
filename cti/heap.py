"""The C library's memory, for a process that is the service: one heap, and what the start took given back.

glibc gives each thread that allocates a heap of its own, so that threads need not wait for each other; Python's
threads wait for each other anyway, and what each heap keeps for later is lost to the others. SQLite's threads, which do
allocate without the interpreter, wait a few microseconds. Another C library has neither switch, and is left as it is.
"""

from __future__ import annotations

import ctypes
from typing import Final

#: `M_ARENA_MAX` of glibc's malloc.h
_ARENA_MAX: Final = -8


def one() -> bool:
    """Later threads share the heap of the first; to be said before they start. False: not with this C library."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_ARENA_MAX, 1))


def give_back() -> bool:
    """What is free goes back to the machine. False: nothing was, or not with this C library."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim is not None and bool(trim(0))
