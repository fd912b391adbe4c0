// Data for tests; nothing else uses it.

import type { AgentView, Order, OrderSummary, Pop } from '@/api/types'

export const agent = (part: Partial<AgentView> = {}): AgentView => ({
  state: 'ready',
  since: '2026-11-23T02:13:26Z',
  reason: null,
  phone: { kind: 'browser', number: '1001', registered: true },
  queues: [{ name: 'complaint', label: '投诉受理' }],
  call_id: null,
  wrap_up_until: null,
  ...part,
})

export const pop = (part: Partial<Pop> = {}): Pop => ({
  call_id: 'call-1',
  offered_at: '2026-11-23T02:13:47.120Z',
  event_at: '2026-11-23T02:13:47.118Z',
  number: '+8613800001234',
  number_display: '138 0000 1234',
  identity: 'number_matches',
  verified: false,
  customer: null,
  candidates: [],
  dialled: { dnis: '1860', label: '客户服务热线' },
  path: [{ node: 'main', key: '1', label: '投诉', at: '2026-11-23T02:13:40Z' }],
  waited_ms: 4210,
  queue: { name: 'senior', label: '高级座席' },
  reason: { code: 'vip', text: '大客户，转高级座席。' },
  orders: [],
  open_work_orders: [],
  promises: [],
  recordings: [],
  flags: { vip: true, repeat: false, overdue: false, mood: null },
  order_id: null,
  state: 'ringing',
  ...part,
})

export const summary = (part: Partial<OrderSummary> = {}): OrderSummary => ({
  id: 'o_1',
  serial: '102938473',
  kind: null,
  state: 'draft',
  summary: '',
  business: null,
  nature: null,
  created_at: '2026-11-23T02:13:51Z',
  registered_at: null,
  due_at: null,
  overdue: false,
  card: 'none',
  contact_no: 1,
  chase_no: 0,
  repeat_no: 0,
  urgent: false,
  vip_class: null,
  customer_name: null,
  caller_number: '+8613800001234',
  owner: '1001',
  version: 1,
  control: 'run',
  ...part,
})

export const order = (part: Partial<Order> = {}): Order => ({
  ...summary(),
  channel: 'telephone',
  received_at: '2026-11-23T02:13:51Z',
  call_id: 'call-1',
  dnis: '1860',
  complaint_type: null,
  suggestion_category: null,
  complainant_type: null,
  unit: null,
  service_number: null,
  contact_name: null,
  contact_number: null,
  contact_address: null,
  reply_mode: null,
  event_at: null,
  event_place: null,
  description: null,
  verbatim: null,
  wanted_result: null,
  wanted_limit_at: null,
  promise: null,
  operation_serial: null,
  coded: {},
  customer_id: null,
  calls: [],
  earlier_orders: [],
  trail: [],
  clocks: [],
  work_orders: [],
  missing: [],
  completeness: 0,
  order_template: null,
  addenda: [],
  promises: [],
  process: null,
  no_order_reason: null,
  end_note: null,
  ended_at: null,
  masked: false,
  merged_into: null,
  repeat_of: null,
  actions: [],
  ...part,
})

/** Answers requests in the order of the test's list and remembers them. */
export class FakeService {
  readonly asked: { method: string; path: string; body: unknown; headers: Record<string, string> }[] = []
  private readonly answers: { status: number; body: unknown; after: Promise<void> }[] = []

  answer(status: number, body: unknown, after: Promise<void> = Promise.resolve()): this {
    this.answers.push({ status, body, after })
    return this
  }

  readonly fetch = async (path: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const body: unknown = typeof init?.body === 'string' ? JSON.parse(init.body) : undefined
    this.asked.push({ method: init?.method ?? 'GET', path: String(path), body, headers: (init?.headers ?? {}) as Record<string, string> })
    const answer = this.answers.shift()
    if (!answer) throw new TypeError('no connection')
    await answer.after
    return answer.status === 204 ? new Response(null, { status: 204 }) : Response.json(answer.body, { status: answer.status })
  }
}

export const refusal = (code: string, details: Record<string, unknown> = {}): unknown => ({ code, message: '', details, request_id: 'r' })
