"""A whole transaction in one trip to a thread, for SQLite.

A transaction whose statements follow one another without waiting for anything else need not come back to the event loop
after each: of a short statement most of the processor time is the way there and back. Here the coroutine that makes the
statements runs in the thread from its beginning to its end, on a connection whose answers are there at once.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine import CursorResult
from sqlalchemy.engine.cursor import CursorFetchStrategy, FullyBufferedCursorFetchStrategy
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")
#: the statements of one transaction
Work = Callable[[AsyncConnection], Coroutine[Any, Any, T]]

_WAITS: Final = "a transaction in one trip awaits nothing but its connection"


class GivenUp(Exception):
    """Who asked for the transaction was cancelled before it was committed."""


class AtOnce(AsyncConnection):
    """A connection in the thread that uses it: what is awaited is there already.

    Rows are read whole, as by the driver with an event loop: they stay what they were while others are written and
    when the transaction is over.
    """

    __slots__ = ()

    async def execute(self, statement: Any, parameters: Any = None, *, execution_options: Any = None) -> Any:
        made: CursorResult[Any] = self._proxied.execute(statement, parameters, execution_options=execution_options)
        if type(made.cursor_strategy) is CursorFetchStrategy:  # reads from the file row by row
            made.cursor_strategy = FullyBufferedCursorFetchStrategy(made.cursor)
        return made


class Trips:
    """One engine of SQLite and the threads that carry its transactions out."""

    def __init__(self, engine: Engine, beside: AsyncEngine, threads: int) -> None:
        """`beside` is the engine of transactions that come back between their statements."""
        self.engine = engine
        self._beside = beside
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="whole")

    async def carry_out(self, work: Work[T], over: Callable[[], None] = lambda: None) -> T:
        """Begins, works, commits; an error rolls back, and so does the caller's cancellation when it comes in time.

        `over` is called when the thread is through: for a caller who was cancelled that is later.
        """
        context, given_up = contextvars.copy_context(), threading.Event()

        def whole() -> T:
            with self.engine.begin() as conn:
                made = drive(work(AtOnce(self._beside, conn)))
                if given_up.is_set():
                    raise GivenUp
            return made

        def ended(trip: asyncio.Future[T]) -> None:
            over()
            if not trip.cancelled():
                trip.exception()  # of one that was given up nobody else asks for it

        trip = asyncio.get_running_loop().run_in_executor(self._threads, context.run, whole)
        trip.add_done_callback(ended)
        try:
            return await asyncio.shield(trip)
        except asyncio.CancelledError:
            given_up.set()
            raise

    def close(self) -> None:
        """Ends threads and connections."""
        self._threads.shutdown()
        self.engine.dispose()


def drive(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that waits for nothing; raises RuntimeError when it does."""
    try:
        work.send(None)
    except StopIteration as end:
        made: T = end.value
        return made
    work.close()
    raise RuntimeError(_WAITS)
