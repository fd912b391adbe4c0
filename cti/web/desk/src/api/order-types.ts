// Shapes of orders, by the names of cti/web/schemas/orders.py.

import type { CallView, Card, Instant, Kind } from './types'

export interface Promise_ {
  text: string
  due_at: Instant | null
}

export interface PromiseInput {
  text?: string | null
  due_at?: Instant | null
}

export interface OrderSummary {
  id: string
  serial: string
  kind: string | null
  state: string
  summary: string
  business: string | null
  nature: string | null
  created_at: Instant
  registered_at: Instant | null
  due_at: Instant | null
  overdue: boolean
  card: Card
  contact_no: number
  chase_no: number
  repeat_no: number
  urgent: boolean
  vip_class: string | null
  customer_name: string | null
  caller_number: string | null
  owner: string | null
  version: number
  control: string
}

export interface TrailEntry {
  at: Instant
  by: string
  by_number: string
  action: string
  from: string | null
  to: string | null
  note: string | null
  /** Coded reason of whoever stepped in, and its vocabulary; none: a code of the step itself (MN-02). */
  reason_code: string | null
  reason_words: string | null
  work_order: number | null
  read: string[]
}

export interface ClockView {
  code: string
  anchor: string
  started_at: Instant
  due_at: Instant | null
  stopped_at: Instant | null
  card: Card
  outcome: string | null
  graded: boolean
  paused_s: number
}

export interface WorkOrderView {
  id: string
  number: string
  state: string
  unit: string | null
  assignee: string | null
  due_at: Instant | null
  overdue: boolean
  card: Card
  order_serial: string
  summary: string
}

export interface ProcessNode {
  code: string
  name: string
  unit: string | null
  workplace: string | null
  after: string[]
  work_orders: string[]
}

export interface Process {
  code: string
  name: string
  version: number
  nodes: ProcessNode[]
}

export interface AddendumView {
  at: Instant
  by: string | null
  text: string
}

export interface Order extends OrderSummary {
  channel: string
  received_at: Instant
  call_id: string | null
  dnis: string | null
  complaint_type: string | null
  suggestion_category: string | null
  complainant_type: string | null
  unit: string | null
  service_number: string | null
  contact_name: string | null
  contact_number: string | null
  contact_address: string | null
  reply_mode: string | null
  event_at: Instant | null
  event_place: string | null
  description: string | null
  verbatim: string | null
  wanted_result: string | null
  wanted_limit_at: Instant | null
  promise: Promise_ | null
  operation_serial: string | null
  coded: Record<string, string>
  customer_id: string | null
  calls: CallView[]
  earlier_orders: OrderSummary[]
  trail: TrailEntry[]
  clocks: ClockView[]
  work_orders: WorkOrderView[]
  missing: string[]
  completeness: number
  order_template: string | null
  addenda: AddendumView[]
  promises: Promise_[]
  process: Process | null
  no_order_reason: string | null
  end_note: string | null
  ended_at: Instant | null
  /** Numbers, names and addresses are covered for this reader. */
  masked: boolean
  merged_into: string | null
  repeat_of: string | null
  actions: string[]
}

export interface OrderPage {
  items: OrderSummary[]
  next_cursor: string | null
}

export interface OrderFields {
  kind?: Kind | null
  business?: string | null
  nature?: string | null
  complaint_type?: string | null
  suggestion_category?: string | null
  complainant_type?: string | null
  unit?: string | null
  urgent?: boolean | null
  customer_id?: string | null
  service_number?: string | null
  contact_name?: string | null
  contact_number?: string | null
  contact_address?: string | null
  reply_mode?: string | null
  event_at?: Instant | null
  event_place?: string | null
  description?: string | null
  verbatim?: string | null
  wanted_result?: string | null
  wanted_limit_at?: Instant | null
  promise?: PromiseInput | null
  operation_serial?: string | null
  coded?: Record<string, string | null> | null
  repeat_of?: string | null
}

/** One node of the track: the nine fields of AU-05. */
export interface Stay {
  customer: string | null
  received_at: string
  wanted_end_at: string | null
  actual_end_at: string | null
  node: string
  handler: string | null
  handler_name: string | null
  state: string
  started_at: string
  ended_at: string | null
  work_order: number | null
}

export interface OrderTrack {
  masked: boolean
  items: Stay[]
}
