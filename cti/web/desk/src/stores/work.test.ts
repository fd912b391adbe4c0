import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { WorkCounts, WorkEvent } from '@/api/types'
import { FakeService } from '@/testing/samples'
import { useDesk } from './desk'
import { useSession } from './session'
import { useWork } from './work'

const counts = (part: Partial<WorkCounts> = {}): WorkCounts => ({ items_new: 2, items_overdue: 0, papers_new: null, papers_overdue: null, originals_handed: null, callbacks_listed: 1, callbacks_overdue: 0, ...part })
const event = (id: string): WorkEvent => ({ id, serial: '100000009', state: 'new', version: 1, event: 'item.taken' })

let service: FakeService
beforeEach(() => {
  setActivePinia(createPinia())
  service = new FakeService()
  vi.stubGlobal('fetch', service.fetch)
  vi.useFakeTimers()
  useSession().permissions = ['view_items', 'view_callbacks']
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function tell(name: string, data: unknown): void {
  const desk = useDesk()
  desk.heard({ type: 'event', floor: desk.floor, event: { id: 'e-1', name, data: JSON.stringify(data) } })
}

describe('what waits beside the calls', () => {
  it('is counted once for several changes told at once', async () => {
    service.answer(200, counts())
    tell('item', event('a'))
    tell('item', event('b'))
    tell('callback', event('c'))
    expect([useWork().itemNews?.id, useWork().callbackNews?.id]).toEqual(['b', 'c'])
    await vi.advanceTimersByTimeAsync(300)
    expect(service.asked.map((each) => each.path)).toEqual(['/api/work-counts'])
    expect(useWork().counts.items_new).toBe(2)
  })

  it('is counted anew when something goes over its time, and the alert stands', async () => {
    service.answer(200, counts({ callbacks_overdue: 1 }))
    tell('alert', { code: 'callback_overdue', text: '', call_id: null, at: null, details: { id: 'c', serial: '100000009' } })
    await vi.advanceTimersByTimeAsync(0)
    expect([useWork().counts.callbacks_overdue, useDesk().alerts.length]).toEqual([1, 1])
    tell('alert', { code: 'late_answer', text: '', call_id: 'x', at: null, details: {} })
    await vi.advanceTimersByTimeAsync(0)
    expect(service.asked.length).toBe(1)
  })

  it('keeps the last figures when the service does not answer', async () => {
    service.answer(200, counts())
    await useWork().count()
    await useWork().count()
    expect(useWork().counts.items_new).toBe(2)
  })

  it('is not asked for by who may see neither, and forgotten when he may no more', async () => {
    service.answer(200, counts())
    await useWork().count()
    useSession().permissions = ['view_orders']
    await useWork().count()
    expect([service.asked.length, useWork().counts.items_new]).toEqual([1, null])
  })
})
