import { describe, expect, it } from 'vitest'
import type { QueueMember, QueueView } from '@/api/types'
import { agents, outcome, percent, seconds, waiting } from './board'

const member = (agent: string, state: string, since = '2026-11-23T02:00:00Z'): QueueMember => ({
  interface: `PJSIP/${agent}`, agent, name: `name ${agent}`, state, since, reason: state === 'paused' ? 'break' : null, paused: state === 'paused', dynamic: true, call_id: null,
})
const queue = (label: string, members: QueueMember[], joined: string[] = []): QueueView => ({
  name: label, label, strategy: 'rrmemory', service_level_s: 15, ring_s: 8, members, waiting: joined.length,
  calls: joined.map((at, place) => ({ call_id: at, number: '138****0000', position: place + 1, joined_at: at, priority: 0, vip: false })),
})

describe('agents', () => {
  it('shows each agent once, with what tells most', () => {
    const found = agents([queue('a', [member('1002', 'idle'), member('1001', 'paused')]), queue('b', [member('1002', 'talking', '2026-11-23T03:00:00Z')])])
    expect(found.map(({ agent, state, queues }) => [agent, state, queues])).toEqual([['1001', 'paused', ['a']], ['1002', 'talking', ['a', 'b']]])
    expect(found[1]?.since).toBe('2026-11-23T03:00:00Z')
    expect(found[0]?.reason).toBe('break')
  })

  it('keeps the first of equal states, and takes an unheard one for away', () => {
    const found = agents([queue('a', [member('1', 'odd'), member('2', 'idle')]), queue('b', [member('2', 'paused')])])
    expect(found.map((one) => one.state)).toEqual(['unavailable', 'idle'])
  })
})

describe('numbers', () => {
  it('finds who waits longest in all queues', () => {
    expect(waiting([queue('a', [], ['2026-11-23T02:02:00Z']), queue('b', [], ['2026-11-23T02:01:00Z', '2026-11-23T02:03:00Z'])])).toEqual({ count: 3, since: '2026-11-23T02:01:00Z' })
    expect(waiting([])).toEqual({ count: 0, since: null })
  })

  it('writes shares and times, and a dash for none', () => {
    expect([percent(0.8333), percent(1), percent(0), percent(null)]).toEqual(['83.3%', '100%', '0%', '–'])
    expect([seconds(7440), seconds(0), seconds(null)]).toEqual(['7.4', '0', '–'])
  })

  it('adds outcomes up', () => {
    expect(outcome(null, 'answered')).toBe(0)
  })
})
