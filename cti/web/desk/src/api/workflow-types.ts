// Shapes of an order's steps, by the names of cti/web/schemas/workflow.py.

import type { Instant } from './types'

export interface TaskInput {
  unit: string
  task: string
  limit_s: number
  working_time: boolean
}

export interface WorkOrderTask {
  id: string
  order_id: string
  order_serial: string
  number: number
  cycle: number
  state: string
  unit: string
  owner: string | null
  urgent: boolean
  task: string | null
  dispatch_opinion: string
  sent_at: Instant | null
  due_at: Instant | null
  overdue: boolean
  result: string | null
  cause: string | null
  opinion: string | null
  overtime_reason: string | null
  handled_at: Instant | null
  ended_at: Instant | null
  version: number
  changed: boolean
  actions: string[]
}

export interface WorkOrderList {
  items: WorkOrderTask[]
}

export interface ReviewView {
  id: string
  kind: string
  state: string
  author: string | null
  created_at: Instant
  tasks: TaskInput[]
  opinion: string
  reviewer: string | null
  decided_at: Instant | null
  decision: string | null
  checks: Record<string, boolean>
  error_codes: string[]
  warning_document: string | null
}

export interface ReplyView {
  at: Instant
  by: string | null
  cycle: number
  on_the_spot: boolean
  opinion: string
  result: string | null
  channel: string | null
  channel_reason: string | null
  satisfaction: string
  final: boolean
}

export interface SurveyView {
  at: Instant
  by: string | null
  cycle: number
  outcome: string
  grade: string | null
  opinion: string | null
  cause: string | null
  wanted: string | null
  source: string
  handled: string | null
  unit: string | null
}

export interface AttemptView {
  at: Instant
  by: string | null
  cycle: number
  why: string
  note: string | null
  not_before: Instant | null
}

export interface OrderHistory {
  reviews: ReviewView[]
  work_orders: WorkOrderTask[]
  replies: ReplyView[]
  surveys: SurveyView[]
  attempts: AttemptView[]
}
