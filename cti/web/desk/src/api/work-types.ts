// Shapes of recorded complaints, callbacks and announcements: cti/web/schemas/intake.py, callbacks.py, work.py, announcements.py.

import type { Order } from './order-types'
import type { Card, Instant, Label, RecordingRef } from './types'

export interface WorkEvent {
  id: string
  serial: string
  state: string
  version: number
  event: string
}

export interface WorkCounts {
  items_new: number | null
  items_overdue: number | null
  papers_new: number | null
  papers_overdue: number | null
  originals_handed: number | null
  callbacks_listed: number | null
  callbacks_overdue: number | null
}

export interface ItemOrder {
  id: string
  serial: string
  state: string
}

export type ItemState = 'new' | 'claimed' | 'done' | 'discarded' | 'sorted_out'

export interface ItemView {
  id: string
  serial: string
  state: ItemState
  sorted_out: string | null
  call_id: string
  caller_number: string | null
  customer_id: string | null
  customer_name: string | null
  vip_class: string | null
  language: string
  dnis: string
  queue: string | null
  seconds: number | null
  how: string
  received_at: Instant
  taken_at: Instant
  due_at: Instant
  card: Card
  overdue: boolean
  owner: string | null
  claimed_at: Instant | null
  ended_at: Instant | null
  outcome: string | null
  discard_reason: string | null
  note: string | null
  callback: string | null
  orders: ItemOrder[]
  recording: RecordingRef | null
  version: number
}

export interface ItemPage {
  items: ItemView[]
  next_cursor: string | null
}

export interface ItemOrdered {
  item: ItemView
  order: Order
}

export interface AttemptView {
  n: number
  state: string
  outcome: string | null
  agent: string | null
  call_id: string
  started_at: Instant
  ended_at: Instant | null
}

export type CallbackState =
  | 'pending' | 'claimed' | 'agent_reserved' | 'dialling' | 'answered' | 'confirmed' | 'queued'
  | 'connected' | 'failed' | 'unknown' | 'cancelled'

export interface CallbackView {
  id: string
  serial: string
  state: CallbackState
  mode: 'agent_first' | 'customer_first'
  number: string
  customer_id: string | null
  customer_name: string | null
  vip_class: string | null
  language: string
  queue: string
  priority: number
  call_id: string | null
  window: string
  window_start: Instant | null
  window_end: Instant | null
  joined_at: Instant
  booked_at: Instant
  next_at: Instant
  due_at: Instant
  card: Card
  overdue: boolean
  attempts: number
  attempts_left: number
  requests: number
  owner: string | null
  agent: string | null
  order: string | null
  order_id: string | null
  end_reason: string | null
  note: string | null
  ended_at: Instant | null
  tries: AttemptView[]
  messages: string[]
  version: number
}

export interface CallbackPage {
  items: CallbackView[]
  next_cursor: string | null
}

export interface WindowView {
  id: string
  spoken: string
  starts_at: Instant
  ends_at: Instant
}

export interface WindowList {
  items: WindowView[]
}

/** What is asked of a list of either kind. */
export interface WorkFilter {
  state?: string
  serial?: string
  mine?: boolean
  overdue?: boolean
  listed?: boolean
  cursor?: string
  limit?: number
}

export interface Booking {
  number: string
  queue: string
  window: string
  language: string
  note: string | null
}

export interface AnnouncementView {
  id: string
  prompt: string
  dnis: string[]
  state: 'planned' | 'on' | 'over'
  starts_at: Instant
  ends_at: Instant
  off_at: Instant | null
  note: string | null
  created_at: Instant
  created_by: string
  changed_by: string
  heard: number
  ended: number
  version: number
}

export interface AnnouncementList {
  items: AnnouncementView[]
}

export interface AnnouncementPrompt {
  code: string
  text: Label
}

export interface AnnouncementLine {
  dnis: string
  label: Label
}

export interface AnnouncementChoices {
  prompts: AnnouncementPrompt[]
  lines: AnnouncementLine[]
}

export interface AnnouncementWish {
  prompt: string
  dnis: string[]
  starts_at: Instant | null
  ends_at: Instant
  note: string | null
}
