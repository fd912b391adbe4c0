"""The floor as the queues page shows it."""

from __future__ import annotations

import pytest

from cti.calls import events as ev
from cti.calls.figures import MemberView, QueueView, WaitingView, queue_views
from cti.calls.model import Floor
from tests.calls.stories import Caller, at, feed, member

A, B, C, D, E = (f"PJSIP/100{n}" for n in range(1, 6))


@pytest.mark.req("TL-13")
def test_a_busy_queue() -> None:
    floor = Floor()
    ringing, talking, left, menu = Caller(1), Caller(2), Caller(3), Caller(4)
    feed(
        floor,
        [
            ev.QueueSeen(
                at=at(-9), queue="complaint", strategy="rrmemory", completed=7, abandoned=3, service_level_s=15
            ),
            member(-9, A),
            member(-8, B),
            member(-7, C, paused=True, reason="lunch"),
            member(-6, D, status=5, membership="static"),
            member(-5, E, status=2),
            *ringing.asks(1),
            *talking.asks(0),
            *left.asks(2),
            menu.opened(3),
            menu.entered(3),
            talking.offered(4, B),
            talking.answered(5, B),
            ringing.offered(6, A),
            left.left(7),
            left.abandoned(7),
        ],
    )
    (view,) = queue_views(floor, at(10))
    assert view == QueueView(
        queue="complaint",
        strategy="rrmemory",
        service_level_s=15,
        members=(
            shown(A, "ringing", 6, call_id=ringing.id),
            shown(B, "talking", 5, call_id=talking.id),
            shown(C, "paused", -7, paused=True, reason="lunch"),
            shown(D, "unavailable", -6, dynamic=False),
            shown(E, "busy", -5),
        ),
        waiting=(
            WaitingView(
                call_id=ringing.id,
                ani="13800001111",
                vip="major",
                priority=5,
                joined_at=at(3),
                waited_ms=7_000,
                ringing=("1001",),
            ),
        ),
        talking=1,
        idle=0,
        pbx_completed=7,
        pbx_abandoned=3,
    )


def shown(
    interface: str,
    state: str,
    since: float,
    *,
    paused: bool = False,
    reason: str = "",
    dynamic: bool = True,
    call_id: str = "",
) -> MemberView:
    return MemberView(
        interface=interface,
        agent=interface[-4:],
        state=state,
        since=at(since),
        paused=paused,
        reason=reason,
        dynamic=dynamic,
        call_id=call_id,
    )


def test_idle_and_wrap_up() -> None:
    floor, caller = Floor(), Caller()
    feed(floor, [member(-9, A), member(-9, B), *caller.asks(0), caller.offered(3, B), *caller.talks(5, 60, B)])
    (view,) = queue_views(floor, at(61))
    assert [(one.agent, one.state, one.since) for one in view.members] == [
        ("1001", "idle", at(-9)),
        ("1002", "wrap_up", at(60)),
    ]
    assert (view.idle, view.talking, view.waiting) == (1, 0, ())


def test_queues_are_known_by_members_callers_or_their_settings() -> None:
    floor = Floor()
    feed(floor, [member(0, A, "manager"), ev.QueueSeen(at=at(0), queue="senior"), *Caller(queue="suggestion").asks(0)])
    feed(floor, Caller(2, queue="suggestion").asks(-1))
    views = queue_views(floor, at(9))
    assert [view.queue for view in views] == ["manager", "senior", "suggestion"]
    assert [caller.waited_ms for caller in views[2].waiting] == [8_000, 7_000]
    assert queue_views(Floor(), at(0)) == ()
