// What the supervisor's page makes of queues and figures: who is where, and what a number is called. Pure.

import type { FiguresView } from '@/api/floor-types'
import type { QueueMember, QueueView } from '@/api/types'

/** States of an agent, the one that tells most first: he may show a different one in each queue. */
export const STATES = ['talking', 'ringing', 'wrap_up', 'busy', 'idle', 'paused', 'unavailable'] as const
export type AgentState = (typeof STATES)[number]

export interface AgentPlace {
  agent: string
  name: string
  state: AgentState
  since: string
  reason: string
  queues: string[]
  /** The call he is offered or in; empty in every other state. */
  call: string
}

const rank = (state: string): number => (STATES as readonly string[]).indexOf(state)

/** Each agent once, with the strongest of his states and the queues he serves, by number. */
export function agents(queues: QueueView[]): AgentPlace[] {
  const found = new Map<string, AgentPlace>()
  for (const queue of queues) {
    for (const member of queue.members) {
      const known = found.get(member.agent)
      if (!known) found.set(member.agent, placed(member, queue.label))
      else {
        known.queues.push(queue.label)
        if (rank(member.state) < rank(known.state)) Object.assign(known, { ...placed(member, ''), queues: known.queues })
      }
    }
  }
  return [...found.values()].sort((a, b) => a.agent.localeCompare(b.agent))
}

function placed(member: QueueMember, queue: string): AgentPlace {
  const state = (rank(member.state) < 0 ? 'unavailable' : member.state) as AgentState
  return { agent: member.agent, name: member.name ?? '', state, since: member.since, reason: member.reason ?? '', queues: [queue], call: member.call_id ?? '' }
}

/** Callers who wait in all queues, and since when the first of them. */
export function waiting(queues: QueueView[]): { count: number; since: string | null } {
  const joined = queues.flatMap((queue) => queue.calls.map((call) => call.joined_at)).sort()
  return { count: queues.reduce((sum, queue) => sum + queue.waiting, 0), since: joined[0] ?? null }
}

/** 83.3 %, or a dash for a share of nothing. */
export function percent(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : `${(Math.round(value * 1000) / 10).toString()}%`
}

/** 7.4 seconds and the like, or a dash. */
export function seconds(ms: number | null | undefined): string {
  return ms === null || ms === undefined ? '–' : (Math.round(ms / 100) / 10).toString()
}

export function outcome(figures: FiguresView | null, ...codes: string[]): number {
  return (figures?.outcomes ?? []).filter((one) => codes.includes(one.code)).reduce((sum, one) => sum + one.count, 0)
}
