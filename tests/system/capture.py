"""Writes down everything Asterisk says of one answered call, the event filter taken away: for the ingest benchmark.

    python -m tests.system.capture FILE.ami

A real call at a real exchange: greeting, menu, queue, an agent who answers and speaks. The token is replaced.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from pathlib import Path

from cti.asterisk.secrets import Secrets, write_private
from cti.settings import Settings
from tests.system.ami import Ami
from tests.system.house import House
from tests.system.stage import PLAIN, menus, working


class _Reach:
    """The house's exchange with its accounts."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.secrets = Secrets.load_or_create(settings.secrets_dir)


async def capture(folder: Path) -> bytes:
    """The raw stream of the call, from its first event to its last."""
    async with House(folder / "h", ivr_data=menus(folder, short=True)) as house, working(house) as stage:
        accounts = house.settings.asterisk_run / "etc" / "rendered" / "manager_accounts.conf"
        kept = [line for line in accounts.read_text(encoding="utf-8").splitlines() if "eventfilter" not in line]
        write_private(accounts, "\n".join(kept) + "\n")
        await house.cli("manager reload")
        reach = _Reach(house.settings)
        seat = await stage.seat("1001")
        async with Ami(reach) as ami:
            start = len(ami.raw)
            caller = await stage.caller(PLAIN)
            await seat.phone.rings()
            await seat.phone.answer()
            await caller.says(house.prompts / "demo" / "customer-billing.wav")
            await seat.phone.says(house.prompts / "demo" / "agent-reply.wav")
            await seat.phone.hang_up()
            await caller.ended()
            await ami.events("Hangup", 2)
            raw = ami.raw[start:]
        return re.sub(rb"CTI_TOKEN=[^\r]*", b"CTI_TOKEN=" + b"0" * 32, raw[: raw.rindex(b"\r\n\r\n") + 4])


def main() -> None:
    """Captures one call."""
    with tempfile.TemporaryDirectory(prefix="hl-") as folder:
        Path(sys.argv[1]).write_bytes(asyncio.run(capture(Path(folder))))


if __name__ == "__main__":
    main()
