// Shapes of papers and their originals: cti/web/schemas/papers.py.

import type { Order } from './order-types'
import type { Card, Instant } from './types'

export type PaperState = 'new' | 'claimed' | 'done' | 'discarded'
export type OriginalState = 'none' | 'clerk' | 'handed' | 'filed' | 'lent'
export type OriginalMove = 'hand_over' | 'file' | 'refuse' | 'lend' | 'take_back'

export interface PaperFileView {
  id: string
  name: string
  media_type: string
  size: number
  sha256: string
  added_at: Instant
  added_by: string
}

export interface CustodyView {
  at: Instant
  move: OriginalMove
  by: string
  to: string | null
  place: string | null
  note: string | null
}

export interface PaperOrder {
  id: string
  serial: string
  state: string
}

export interface PaperView {
  id: string
  serial: string
  state: PaperState
  channel: string
  received_at: Instant
  registered_at: Instant
  registered_by: string
  sender: string | null
  number: string | null
  unit: string | null
  subject: string | null
  mail_number: string | null
  customer_id: string | null
  customer_name: string | null
  vip_class: string | null
  due_at: Instant
  card: Card
  overdue: boolean
  owner: string | null
  claimed_at: Instant | null
  ended_at: Instant | null
  outcome: string | null
  discard_reason: string | null
  note: string | null
  original: OriginalState
  holder: string | null
  place: string | null
  handed_at: Instant | null
  original_card: Card
  original_outcome: string | null
  files: PaperFileView[]
  custody: CustodyView[]
  orders: PaperOrder[]
  version: number
}

export interface PaperPage {
  items: PaperView[]
  next_cursor: string | null
}

export interface PaperOrdered {
  paper: PaperView
  order: Order
}

export interface OrderFiles {
  items: PaperFileView[]
}

export interface PaperWish {
  channel: string
  received_at: Instant
  sender: string | null
  number: string | null
  unit: string | null
  subject: string | null
  mail_number: string | null
  original: boolean
}

export interface PaperFilter {
  state?: string
  original?: string
  mine?: boolean
  overdue?: boolean
  q?: string
  limit?: number
  cursor?: string
}
