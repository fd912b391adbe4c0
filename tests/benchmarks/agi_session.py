"""One IVR session, from Asterisk's connection to its end, beside the least any asyncio server could do.

`python -m tests.benchmarks.agi_session` walks the real menu step (greeting, main menu, key 1, into the queue) over a
socket, with hand-made ports so that no database is measured; its commands and answers are written down first. The floor
is a bare asyncio server that sends the very same commands, waits for each answer, and thinks nothing. Both run in a
process of their own, in turns. Goal: median at most 1.5 times the floor's, for a session of a dozen commands and more.
"""

import argparse
import asyncio
import logging
import os
import sys
import time
from collections.abc import Sequence
from typing import Final

import structlog

from cti.web.pop_latency import percentile
from ivr.server import FastAgiServer
from ivr.session import EntryStep
from tests.ivr.fakes import KNOWN, SECRET, FakeCall, FakeDirectory, header, ports, shipped_tree

ANI: Final = "13800001111"
TURNS: Final = 5
SESSIONS: Final = 400
WARM_UP: Final = 50
GOAL: Final = 1.5


class Recorded(FakeCall):
    """A call whose commands and answers are written down."""

    def answer(self, line: str) -> str:
        reply = super().answer(line)
        TOLD.append(reply)
        return reply


TOLD: list[str] = []


def ours() -> FastAgiServer:
    """The menus as the service runs them."""
    step = EntryStep(shipped_tree, ports(FakeDirectory({ANI: KNOWN})))
    return FastAgiServer("127.0.0.1", 0, SECRET, {"entry": step})


async def script() -> list[tuple[bytes, bytes]]:
    """Each command of one session with its answer."""
    server, made = ours(), Recorded(["1"])
    await server.start()
    await made.run(server.port)
    await server.stop()
    return [(f"{line}\n".encode(), f"{told}\n".encode()) for line, told in zip(made.lines, TOLD, strict=True)]


async def bare(commands: Sequence[bytes]) -> int:
    """Sends the same commands; returns the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline() != b"\n":
            pass
        for command in commands:
            writer.write(command)
            await reader.readline()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512)
    return int(server.sockets[0].getsockname()[1])


async def serve(which: str) -> None:
    """In the child: says the port, serves until killed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    if which == "ours":
        server = ours()
        await server.start()
        port = server.port
    else:
        port = await bare([command for command, _ in await script()])
    print(port, flush=True)
    await asyncio.Event().wait()


async def session(port: int, answers: Sequence[bytes]) -> float:
    """Milliseconds of one session, as Asterisk sees it."""
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD)
    for answer in answers:
        if not await reader.readline():
            break
        writer.write(answer)
    assert await reader.readline() == b"", "the script has an answer for each command"
    writer.close()
    return (time.perf_counter() - began) * 1000


HEAD: Final = header()


def cpu_s(pid: int) -> float:
    """Seconds of processor time a process has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def run(sessions: int) -> None:
    """Both in turns; prints the table."""
    answers = [answer for _, answer in await script()]
    times: dict[str, list[float]] = {"ours": [], "bare": []}
    cpu: dict[str, float] = dict.fromkeys(times, 0.0)
    children = {}
    for name in times:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.benchmarks.agi_session", "--serve", name), stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout is not None
        children[name] = (child, int(await child.stdout.readline()))
    try:
        for _, port in children.values():
            for _ in range(WARM_UP):
                await session(port, answers)
        for _ in range(TURNS):
            for name, (child, port) in children.items():
                before = cpu_s(child.pid)
                times[name] += [await session(port, answers) for _ in range(sessions)]
                cpu[name] += cpu_s(child.pid) - before
    finally:
        for child, _ in children.values():
            child.kill()
            await child.wait()
    floor = percentile(times["bare"], 0.5) or 1.0
    print(f"{len(answers)} commands a session, {TURNS} turns of {sessions} sessions each")
    print(f"{'':8}{'p50 ms':>9}{'p95 ms':>9}{'CPU ms':>9}{'x floor':>9}")
    for name, taken in times.items():
        p50, p95 = percentile(taken, 0.5) or 0.0, percentile(taken, 0.95) or 0.0
        print(f"{name:8}{p50:>9.2f}{p95:>9.2f}{cpu[name] * 1000 / len(taken):>9.2f}{p50 / floor:>9.2f}")
    met = "met" if (percentile(times["ours"], 0.5) or 0.0) <= GOAL * floor else "MISSED"
    print(f"goal: median at most {GOAL:g} times the bare server's: {met}")


def main() -> int:
    """Reads the options and runs; the exit code."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--sessions", type=int, default=SESSIONS, help=f"sessions of each turn ({SESSIONS})")
    given.add_argument("--serve", choices=("ours", "bare"), help=argparse.SUPPRESS)
    options = given.parse_args()
    asyncio.run(serve(options.serve) if options.serve else run(options.sessions))
    return 0


if __name__ == "__main__":
    sys.exit(main())
