"""The service with the dialler in it, and with a policy for tests: `python -m tests.dialer.service up`.

DOOM names the step after which the process kills itself.
"""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from typing import Any

from cti import app as composition
from cti.ami.link import ActionIds, AmiAccount
from cti.asterisk.secrets import Secrets
from cti.dialer import Dialer
from cti.floor import FloorKeeper
from cti.turns import Tools
from ticketing.callbacks.model import Claim, Dial
from ticketing.callbacks.policy import Policy, parse, shipped
from ticketing.callbacks.reading import Candidate


def policy() -> Policy:
    """Always open, seconds instead of minutes."""
    always = parse(_text().replace('"08:00-21:00"', '"00:00-24:00"').replace('"09:00-21:00"', '"00:00-24:00"')).calling
    second = timedelta(seconds=1)
    return replace(shipped(), calling=always, spacing=(2 * second,), lease=4 * second, settle=4 * second)


def _text() -> str:
    return files("ticketing.callbacks").joinpath("data/callbacks.toml").read_text(encoding="utf-8")


class Doomed(Dialer):
    """Dies by kill -9 after the step that DOOM names."""

    async def _claim(self, candidate: Candidate) -> Claim | None:
        claim = await super()._claim(candidate)
        _die("claimed")
        return claim

    async def _keep(self, claim: Claim, agent: str) -> None:
        await super()._keep(claim, agent)
        _die("reserved")

    async def _commit(self, claim: Claim) -> Dial:
        dial = await super()._commit(claim)
        _die("committed")
        return dial

    async def _originate(self, dial: Dial, agent: str) -> None:
        asked = asyncio.ensure_future(super()._originate(dial, agent))
        await asyncio.sleep(0)  # it has been written, nobody has answered
        _die("asked")
        await asked


def _die(step: str) -> None:
    if os.environ.get("DOOM") == step:
        os.kill(os.getpid(), signal.SIGKILL)


class CallingKeeper(FloorKeeper):
    """The floor with the dialler beside it."""

    def wire(self, account: AmiAccount, **given: Any) -> Any:
        telephony = super().wire(account, **given)
        settings = self._settings
        secrets = Secrets.load_or_create(settings.secrets_dir)
        dialler = AmiAccount(settings.ami_host, settings.ami_port, "dialler", secrets.ami_dialler, "dialler", False)
        tools = Tools(
            database=self._database,
            floor=self.floor,
            bridge=self.link,
            switchboard=self._switchboard,
            policy=policy(),
            clock=self._clock,
            put_event=self.pump.put_event,
            drained=self.pump.drained,
            announce=self.tell,
            may_act=given["may_act"],
            holder=os.urandom(8).hex(),
            token=given["token"],
            caller_id=settings.callback_caller_id,
        )
        self.dialer = Doomed(dialler, tools, ActionIds())
        self.switchboard.before_ready = self.dialer.turns.before_ready
        self.performer.on_phase = self.dialer.turns.changed
        return telephony

    async def connect(self) -> None:
        await super().connect()
        self._dialling = asyncio.create_task(self.dialer.run())

    async def disconnect(self) -> None:
        self._dialling.cancel()
        await asyncio.gather(self._dialling, return_exceptions=True)
        await super().disconnect()


def install() -> None:
    """From now on every service of this process dials."""
    vars(composition)["FloorKeeper"] = CallingKeeper


if __name__ == "__main__":
    from cti.cli import main

    install()
    main()
