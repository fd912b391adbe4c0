"""What the dialler concludes after its link was away from the exchange's channels and its journal (F19, TL-70)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from cti.ami.frames import Frame
from cti.ami.link import AmiAccount
from cti.callbacks import agent_half
from cti.calls.model import Floor
from cti.dialer import Dialer
from cti.turns import Tools
from tests.callbacks.conftest import Wish, desk, policy, wish
from tests.callbacks.exchange import Centre
from tests.orders.desk import Desk
from ticketing.callbacks import reading
from ticketing.callbacks.model import Dial, Verb
from ticketing.callbacks.policy import Policy
from ticketing.changes import Change

__all__ = ["desk", "policy", "wish"]


class Exchange:
    """Has no channel any more; says what its journal has."""

    def __init__(self) -> None:
        self.ends: dict[str, str] = {}
        self.asked = 0

    async def send(self, action: object) -> Sequence[Frame]:
        """CoreShowChannels: none."""
        return []

    async def journal(self) -> Mapping[str, str]:
        """The ends of placed calls."""
        self.asked += 1
        return self.ends


class Board:
    """Nobody is set ready here."""

    async def ready(self, *_: object) -> None:
        """As the switchboard's."""


def dialler(centre: Centre, exchange: Exchange, told: list[Change]) -> Dialer:
    """Who dialled, after his link was away."""

    async def announce(changes: Sequence[Change]) -> None:
        told.extend(changes)

    parts: dict[str, Any] = {
        "database": centre.database, "floor": Floor(), "bridge": exchange, "switchboard": Board(),
        "policy": centre.policy, "clock": lambda: centre.now, "put_event": lambda event: None, "reduced": announce,
        "announce": announce, "may_act": lambda: True, "holder": "d0", "token": "t", "caller_id": "1860",
        "ends": exchange.journal,
    }  # fmt: skip
    return Dialer(AmiAccount("127.0.0.1", 1, "dialler", "x", name="dialler", reporting=False), Tools(**parts))


async def dialled(centre: Centre, wish: Wish) -> tuple[str, Dial]:
    """A booking whose customer is being called when the link is lost."""
    booked = await centre.book(wish())
    dial = await centre.dial_next()
    assert dial is not None
    await centre.tell(dial.channel_id, Verb.ANSWER)
    return booked.subject_id, dial


async def outcome(centre: Centre, booking: str) -> tuple[str, str | None]:
    """State of the booking, and how its only attempt ended."""
    async with centre.database.read() as conn:
        found = await reading.get(conn, booking, centre.policy, centre.now)
    return found.state, found.tries[0].outcome


@pytest.mark.req("F19", "TL-70", "N3")
@pytest.mark.parametrize(
    ("first", "second", "ended"),
    [
        ("ANSWER", "BUSY", ("pending", "busy")),
        ("NOANSWER", "", ("pending", "agent_lost")),
        ("ANSWER", "ANSWER", ("dialling", None)),
    ],
)
async def test_an_end_nobody_heard_is_judged_by_the_journal(
    desk: Desk, policy: Policy, wish: Wish, *, first: str, second: str, ended: tuple[str, str | None]
) -> None:
    centre, exchange, told = Centre(desk.database, policy, desk.now), Exchange(), list[Change]()
    booking, dial = await dialled(centre, wish)
    exchange.ends = {agent_half(dial.channel_id): first, dial.channel_id: second}
    centre.pass_time(seconds=1)
    late = dialler(centre, exchange, told)
    await late._recover()
    assert await outcome(centre, booking) == ended
    assert [change.kind for change in told] == (["callback.missed"] if ended[1] else [])
    centre.pass_time(hours=1)
    await late._recover()
    if ended[1] is None:
        assert (await outcome(centre, booking))[1] == "unknown", "what came of a talk only people can say"
    else:
        assert await outcome(centre, booking) == ended, "decided once"
        assert exchange.asked == 1, "the journal is read while something is not known"


@pytest.mark.req("F19")
async def test_without_a_journal_it_is_unknown_as_before(desk: Desk, policy: Policy, wish: Wish) -> None:
    centre, exchange = Centre(desk.database, policy, desk.now), Exchange()
    booking, _ = await dialled(centre, wish)
    centre.pass_time(hours=1)
    await dialler(centre, exchange, [])._recover()
    assert (await outcome(centre, booking))[1] == "unknown"
