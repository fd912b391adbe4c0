// Shapes of clocks, calendars and limits, by the names of cti/web/schemas/clocks.py.

import type { Card, Instant, Label } from './types'

export interface StretchView {
  started_at: Instant
  ended_at: Instant
}

export interface PieceView {
  kind: 'ran' | 'left' | 'paused'
  started_at: Instant
  ended_at: Instant | null
  counted_s: number
  reason: string
  stretches: StretchView[]
}

export interface LimitChange {
  at: Instant
  old_due_at: Instant | null
  new_due_at: Instant | null
  reason: string
  by: string
}

export interface ClockExplained {
  code: string
  name: Label
  anchor: string
  graded: boolean
  source: string
  started_at: Instant
  due_at: Instant | null
  warn_at: Instant | null
  stopped_at: Instant | null
  outcome: 'met' | 'breached' | 'void' | null
  card: Card
  target_s: number | null
  given_due_at: Instant | null
  counts_from: Instant | null
  lead_s: number
  paused_s: number
  calendar: string | null
  pieces: PieceView[]
  changes: LimitChange[]
  cards: Record<string, Instant>
  unknown_years: number[]
}

export interface OrderClocks {
  items: ClockExplained[]
}

export interface CalendarView {
  code: string
  version: number
  fields: Record<string, string | string[] | number[]>
  published_at: Instant
  published_by: string
  unknown_years: number[]
}

export interface UnitCalendar {
  unit: string
  calendar: string
}

export interface CalendarList {
  items: CalendarView[]
  units: UnitCalendar[]
}

export interface ClockLimit {
  code: string
  name: Label
  target_s: number | null
  lead_s: number
  shipped_target_s: number | null
  shipped_lead_s: number
  pauses: boolean
  default: boolean
  source: string
  editable: boolean
  changed_at: Instant | null
  changed_by: string | null
}

export interface ClockLimitList {
  items: ClockLimit[]
}
