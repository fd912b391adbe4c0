"""Facts in, effects out: the only place that changes the floor. Pure.

Facts may come in any order, twice, or late (F15). A call keeps facts by their own time and everything else is derived
from them; effects are what the derived picture demands and was not yet done.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from cti.calls import events as ev
from cti.calls.agents import change_member, end_wrap_up, end_wrap_ups, idle_agents, note_idle, note_phase, set_phase
from cti.calls.beside import look
from cti.calls.effects import (
    AlertLate,
    CompleteCall,
    CreateDraft,
    Effect,
    PauseAgent,
    PopScreen,
    PrefetchCustomer,
    RegisterRecording,
    RetractPop,
    RetractReason,
)
from cti.calls.facts import call_of, facts, forget, last, learn
from cti.calls.forecast import note_talk
from cti.calls.journal import take
from cti.calls.model import Call, CallRecord, Floor, Offer, OfferResult, Phase, milliseconds
from cti.calls.record import ended_at, offers_of, record_of, stays_of
from cti.calls.snapshot import lose, reconcile
from cti.calls.stats import CALLBACK
from cti.calls.steps import step

#: facts that change nothing for offers, agents and pops
_QUIET: Final = (
    *(ev.CallEntered, ev.IvrStepped, ev.CallerIdentified, ev.CallRouted, ev.ForecastTold, ev.RecordingMarked),
    *(ev.Graded, ev.CallDisconnected),
)

#: facts of a channel that lives: where the call knew the channel and learned nothing else, they change as little
_LIVING: Final = (ev.ChannelOpened, ev.BridgeEntered, ev.BridgeLeft)

#: one phone does not ring twice within this for one caller
_SAME_RING: Final = timedelta(seconds=1)


def reduce(floor: Floor, event: ev.CallEvent) -> list[Effect]:
    """Takes one fact and says what is to be done about it."""
    if floor.latest_at is None or event.at > floor.latest_at:
        floor.latest_at = event.at
    handle = _FLOOR.get(type(event))
    if handle is not None:
        return handle(floor, event)
    call = call_of(floor, event)
    if call is None:
        return []
    version, legs = call.version, len(call.legs)
    if not learn(floor, call, event):
        return []
    call.ticks = 0
    if isinstance(event, _QUIET):
        return []
    if isinstance(event, _LIVING) and call.version == version + 1 and len(call.legs) == legs and not call.lost:
        return []
    return settle(floor, call)


def take_changed(floor: Floor) -> list[CallRecord]:
    """Records of calls that changed or closed since the last time: what the next batch saves."""
    changed = [record_of(floor.calls[call_id], floor.settings) for call_id in sorted(floor.dirty)]
    changed += floor.done
    floor.dirty.clear()
    floor.done.clear()
    return changed


def settle(floor: Floor, call: Call) -> list[Effect]:
    """Everything the call's present picture demands and that was not yet done."""
    offers = offers_of(call)
    effects = _prefetch(call)
    effects += _pops(call, offers)
    effects += _drafts(call, offers)
    effects += _phases(floor, call, offers)
    effects += _misses(floor, call, offers)
    note_idle(floor, call, stays_of(call), floor.latest_at)
    return effects


def _prefetch(call: Call) -> list[Effect]:
    """The customer is looked up at the first join, once (TL-30)."""
    join = next(iter(facts(call, ev.CallerJoined)), None)
    if join is None or call.prefetched:
        return []
    call.prefetched = True
    entered, who = last(call, ev.CallEntered), last(call, ev.CallerIdentified)
    return [
        PrefetchCustomer(
            call_id=call.call_id,
            ani=entered.ani if entered else join.ani,
            dnis=entered.dnis if entered else "",
            customer=who.customer if who else "",
        )
    ]


def _pops(call: Call, offers: tuple[Offer, ...], *, due: bool = False) -> list[Effect]:
    """The pop stands with whose phone rings and with who answered, and with nobody else (TL-30, TL-31).

    A leg that ends says nothing of why: Asterisk tells it a moment before or after, in either order. Until the tick
    (`due`) a pop without a reason stands.
    """
    newest = {offer.agent: offer for offer in offers}
    shown = {agent for agent, offer in newest.items() if offer.result in {OfferResult.OFFERED, OfferResult.ANSWERED}}
    effects: list[Effect] = []
    for agent in sorted(shown - call.popped):
        offer = newest[agent]
        if offer.result is OfferResult.OFFERED or offer.ended_at is None:
            effects.append(PopScreen(call_id=call.call_id, agent=agent, offered_at=offer.at, event_at=offer.at))
            call.popped.add(agent)
    for agent in sorted(call.popped - shown):
        why = _why(call, newest[agent], offers)
        if why != "withdrawn" or due:
            effects.append(RetractPop(call_id=call.call_id, agent=agent, why=why))
            call.popped.discard(agent)
    return effects


