// Shapes of the board, by the names of cti/web/schemas/board.py.

import type { Card, Instant } from './types'

export interface StateCount {
  state: string
  count: number
  yellow: number
  red: number
  urgent: number
  paused: number
}

export interface UnitCount {
  unit: string
  orders: number
  sent: number
  accepted: number
  working: number
  at_head: number
  overdue: number
  extending: number
}

export interface BoardCard {
  id: string
  serial: string
  state: string
  card: Card
  due_at: Instant | null
  urgent: boolean
  vip: boolean
  paused: boolean
  owner: string | null
  business: string | null
  version: number
}

export interface BoardView {
  at: Instant
  total: number
  states: StateCount[]
  units: UnitCount[]
  cards: BoardCard[]
}

export interface DeviationView {
  kind: 'dispatch' | 'changed' | 'extension'
  at: Instant
  by: string | null
  order_id: string
  order_serial: string
  number: number
  unit: string
  policy_due_at: Instant | null
  due_at: Instant | null
  reason: string
}

export interface DeviationList {
  items: DeviationView[]
}
