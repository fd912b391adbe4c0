"""Asterisk's queues hold what the database says; what others put there is left alone (TL-40, G13)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cti.ami.commands import Command
from cti.ami.frames import Frame
from cti.ami.session import ActionRefused, LinkDown
from cti.calls.model import Floor, Member
from cti.switchboard import Switchboard, differences, interface_of
from tests.calls.stories import START
from ticketing.staff.model import Membership


def wanted(number: str, queue: str = "complaint", *, paused: bool = False, reason: str | None = None) -> Membership:
    return Membership(number, "林晓梅", queue, paused=paused, reason=reason)


def member(
    interface: str, queue: str = "complaint", *, paused: bool = False, membership: str = "dynamic"
) -> tuple[tuple[str, str], Member]:
    agent = interface.partition("/")[2].partition("@")[0]
    made = Member(
        queue=queue,
        interface=interface,
        agent=agent,
        name=agent,
        paused=paused,
        membership=membership,
        changed_at=START,
    )
    return (queue, interface), made


@pytest.mark.req("TL-40", "G13")
@pytest.mark.parametrize(
    ("goal", "there", "found"),
    [
        ([], [], []),
        ([wanted("1001")], [], [("add", "1001", "complaint")]),
        ([wanted("1001")], [member("PJSIP/1001")], []),
        (
            [wanted("1001")],
            [member("PJSIP/1001", "senior")],
            [("add", "1001", "complaint"), ("remove", "1001", "senior")],
        ),
        ([wanted("1001", paused=True)], [member("PJSIP/1001")], [("pause", "1001", "complaint")]),
        ([wanted("1001")], [member("PJSIP/1001", paused=True)], [("unpause", "1001", "complaint")]),
        ([wanted("1001", paused=True)], [], [("add", "1001", "complaint")]),
        ([], [member("PJSIP/1001")], [("remove", "1001", "complaint")]),
        # what an administrator or another program put there
        ([], [member("PJSIP/1001", membership="static")], []),
        ([], [member("PJSIP/1001", membership="realtime")], []),
        ([], [member("PJSIP/reception")], []),
        ([], [member("Local/1001@agents")], []),
        ([], [member("SIP/1001")], []),
    ],
)
def test_differences(
    goal: list[Membership], there: list[tuple[tuple[str, str], Member]], found: list[tuple[str, str, str]]
) -> None:
    told = differences(goal, dict(there))
    assert [(each.verb, each.wanted.number, each.wanted.queue) for each in told] == found


class ScriptedLink:
    """Remembers what it was asked, and refuses what the script says."""

    def __init__(self, refuse: Callable[[Command], str | None] = lambda command: None) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._refuse = refuse

    async def send(self, command: Command, timeout_s: float | None = None) -> list[Frame]:
        assert timeout_s is not None
        self.asked.append((command.name, {key: str(value) for key, value in command.fields}))
        if (words := self._refuse(command)) is not None:
            raise ActionRefused(message=words)
        return []

    def told(self) -> list[tuple[str, str, str]]:
        """Action, interface and queue of each."""
        return [(name, fields["Interface"], fields.get("Queue", "")) for name, fields in self.asked]


def board(link: ScriptedLink, *members: tuple[tuple[str, str], Member]) -> Switchboard:
    floor = Floor()
    floor.members.update(members)
    return Switchboard(link, floor)  # type: ignore[arg-type]  # the fake answers all that is asked of a link


async def test_an_agent_is_added_under_his_own_interface_and_number() -> None:
    link = ScriptedLink()
    await board(link).sign_in([wanted("1001"), wanted("1001", "suggestion")])
    assert link.told() == [("QueueAdd", "PJSIP/1001", "complaint"), ("QueueAdd", "PJSIP/1001", "suggestion")]
    fields = link.asked[0][1]
    assert fields["MemberName"] == "1001"
    assert fields["StateInterface"] == interface_of("1001")
    assert fields["Paused"] == "false"


async def test_one_who_is_paused_comes_in_paused_and_with_his_reason() -> None:
    link = ScriptedLink()
    await board(link).add(wanted("1001", paused=True, reason="training"))
    assert link.told() == [("QueueAdd", "PJSIP/1001", "complaint"), ("QueuePause", "PJSIP/1001", "complaint")]
    assert link.asked[0][1]["Paused"] == "true"
    assert (link.asked[1][1]["Paused"], link.asked[1][1]["Reason"]) == ("true", "training")


async def test_one_who_is_there_already_is_only_put_right() -> None:
    link = ScriptedLink(
        lambda command: "Unable to add interface: Already there" if command.name == "QueueAdd" else None
    )
    await board(link).add(wanted("1001"))
    assert link.told() == [("QueueAdd", "PJSIP/1001", "complaint"), ("QueuePause", "PJSIP/1001", "complaint")]
    assert link.asked[1][1]["Paused"] == "false"


async def test_a_refusal_for_another_reason_is_told() -> None:
    link = ScriptedLink(lambda command: "Unable to add interface to queue: No such queue")
    with pytest.raises(ActionRefused, match="No such queue"):
        await board(link).add(wanted("1001", "nowhere"))


@pytest.mark.parametrize(
    "words", ["Unable to remove interface: Not there", "Unable to remove interface: No such queue"]
)
async def test_removing_one_who_is_not_there_is_harmless(words: str) -> None:
    await board(ScriptedLink(lambda command: words)).remove("1001", "complaint")


async def test_a_pause_of_one_who_is_in_no_queue_is_harmless() -> None:
    await board(ScriptedLink(lambda command: "Interface not found")).pause("1001", True, "training")


async def test_a_lost_link_is_told() -> None:
    class Lost(ScriptedLink):
        async def send(self, command: Command, timeout_s: float | None = None) -> list[Frame]:
            raise LinkDown

    with pytest.raises(LinkDown):
        await board(Lost()).pause("1001", True)


@pytest.mark.req("G13")
async def test_signing_out_leaves_static_places_and_other_people_alone() -> None:
    link = ScriptedLink()
    there = [
        member("PJSIP/1001"),
        member("PJSIP/1001", "suggestion"),
        member("PJSIP/1001", "manager", membership="static"),
        member("PJSIP/1002"),
    ]
    await board(link, *there).sign_out("1001")
    assert link.told() == [("QueueRemove", "PJSIP/1001", "complaint"), ("QueueRemove", "PJSIP/1001", "suggestion")]


@pytest.mark.req("TL-40", "G13")
async def test_after_a_reconnect_the_queues_are_put_right_and_nothing_else_is_touched() -> None:
    link = ScriptedLink()
    there = [member("PJSIP/1001", paused=True), member("PJSIP/1003"), member("PJSIP/1002", membership="static")]
    goal = [wanted("1001"), wanted("2001", "senior"), wanted("3001", paused=True, reason="meal")]
    assert await board(link, *there).reconcile(goal) == 4
    assert link.told() == [
        ("QueuePause", "PJSIP/1001", "complaint"),
        ("QueueAdd", "PJSIP/2001", "senior"),
        ("QueueAdd", "PJSIP/3001", "complaint"),
        ("QueuePause", "PJSIP/3001", "complaint"),
        ("QueueRemove", "PJSIP/1003", "complaint"),
    ]
    assert await board(ScriptedLink(), member("PJSIP/1001")).reconcile([wanted("1001")]) == 0


@pytest.mark.req("TL-23", "TL-40")
async def test_nobody_becomes_ready_without_the_dialler_being_asked() -> None:
    """By the button, by the end of a wrap-up, by signing in, and by the comparison of each minute."""

    async def keep(number: str) -> bool:
        asked.append(number)
        return number == "1001"

    asked: list[str] = []
    link = ScriptedLink()
    there = [member(f"PJSIP/{number}", paused=True) for number in ("1001", "1002")]
    desk = board(link, *there)
    desk.before_ready = keep
    await desk.ready("1001")
    await desk.reconcile([wanted("1001"), wanted("1002")])
    await desk.sign_in([wanted("1001", "suggestion")])
    assert asked == ["1001", "1001", "1002", "1001"]
    unpaused = [fields["Interface"] for name, fields in link.asked if fields.get("Paused") == "false"]
    assert unpaused == ["PJSIP/1002"]
