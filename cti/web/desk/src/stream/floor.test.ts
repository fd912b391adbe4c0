import { describe, expect, it } from 'vitest'
import { agent, pop } from '@/testing/samples'
import { EMPTY, take, type Floor } from './floor'

const told = (floor: Floor, name: string, data: unknown, id = 'e-9'): Floor => take(floor, { id, name, data: JSON.stringify(data) })
const ringing = told(told(EMPTY, 'agent', agent({ state: 'ringing', call_id: 'call-1' })), 'pop', pop(), 'e-2')

describe('floor', () => {
  it('is drawn afresh by a snapshot', () => {
    const floor = told(ringing, 'snapshot', { agent: agent(), pop: null, missed_pops: [] }, 'e-5')
    expect(floor).toEqual({ last: 'e-5', agent: agent(), pop: null, popEvent: '', missed: [] })
  })

  it('keeps the event of a pop that a snapshot repeats, and has none for one it brings', () => {
    expect(told(ringing, 'snapshot', { agent: agent(), pop: pop(), missed_pops: [] }).popEvent).toBe('e-2')
    expect(told(EMPTY, 'snapshot', { agent: agent(), pop: pop(), missed_pops: [] }).popEvent).toBe('')
  })

  it('shows the pop until it is retracted, then lists it as missed with the reason', () => {
    expect(ringing.pop?.call_id).toBe('call-1')
    const floor = told(ringing, 'retract', { call_id: 'call-1', why: 'missed' })
    expect(floor.pop).toBeNull()
    expect(floor.missed).toMatchObject([{ call_id: 'call-1', number_display: '138 0000 1234', why: 'missed' }])
  })

  it('is not moved by the retraction of another call', () => {
    expect(told(ringing, 'retract', { call_id: 'call-0', why: 'abandoned' }).pop?.call_id).toBe('call-1')
  })

  it('follows answer, draft, hang-up and the end of wrap-up', () => {
    const talking = told(ringing, 'agent', agent({ state: 'talking', call_id: 'call-1' }))
    expect(talking.pop?.state).toBe('talking')
    const drafted = told(talking, 'draft', { call_id: 'call-1', order_id: 'o_1', serial: null })
    expect(drafted.pop).toMatchObject({ order_id: 'o_1', state: 'talking' })
    const ended = told(drafted, 'agent', agent({ state: 'wrap_up', call_id: 'call-1' }))
    expect(ended.pop?.state).toBe('ended')
    expect(told(ended, 'agent', agent({ state: 'ready' })).pop).toBeNull()
  })

  it('takes the draft before the state: the order of the two is not fixed', () => {
    expect(told(ringing, 'draft', { call_id: 'call-1', order_id: 'o_1', serial: null }).pop).toMatchObject({ order_id: 'o_1', state: 'talking' })
  })

  it('keeps a new pop that rings while the last wrap-up ends', () => {
    const next = told(ringing, 'pop', pop({ call_id: 'call-2' }), 'e-3')
    expect(told(next, 'agent', agent({ state: 'ready' })).pop?.call_id).toBe('call-2')
  })

  it('passes over events it does not know, but keeps their id', () => {
    expect(told(ringing, 'weather', {}, 'e-77').last).toBe('e-77')
  })
})
