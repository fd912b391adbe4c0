import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeService, order, refusal } from '@/testing/samples'
import { QUIET, useDraft } from './draft'

let service: FakeService
beforeEach(() => {
  vi.useFakeTimers()
  setActivePinia(createPinia())
  service = new FakeService()
  vi.stubGlobal('fetch', service.fetch)
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

async function opened(part = {}) {
  const draft = useDraft()
  service.answer(200, order(part))
  await draft.open('o_1')
  return draft
}
const body = (): unknown => service.asked.at(-1)?.body
const rest = (): Promise<unknown> => vi.advanceTimersByTimeAsync(QUIET)

describe('draft', () => {
  it('saves only what changed, once the typing stops, with the version it saw', async () => {
    const draft = await opened()
    draft.set('description', '宽')
    draft.set('description', '宽带断了')
    expect(draft.saving).toBe('changed')
    service.answer(200, order({ version: 2, description: '宽带断了' }))
    await rest()
    expect(service.asked).toHaveLength(2)
    expect(body()).toEqual({ version: 1, description: '宽带断了' })
    expect([draft.saving, draft.order?.version]).toEqual(['saved', 2])
  })

  it('keeps what is typed while a save is under way, and sends it with the new version', async () => {
    const draft = await opened()
    draft.set('description', 'a')
    let release = (): void => {}
    service.answer(200, order({ version: 2, description: 'a' }), new Promise((resolve) => (release = resolve)))
    await rest()
    expect(body()).toEqual({ version: 1, description: 'a' })
    draft.set('description', 'ab')
    release()
    await vi.advanceTimersByTimeAsync(0)
    expect(draft.values.description).toBe('ab')
    service.answer(200, order({ version: 3, description: 'ab' }))
    await rest()
    expect(body()).toEqual({ version: 2, description: 'ab' })
  })

  it('does not take away a space at the end of what is being typed', async () => {
    const draft = await opened()
    draft.set('description', 'a ')
    service.answer(200, order({ version: 2, description: 'a' }))
    await rest()
    expect(draft.values.description).toBe('a ')
  })

  it('sends both halves of a promise', async () => {
    const draft = await opened({ promise: { text: '回电', due_at: null } })
    draft.set('promise.due_at', '2026-11-24T02:00:00.000Z')
    service.answer(200, order({ version: 2 }))
    await rest()
    expect(body()).toEqual({ version: 1, promise: { text: '回电', due_at: '2026-11-24T02:00:00.000Z' } })
  })

  it('codes an element instead of filling it, and filling it takes the code away', async () => {
    const draft = await opened({ kind: 'complaint', contact_address: '文化路' })
    draft.code('contact_address', 'refused')
    service.answer(200, order({ kind: 'complaint', version: 2, coded: { contact_address: 'refused' } }))
    await rest()
    expect(body()).toEqual({ version: 1, contact_address: null, coded: { contact_address: 'refused' } })
    draft.set('contact_address', '和平路')
    service.answer(200, order({ kind: 'complaint', version: 3, contact_address: '和平路' }))
    await rest()
    expect(body()).toEqual({ version: 2, contact_address: '和平路', coded: { contact_address: null } })
  })

  it('stops at somebody else’s change, says whose, and goes on with mine on top of it', async () => {
    const draft = await opened()
    draft.set('description', '我的')
    const trail = [{ at: '2026-11-23T02:20:00Z', by: '周敏', by_number: '3001', action: 'edit', from: null, to: null, note: null, reason_code: null, reason_words: null, work_order: null, read: [] }]
    const theirs = order({ version: 5, contact_name: '李明', trail })
    service.answer(409, refusal('stale_version')).answer(200, theirs)
    await rest()
    expect(draft.conflict?.by).toBe('周敏')
    service.answer(200, order({ version: 6, contact_name: '李明', description: '我的' }))
    await draft.settle(true)
    expect(body()).toEqual({ version: 5, description: '我的' })
    expect([draft.values.contact_name, draft.values.description, draft.conflict]).toEqual(['李明', '我的', null])
  })

  it('takes the other’s copy when asked to', async () => {
    const draft = await opened()
    draft.set('description', '我的')
    service.answer(409, refusal('stale_version')).answer(200, order({ version: 5, description: '他的' }))
    await rest()
    await draft.settle(false)
    expect([draft.values.description, draft.saving]).toEqual(['他的', 'saved'])
  })

  it('leaves a refused value in the form, says why, and saves the rest', async () => {
    const draft = await opened()
    draft.set('contact_number', '12')
    draft.set('contact_name', '李明')
    service.answer(422, refusal('not_a_number', { field: 'contact_number' })).answer(200, order({ version: 2, contact_name: '李明' }))
    await rest()
    await rest()
    expect(draft.values.contact_number).toBe('12')
    expect(draft.errors.contact_number).toBeTruthy()
    expect(body()).toEqual({ version: 1, contact_name: '李明' })
  })

  it('goes on trying while the service is away', async () => {
    const draft = await opened()
    draft.set('description', 'a')
    await rest()
    expect(draft.saving).toBe('offline')
    service.answer(200, order({ version: 2, description: 'a' }))
    await vi.advanceTimersByTimeAsync(3_000)
    expect(draft.saving).toBe('saved')
  })

  it('submits what was typed last', async () => {
    const draft = await opened({ kind: 'inquiry' })
    draft.set('description', 'a')
    service.answer(200, order({ version: 2, kind: 'inquiry', description: 'a' })).answer(200, order({ version: 3, state: 'registered' }))
    expect(await draft.submit()).toBe(true)
    expect(body()).toEqual({ version: 2 })
    expect([draft.result?.how, draft.order]).toEqual(['submitted', null])
  })

  it('shows what is missing when the service says so', async () => {
    const draft = await opened({ kind: 'inquiry' })
    service.answer(422, refusal('missing', { field: 'business', missing: ['business'] }))
    expect(await draft.submit()).toBe(false)
    expect(draft.insisted).toBe(true)
    expect(draft.lacking).toContain('business')
  })

  it('shows what another page of mine wrote, but not over what is being typed', async () => {
    const draft = await opened()
    const event = { order_id: 'o_1', serial: '', state: 'draft', version: 2, event: 'order.edited' }
    service.answer(200, order({ version: 2, contact_name: '李明' }))
    await draft.changed(event)
    expect(draft.values.contact_name).toBe('李明')
    draft.set('contact_name', '李')
    await draft.changed({ ...event, version: 3 })
    expect(service.asked).toHaveLength(2)
  })

  it('does not open what is no draft any more', async () => {
    expect((await opened({ state: 'merged' })).order).toBeNull()
  })

  it('closes when it was submitted on another page of mine', async () => {
    const draft = await opened()
    await draft.changed({ order_id: 'o_1', serial: '', state: 'registered', version: 2, event: 'order.submitted' })
    expect(draft.order).toBeNull()
  })

  it('hands a VIP’s draft to the seniors with what was typed last', async () => {
    const draft = await opened({ actions: ['hand_to_senior'] })
    draft.set('description', 'a')
    service.answer(200, order({ version: 2, description: 'a' })).answer(200, order({ version: 3, owner: 'senior' }))
    expect(await draft.handToSenior('需要高级话务员')).toBe(true)
    expect(service.asked.at(-1)?.path).toBe('/api/orders/o_1/hand-to-senior')
    expect(body()).toEqual({ version: 2, reason: '需要高级话务员' })
    expect([draft.result?.how, draft.order]).toEqual(['handed', null])
  })

  it('does not hand on what was refused and would be lost', async () => {
    const draft = await opened({ actions: ['hand_to_senior'] })
    draft.set('contact_number', '12')
    service.answer(422, refusal('not_a_number', { field: 'contact_number' }))
    expect(await draft.handToSenior('x')).toBe(false)
    expect([draft.order?.id, Object.keys(draft.errors)]).toEqual(['o_1', ['contact_number']])
  })

  it('ends without an order although a value was refused', async () => {
    const draft = await opened()
    draft.set('contact_number', '12')
    service.answer(422, refusal('not_a_number', { field: 'contact_number' })).answer(200, order({ state: 'no_order' }))
    expect(await draft.noOrder('wrong_number', '')).toBe(true)
    expect(body()).toEqual({ version: 1, reason: 'wrong_number', note: null })
  })
})
