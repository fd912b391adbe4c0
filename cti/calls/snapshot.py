"""Gaps in the events and how a snapshot closes them: what could not be seen is marked (TL-70). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from cti.calls import events as ev
from cti.calls.agents import change_member
from cti.calls.beside import look
from cti.calls.facts import facts, last, learn, open_call
from cti.calls.model import Call, Floor, Leg, agent_of_channel
from cti.calls.record import ended_at, offers_of, stays_of


def lose(floor: Floor, event: ev.LinkLost) -> None:
    """From now on facts are missing: every open call, and every one that opens before the snapshot, is marked."""
    if floor.gap_from is None:
        floor.gap_from = event.at
    for call in floor.calls.values():
        _mark(floor, call, "events")


def reconcile(floor: Floor, snap: ev.FloorSnapshot) -> None:
    """Makes the floor agree with what Asterisk said; facts newer than the asking are left alone."""
    restarted = _differs(floor.pbx_started_at, snap.pbx_started_at) or _differs(floor.pbx_start, snap.pbx_start)
    floor.pbx_started_at = snap.pbx_started_at or floor.pbx_started_at
    floor.pbx_start = snap.pbx_start or floor.pbx_start
    floor.gap_from = None
    if snap.lists_members:
        _members(floor, snap)
    for queue in snap.queues:
        look(floor, queue)
    for gone in set(floor.queues) - {queue.queue for queue in snap.queues} if snap.queues else ():
        floor.queues.pop(gone)
        floor.counters.pop(gone, None)
    seen: dict[str, list[ev.ChannelSeen]] = {}
    for channel in snap.channels:
        call_id = channel.call_id or floor.ids.get(channel.uniqueid) or floor.ids.get(channel.linkedid)
        if call_id and call_id not in floor.closed:
            seen.setdefault(call_id, []).append(channel)
    for call in list(floor.calls.values()):
        if _first_at(call) < snap.at and call.call_id not in seen:
            _close_unseen(floor, call, snap, restarted)
    for call_id, channels in seen.items():
        _channels(floor, call_id, channels, snap.at)
    _queues(floor, snap, seen)


def _differs(before: object, now: object) -> bool:
    """True when both are known and not the same."""
    return bool(before) and bool(now) and before != now


def _mark(floor: Floor, call: Call, name: str) -> None:
    if name not in call.unseen:
        call.unseen.add(name)
        call.version += 1
        floor.dirty.add(call.call_id)


def _first_at(call: Call) -> datetime:
    return min(fact.at for fact in call.seen)


def _members(floor: Floor, snap: ev.FloorSnapshot) -> None:
    """Members are what the snapshot lists; those it does not list are gone."""
    listed = {(member.queue, member.interface) for member in snap.members}
    for member in snap.members:
        change_member(floor, member)
    for queue, interface in set(floor.members) - listed:
        change_member(floor, ev.MemberChanged(at=snap.at, queue=queue, interface=interface, removed=True))


def _close_unseen(floor: Floor, call: Call, snap: ev.FloorSnapshot, restarted: bool) -> None:
    """The call is gone and its end was not seen: a crash when this Asterisk is younger than the call (F05)."""
    if ended_at(call) is not None:
        return
    # a clock that was set may show a start that lies after the call, of an Asterisk that is older
    younger = snap.pbx_started_at is not None and snap.pbx_started_at > _first_at(call) and not floor.steps
    call.lost = "pbx-crash" if restarted or younger else "unseen"
    call.lost_at = snap.at
    _mark(floor, call, "ended_at")


def _channels(floor: Floor, call_id: str, channels: list[ev.ChannelSeen], at: datetime) -> None:
    """Legs are what the snapshot lists: new ones are learnt, missing ones have ended unseen."""
    call = floor.calls.get(call_id)
    if call is None:
        call = open_call(floor, call_id)
        _mark(floor, call, "events")
    for channel in channels:
        if channel.uniqueid not in call.legs:
            learn(floor, call, _opened(channel, call_id))
    if not facts(call, ev.CallEntered):
        oldest = max(channels, key=lambda channel: channel.age_s)
        _mark(floor, call, "entered_at")
        learn(floor, call, _entered(oldest, call_id))
    listed = {channel.uniqueid for channel in channels}
    for leg in list(call.legs.values()):
        if leg.ended_at is None and leg.uniqueid not in listed and not _newer(call, leg, at):
            call.legs[leg.uniqueid] = replace(leg, ended_at=at)
            _mark(floor, call, "legs")


def _opened(channel: ev.ChannelSeen, call_id: str) -> ev.ChannelOpened:
    return ev.ChannelOpened(
        at=channel.at - timedelta(seconds=channel.age_s),
        call_id=call_id,
        uniqueid=channel.uniqueid,
        linkedid=channel.linkedid,
        channel=channel.channel,
    )


def _entered(channel: ev.ChannelSeen, call_id: str) -> ev.CallEntered:
    return ev.CallEntered(
        at=channel.at - timedelta(seconds=channel.age_s),
        call_id=call_id,
        uniqueid=channel.uniqueid,
        ani=channel.ani,
    )


def _newer(call: Call, leg: Leg, at: datetime) -> bool:
    """True when a fact newer than the asking names the leg: it was born after the list was made."""
    return any(fact.at >= at and leg.uniqueid in {fact.uniqueid, getattr(fact, "leg", "")} for fact in call.seen)


def _queues(floor: Floor, snap: ev.FloorSnapshot, seen: dict[str, list[ev.ChannelSeen]]) -> None:
    """Callers who wait are put in their queues; those who no longer wait were answered or left, unseen."""
    waiting: dict[str, ev.CallerSeen] = {}
    for caller in snap.waiting:
        call_id = floor.ids.get(caller.uniqueid)
        if call_id in floor.calls:
            waiting[call_id] = caller
    for call_id, channels in seen.items():
        call = floor.calls[call_id]
        caller_seen = waiting.get(call_id)
        stays = stays_of(call)
        stay = stays[-1] if stays and stays[-1].left_at is None else None
        if caller_seen is not None and stay is None:
            _join(floor, call, caller_seen)
        elif caller_seen is None and stay is not None and stay.joined_at < snap.at:
            _leave(floor, call, stay.queue, channels, snap.at)
        elif stay is None and not facts(call, ev.AgentAnswered):
            _answer(floor, call, stays[-1].queue if stays else "", channels, snap.at)


def _join(floor: Floor, call: Call, caller: ev.CallerSeen) -> None:
    _mark(floor, call, "joined_at")
    joined_at = caller.at - timedelta(seconds=caller.wait_s)
    learn(
        floor,
        call,
        ev.CallerJoined(
            at=joined_at,
            call_id=call.call_id,
            uniqueid=caller.uniqueid,
            queue=caller.queue,
            position=caller.position,
        ),
    )


def _leave(floor: Floor, call: Call, queue: str, channels: list[ev.ChannelSeen], at: datetime) -> None:
    if not _answer(floor, call, queue, channels, at):
        _mark(floor, call, "left_at")
        learn(floor, call, ev.CallerLeft(at=at, call_id=call.call_id, queue=queue))


def _answer(floor: Floor, call: Call, queue: str, channels: list[ev.ChannelSeen], at: datetime) -> bool:
    """A call in one bridge with an agent's phone has been answered, at a time nobody saw."""
    talker = _talker(floor, channels)
    if talker is None:
        return False
    agent = agent_of_channel(talker.channel)
    interface = talker.channel.rpartition("-")[0]
    ring = next((offer for offer in reversed(offers_of(call)) if offer.interface == interface), None)
    offered = last(call, ev.AgentOffered)
    _mark(floor, call, "answered_at")
    learn(
        floor,
        call,
        ev.AgentAnswered(
            at=at,
            call_id=call.call_id,
            queue=queue or (offered.queue if offered else ""),
            interface=interface,
            agent=agent,
            leg=ring.leg if ring else talker.uniqueid,
            channel=talker.channel,
        ),
    )
    return True


def _talker(floor: Floor, channels: Iterable[ev.ChannelSeen]) -> ev.ChannelSeen | None:
    """The agent's channel among those of a call: bridged, and of a known agent."""
    return next(
        (channel for channel in channels if channel.bridge and agent_of_channel(channel.channel) in floor.agents), None
    )
