// What the stream has told so far: the agent, his pop, what he missed. Pure.

import type { AgentView, DraftEvent, MissedPop, Pop, Retract, Snapshot } from '@/api/types'
import type { StreamEvent } from './sse'

export interface Floor {
  /** Id of the last event taken in. */
  last: string
  agent: AgentView | null
  pop: Pop | null
  /** Id of the event that brought the pop; empty when a snapshot did. */
  popEvent: string
  missed: MissedPop[]
}

export const EMPTY: Floor = { last: '', agent: null, pop: null, popEvent: '', missed: [] }

/** Missed pops kept on the page. */
const MISSED = 20

export function take(floor: Floor, event: StreamEvent): Floor {
  const next = { ...floor, last: event.id || floor.last }
  const data: unknown = JSON.parse(event.data)
  switch (event.name) {
    case 'snapshot': {
      const { agent, pop, missed_pops } = data as Snapshot
      const same = pop !== null && pop.call_id === floor.pop?.call_id
      return { ...next, agent, pop, popEvent: same ? floor.popEvent : '', missed: missed_pops }
    }
    case 'agent':
      return followed(next, data as AgentView)
    case 'pop':
      return { ...next, pop: data as Pop, popEvent: event.id }
    case 'retract':
      return retracted(next, data as Retract)
    case 'draft': {
      const draft = data as DraftEvent
      if (next.pop?.call_id !== draft.call_id) return next
      const state = next.pop.state === 'ringing' ? 'talking' : next.pop.state
      return { ...next, pop: { ...next.pop, order_id: draft.order_id, state } }
    }
    default:
      return next
  }
}

/** The pop follows the agent's own call: answered, ended, done with. */
function followed(floor: Floor, agent: AgentView): Floor {
  const pop = floor.pop
  if (pop === null) return { ...floor, agent }
  const mine = agent.call_id === pop.call_id
  if (agent.state === 'talking' && mine && pop.state === 'ringing') {
    return { ...floor, agent, pop: { ...pop, state: 'talking' } }
  }
  if (agent.state === 'wrap_up' && pop.state === 'talking') return { ...floor, agent, pop: { ...pop, state: 'ended' } }
  const through = ['ready', 'paused', 'logged_out'].includes(agent.state) && pop.state !== 'ringing'
  return through ? { ...floor, agent, pop: null, popEvent: '' } : { ...floor, agent }
}

function retracted(floor: Floor, retract: Retract): Floor {
  const pop = floor.pop
  if (pop === null || pop.call_id !== retract.call_id) return floor
  if (pop.state !== 'ringing') return { ...floor, pop: { ...pop, state: 'ended' } }
  const missed: MissedPop = {
    call_id: pop.call_id,
    offered_at: pop.offered_at,
    number_display: pop.number_display,
    customer_name: pop.customer?.name ?? null,
    why: retract.why,
  }
  const others = floor.missed.filter((item) => item.call_id !== pop.call_id || item.offered_at !== pop.offered_at)
  return { ...floor, pop: null, popEvent: '', missed: [missed, ...others].slice(0, MISSED) }
}
