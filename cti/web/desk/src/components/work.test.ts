import { mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CallbackView, ItemView } from '@/api/types'
import { i18n } from '@/i18n'
import { useSession } from '@/stores/session'
import { FakeService } from '@/testing/samples'
import CallbackDetail from './CallbackDetail.vue'
import ItemDetail from './ItemDetail.vue'

const item = (part: Partial<ItemView> = {}): ItemView => ({
  id: 'i1', serial: '100000009', state: 'new', sorted_out: null, call_id: 'c1', caller_number: '+8613800138002', customer_id: null,
  customer_name: null, vip_class: null, language: 'zh', dnis: '1860', queue: 'complaint', seconds: 12, how: 'confirmed',
  received_at: '2026-11-23T02:00:00Z', taken_at: '2026-11-23T02:00:01Z', due_at: '2026-11-23T04:00:00Z', card: 'none', overdue: false,
  owner: 'recordings', claimed_at: null, ended_at: null, outcome: null, discard_reason: null, note: null, callback: null, orders: [],
  recording: null, version: 1, ...part,
})

const callback = (part: Partial<CallbackView> = {}): CallbackView => ({
  id: 'b1', serial: '200000008', state: 'failed', mode: 'agent_first', number: '+8613900139000', customer_id: null, customer_name: '张伟',
  vip_class: 'gold', language: 'zh', queue: 'complaint', priority: 0, call_id: null, window: 'asap', window_start: null, window_end: null,
  joined_at: '2026-11-23T02:00:00Z', booked_at: '2026-11-23T02:00:00Z', next_at: '2026-11-23T02:00:00Z', due_at: '2026-11-23T02:30:00Z',
  card: 'red', overdue: true, attempts: 2, attempts_left: 0, requests: 3, owner: 'callbacks', agent: null, order: null, order_id: null,
  end_reason: null, note: null, ended_at: null, version: 4,
  tries: [
    { n: 1, state: 'failed', outcome: 'busy', agent: '1001', call_id: 'x1', started_at: '2026-11-23T02:05:00Z', ended_at: '2026-11-23T02:05:30Z' },
    { n: 2, state: 'unknown', outcome: 'unknown', agent: '1002', call_id: 'x2', started_at: '2026-11-23T02:15:00Z', ended_at: null },
  ],
  messages: ['100000009'], ...part,
})

let shown: VueWrapper | undefined
beforeEach(() => {
  setActivePinia(createPinia())
  vi.stubGlobal('fetch', new FakeService().fetch)
  useSession().staff = { id: 1, number: '6001', name: '吴涛', posts: ['RX'], team: null, phone_kind: 'browser', language: 'zh' }
  useSession().permissions = ['view_items', 'work_items', 'view_callbacks']
})
afterEach(() => {
  shown?.unmount()
  vi.unstubAllGlobals()
})

const plugins = { global: { plugins: [i18n], stubs: { RouterLink: { template: '<a><slot /></a>' } } } }

function ofItem(part: Partial<ItemView>): VueWrapper {
  shown = mount(ItemDetail, { props: { item: item(part), acting: false, failure: '', draft: '' }, ...plugins })
  return shown
}

function ofCallback(part: Partial<CallbackView>): VueWrapper {
  shown = mount(CallbackDetail, { props: { callback: callback(part), acting: false, failure: '', told: '', queue: '投诉受理' }, ...plugins })
  return shown
}

const ids = (wrapper: VueWrapper): string[] => wrapper.findAll('button[data-testid]').map((button) => button.attributes('data-testid') ?? '')
const text = (wrapper: VueWrapper, id: string): string => wrapper.find(`[data-testid="${id}"]`).text()

describe('one recorded complaint', () => {
  it('shows its number in full only to the clerk who has it', () => {
    expect(text(ofItem({}), 'item-number')).toBe('138 **** 8002')
    expect(text(ofItem({ state: 'claimed', owner: '2001' }), 'item-number')).toBe('138 **** 8002')
    expect(text(ofItem({ state: 'claimed', owner: '6001' }), 'item-number')).toBe('138 0013 8002')
    expect(text(ofItem({ caller_number: null }), 'item-number')).toBe('号码未显示')
  })

  it('offers what its clerk may do, and says who has it to the others', () => {
    expect(ids(ofItem({}))).toEqual(['item-claim'])
    expect(ids(ofItem({ state: 'claimed', owner: '6001' }))).toEqual(['item-release', 'item-discard', 'item-order'])
    const others = ofItem({ state: 'claimed', owner: '2001' })
    expect([ids(others), text(others, 'item-claimed-by')]).toEqual([[], '2001 正在提取'])
  })

  it('says the callback it was merged with, why it was sorted out, and that its sound is missing', () => {
    const wrapper = ofItem({ callback: '200000008', sorted_out: 'tone', state: 'sorted_out' })
    expect(text(wrapper, 'item-merged')).toContain('200 000 008')
    expect(text(wrapper, 'item-sorted-out')).toContain('只有提示音')
    expect(wrapper.text()).toContain('没有找到这条留言的录音文件')
  })

  it('becomes several orders, each with its state', () => {
    const orders = [
      { id: 'o1', serial: '300000007', state: 'registered' },
      { id: 'o2', serial: '400000006', state: 'draft' },
    ]
    const wrapper = ofItem({ state: 'done', ended_at: '2026-11-23T03:00:00Z', outcome: 'met', orders })
    expect(wrapper.findAll('[data-testid="item-made"]').map((order) => order.attributes('data-state'))).toEqual(['registered', 'draft'])
    expect(ids(wrapper)).toEqual(['item-another'])
  })
})

describe('one callback', () => {
  it('says each attempt with its outcome, how often it was asked for, and the messages merged with it', () => {
    const wrapper = ofCallback({})
    const tries = wrapper.findAll('[data-testid="callback-try"]')
    expect(tries.map((each) => each.attributes('data-outcome'))).toEqual(['busy', 'unknown'])
    expect(tries[0]?.text()).toMatch(/忙音.*0:30.*1001/s)
    expect(wrapper.text()).toContain('第 3 次请求')
    expect(text(wrapper, 'callback-message')).toBe('100 000 009')
  })

  it('asks for a decision in words of its own when nobody knows what became of the last attempt', () => {
    expect(text(ofCallback({}), 'callback-decide')).toContain('自动拨打已用完次数')
    expect(text(ofCallback({ attempts: 0, tries: [] }), 'callback-decide')).toContain('因系统故障中断')
    expect(text(ofCallback({ state: 'unknown' }), 'callback-decide')).toContain('客户可能已经接到电话')
    expect(ofCallback({ state: 'pending' }).find('[data-testid="callback-decide"]').exists()).toBe(false)
  })

  it('hides the number from who only reads, and shows it to who works on it', () => {
    const reader = ofCallback({})
    expect([text(reader, 'callback-number'), ids(reader)]).toEqual(['139 **** 9000', []])
    useSession().permissions = ['view_callbacks', 'work_callbacks']
    const worker = ofCallback({})
    expect([text(worker, 'callback-number'), ids(worker)]).toEqual(['139 0013 9000', ['callback-cancel', 'callback-later', 'callback-now']])
  })

  it('says the time it was booked for', () => {
    expect(text(ofCallback({}), 'callback-window')).toBe('尽快')
    const wrapper = ofCallback({ window: '2026-11-24-morning', window_start: '2026-11-24T08:00:00', window_end: '2026-11-24T12:00:00' })
    expect(text(wrapper, 'callback-window')).toBe('11-24 08:00–12:00')
  })
})
