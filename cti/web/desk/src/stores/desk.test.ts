import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CallView } from '@/api/types'
import { EMPTY, take } from '@/stream/floor'
import { agent, FakeService, pop } from '@/testing/samples'
import { useDesk } from './desk'

let service: FakeService
let frames: (() => void)[]
beforeEach(() => {
  setActivePinia(createPinia())
  service = new FakeService()
  frames = []
  vi.stubGlobal('fetch', service.fetch)
  vi.stubGlobal('requestAnimationFrame', (act: () => void) => frames.push(act))
})
afterEach(() => vi.unstubAllGlobals())

const call = (part: Partial<CallView>): CallView => ({
  call_id: 'c1',
  dnis: '1860',
  number: '',
  entered_at: '2026-11-23T02:00:00Z',
  answered_at: null,
  ended_at: null,
  outcome: null,
  queue: null,
  agent: null,
  agent_name: null,
  waited_ms: null,
  talk_ms: null,
  order_id: null,
  order_serial: null,
  path: [],
  recording: null,
  grade: null,
  notice: 'notice@1',
  ...part,
})

function tell(name: string, data: unknown, id = 'e-1'): void {
  const desk = useDesk()
  const event = { id, name, data: JSON.stringify(data) }
  desk.heard({ type: 'event', event, floor: take(desk.floor, event) })
}
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))
async function frame(): Promise<void> {
  frames.splice(0).forEach((act) => act())
  await settle()
}

describe('desk', () => {
  it('reports a pop after two frames, and once', async () => {
    const desk = useDesk()
    tell('pop', pop(), '5f-42')
    void desk.paint()
    void desk.paint()
    await frame()
    expect(service.asked).toHaveLength(0)
    service.answer(204, null)
    await frame()
    await desk.paint()
    expect(service.asked).toHaveLength(1)
    expect(service.asked[0]).toMatchObject({ method: 'POST', path: '/api/pops/call-1/painted', body: { event_id: '5f-42' } })
  })

  it('reports none that a snapshot brought, and none that no longer rings', async () => {
    const desk = useDesk()
    tell('snapshot', { agent: agent(), pop: pop(), missed_pops: [] })
    await desk.paint()
    tell('pop', pop({ state: 'talking' }), '5f-43')
    await desk.paint()
    expect(frames).toHaveLength(0)
  })

  it('lists calls newest first, each once', () => {
    tell('call', call({ call_id: 'c1' }))
    tell('call', call({ call_id: 'c2', entered_at: '2026-11-23T03:00:00Z' }))
    tell('call', call({ call_id: 'c1', outcome: 'answered' }))
    expect(useDesk().calls.map((each) => [each.call_id, each.outcome])).toEqual([
      ['c2', null],
      ['c1', 'answered'],
    ])
  })

  it('marks the recording of a call', () => {
    tell('call', call({ call_id: 'c1' }))
    tell('recording', { call_id: 'c1', state: 'missing', id: 'r1' })
    expect(useDesk().calls[0]?.recording).toEqual({ id: 'r1', state: 'missing', seconds: null, alarm: null })
  })

  it('forgets everything with the sign-in', () => {
    const desk = useDesk()
    tell('pop', pop())
    desk.close()
    expect([desk.floor, desk.calls]).toEqual([EMPTY, []])
  })
})
