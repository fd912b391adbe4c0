import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { i18n } from '@/i18n'
import { useDesk } from '@/stores/desk'
import { useSession } from '@/stores/session'
import { take } from '@/stream/floor'
import { FakeService } from '@/testing/samples'
import FloorView from '@/views/FloorView.vue'

let shown: VueWrapper
beforeEach(() => {
  setActivePinia(createPinia())
  vi.stubGlobal('fetch', new FakeService().answer(200, []).fetch)
  useSession().staff = { id: 1, number: '3001', name: '周敏', posts: ['SU'], team: null, phone_kind: 'browser', language: 'zh' }
  useSession().permissions = ['view_floor']
  shown = mount(FloorView, { global: { plugins: [i18n], stubs: { RouterLink: true } } })
})
afterEach(() => {
  shown.unmount()
  vi.unstubAllGlobals()
})

/** An alert as the stream brings it. */
async function alert(code: string, callId: string, details: Record<string, unknown>): Promise<void> {
  const desk = useDesk()
  const data = JSON.stringify({ code, text: '', call_id: callId, at: '2026-11-23T02:00:15Z', details })
  const event = { id: `e-${callId}`, name: 'alert', data }
  desk.heard({ type: 'event', event, floor: take(desk.floor, event) })
  await flushPromises()
}

const late = (): { call: string | undefined; text: string }[] =>
  shown.findAll('[data-testid="floor-late"]').map((each) => ({ call: each.attributes('data-call-id'), text: each.text() }))

describe('callers who wait too long while somebody is idle (TL-11)', () => {
  it('stand on the floor with their wait and who could answer, the newest first', async () => {
    expect(late()).toEqual([])
    await alert('late_answer', 'c1', { waited_ms: 15_400, idle_agents: ['1001', '1002'] })
    await alert('late_answer', 'c2', { waited_ms: 16_600, idle_agents: ['1002'] })
    expect(late().map((each) => each.call)).toEqual(['c2', 'c1'])
    expect(late()[0]?.text).toContain('17')
    expect(late()[1]?.text).toMatch(/15.*1001, 1002/)
    expect(shown.find('ul.late').attributes('role')).toBe('alert')
  })

  it('are no other alert, and go when somebody has seen them', async () => {
    await alert('item_overdue', 'c3', {})
    expect(late()).toEqual([])
    await alert('late_answer', 'c1', { waited_ms: 15_400, idle_agents: ['1001'] })
    await alert('late_answer', 'c2', {})
    expect(late()).toHaveLength(2)
    expect(late()[0]?.text).toContain('15')
    await shown.find('[data-call-id="c1"] button').trigger('click')
    expect(late().map((each) => each.call)).toEqual(['c2'])
  })
})