def _why(call: Call, offer: Offer, offers: tuple[Offer, ...]) -> RetractReason:
    if offer.result is OfferResult.MISSED:
        return "missed"
    if any(other.answered_at == offer.ended_at for other in offers if other.answered_at is not None):
        return "answered_elsewhere"
    if facts(call, ev.CallerAbandoned):
        return "abandoned"
    return "ended" if ended_at(call) is not None else "withdrawn"


def _drafts(call: Call, offers: tuple[Offer, ...]) -> list[Effect]:
    """A draft for the first who answers (TL-32), and for the next only when the first talk is over: of two phones
    that were answered at once one is the loser (P22)."""
    effects: list[Effect] = []
    owner: Offer | None = None
    for offer in sorted((offer for offer in offers if offer.answered_at), key=lambda offer: offer.answered_at or 0):
        assert offer.answered_at is not None
        if owner is not None and (owner.ended_at is None or owner.ended_at > offer.answered_at):
            continue
        owner = offer
        if offer.agent not in call.drafted:
            call.drafted.add(offer.agent)
            effects.append(CreateDraft(call_id=call.call_id, agent=offer.agent, answered_at=offer.answered_at))
    return effects


def _phases(floor: Floor, call: Call, offers: tuple[Offer, ...]) -> list[Effect]:
    """What each agent does because of this call: ringing, talking, wrap-up, ready (TL-40)."""
    effects: list[Effect] = []
    for offer in {offer.agent: offer for offer in offers}.values():
        after = Phase.READY
        if offer.answered_at is not None:
            effects += set_phase(floor, offer.agent, Phase.TALKING, offer.answered_at, call.call_id)
            after = Phase.WRAP_UP if floor.settings.wrap_up_s > 0 else Phase.READY
        elif offer.ended_at is None:
            effects += set_phase(floor, offer.agent, Phase.RINGING, offer.at, call.call_id)
        if offer.ended_at is not None:
            effects += _free(floor, call, offer.agent, after, offer.ended_at)
    return effects


def _free(floor: Floor, call: Call, number: str, phase: Phase, at: datetime) -> list[Effect]:
    """The agent is done with this call; one who is busy with another stays so."""
    agent = floor.agents.get(number)
    if agent is not None and agent.call_id not in {"", call.call_id}:
        return []
    return set_phase(floor, number, phase, at, call.call_id if phase is Phase.WRAP_UP else "")


def _misses(floor: Floor, call: Call, offers: tuple[Offer, ...]) -> list[Effect]:
    """Counts each miss once; so many in a row pause the agent, an answer starts the count afresh (TL-11)."""
    effects: list[Effect] = []
    for offer in offers:
        agent = floor.agents[offer.agent]
        if offer.answered_at and (offer.interface, offer.answered_at) not in call.answered:
            call.answered.add((offer.interface, offer.answered_at))
            agent.misses = 0
        if offer.result is not OfferResult.MISSED or _counted(call, offer):
            continue
        call.missed.add((offer.interface, offer.at))
        agent.misses += 1
        if agent.misses >= floor.settings.max_misses:
            agent.misses = 0
            effects.append(PauseAgent(agent=offer.agent, reason="missed"))
    return effects


def _counted(call: Call, offer: Offer) -> bool:
    """True for a miss that counts already; a stamp of the journal may have given way to the event's own."""
    return any(
        interface == offer.interface and (at == offer.at or (call.read and abs(at - offer.at) <= _SAME_RING))
        for interface, at in call.missed
    )


def close(floor: Floor, call: Call) -> list[Effect]:
    """Closes the call for good: its record is final and later facts about it are stale."""
    effects = settle(floor, call)
    call.version += 1
    record = record_of(call, floor.settings, closed=True)
    if record.recording or record.answered_at is not None:
        effects.append(RegisterRecording(call_id=call.call_id))
    effects.append(CompleteCall(call_id=call.call_id, record=record))
    _count(floor, record)
    if record.talk_ms is not None and record.queue:
        note_talk(floor, record.queue, record.talk_ms)
    floor.done.append(record)
    forget(floor, call)
    return effects


def _count(floor: Floor, record: CallRecord) -> None:
    """Counts a closed call once; a callback has nobody who asked."""
    done, took_ms = floor.done_so_far, record.clocks.ask_to_answer_ms
    if record.outcome is None or record.reason == CALLBACK:
        return
    done.outcomes[record.outcome] += 1
    done.asked += record.asked_at is not None
    if took_ms is not None:
        done.answers += 1
        done.answer_ms += took_ms
        done.in_time += took_ms <= floor.settings.target_ms


def close_all(floor: Floor) -> list[Effect]:
    """Closes every call whose legs have all ended, without waiting for ticks: the end of a replay."""
    ended = [call for call in floor.calls.values() if ended_at(call) is not None]
    return [effect for call in ended for effect in close(floor, call)]


def _tick(floor: Floor, event: ev.Tick) -> list[Effect]:
    """Ends wrap-ups, closes calls whose last leg ended some ticks ago, alerts about late ones."""
    effects = end_wrap_ups(floor, event.at)
    for call in list(floor.calls.values()):
        if call.popped:
            effects += _pops(call, offers_of(call), due=True)
        if ended_at(call) is None:
            effects += _alert(floor, call, event.at)
            continue
        call.ticks += 1
        if call.ticks >= _patience(floor, call):
            effects += close(floor, call)
    return effects


def _patience(floor: Floor, call: Call) -> int:
    """Ticks a call stays open after its last leg's end: longer while the queue owes the end of a talk (TL-70)."""
    owed = len(facts(call, ev.AgentAnswered)) > len(facts(call, ev.AgentCompleted))
    return floor.settings.owed_ticks if owed else floor.settings.close_ticks


def _alert(floor: Floor, call: Call, now: datetime) -> list[Effect]:
    """A caller past the target while an agent is idle or lets it ring alerts the supervisor, once (TL-11)."""
    stays = () if call.alerted or ev.AgentAnswered in call.facts else stays_of(call)
    if not stays or stays[-1].left_at is not None:
        return []
    note_idle(floor, call, stays, now)
    offers = offers_of(call)
    rung = [offers[0].at] if offers else []
    since = min([*rung, *([call.idle_from] if call.idle_from else [])], default=None)
    if since is None or milliseconds(max(since, stays[0].joined_at), now) <= floor.settings.target_ms:
        return []
    ringing = {offer.agent for offer in offers if offer.result is OfferResult.OFFERED}
    agents = tuple(sorted(ringing | idle_agents(floor, stays[-1].queue)))
    if not agents:
        return []
    call.alerted = True
    return [AlertLate(call_id=call.call_id, waited_ms=milliseconds(stays[0].joined_at, now), idle_agents=agents)]


def _member(floor: Floor, event: ev.MemberChanged) -> list[Effect]:
    change_member(floor, event)
    return []


def _queue(floor: Floor, event: ev.QueueSeen) -> list[Effect]:
    look(floor, event)
    return []


def _lost(floor: Floor, event: ev.LinkLost) -> list[Effect]:
    lose(floor, event)
    return []


def _snapshot(floor: Floor, event: ev.FloorSnapshot) -> list[Effect]:
    reconcile(floor, event)
    return [effect for call in list(floor.calls.values()) for effect in settle(floor, call)]


def _journal(floor: Floor, event: ev.JournalRead) -> list[Effect]:
    """Every fact first, then what the whole picture demands: a call that is over by then pops nowhere."""
    return [effect for call in take(floor, event) for effect in settle(floor, call)]


def _kept(floor: Floor, event: ev.FloorKept) -> list[Effect]:
    floor.gap_from = event.gap_from
    floor.pbx_started_at, floor.pbx_start = event.pbx_started_at, event.pbx_start
    return []


def _stamps(floor: Floor, event: ev.StampsMoved) -> list[Effect]:
    floor.stamps_moved_ms = event.by_ms
    return []


def _nothing(_floor: Floor, _event: ev.CallEvent) -> list[Effect]:
    return []


_FLOOR: Final[dict[type[ev.CallEvent], Callable[[Floor, Any], list[Effect]]]] = {
    ev.Tick: _tick,
    ev.MemberChanged: _member,
    ev.WrapUpEnded: end_wrap_up,
    ev.QueueSeen: _queue,
    ev.LinkLost: _lost,
    ev.LinkUp: _nothing,
    ev.FloorSnapshot: _snapshot,
    ev.JournalRead: _journal,
    ev.FloorKept: _kept,
    ev.PhaseNoted: note_phase,
    ev.ClockStepped: step,
    ev.StampsMoved: _stamps,
    ev.ServiceStarted: _nothing,
    ev.ChannelSeen: _nothing,
    ev.CallerSeen: _nothing,
}
