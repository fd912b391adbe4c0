// Shapes of an order's steps, by the names of cti/web/schemas/workflow.py.

import type { Instant } from './types'

export interface TaskInput {
  unit: string
  task: string
  limit_s: number
  working_time: boolean
  person?: string | null
  /** step of the template */
  node?: string | null
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
  unread: string[]
  chased: string | null
  chases: number
  proposed: boolean
  extending: boolean
  kind: string
  parent: number | null
  notes: string | null
  liability: string | null
  apology: boolean | null
  followed: string | null
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
  work_order: string | null
  reason: string | null
  task: string | null
  limit_s: number | null
  code: string | null
  due_at: Instant | null
  old_due_at: Instant | null
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
  liability: string | null
  apology: boolean | null
  quality_flag: string | null
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
  /** It counts: the surveyor's does (G11). */
  official: boolean
}

export interface CallInVain {
  at: Instant
  by: string | null
  cycle: number
  why: string
  note: string | null
  not_before: Instant | null
}

export interface CoordinationView {
  at: Instant
  by: string | null
  question: string
  level: number
  ended_at: Instant | null
  decided_by: string | null
  decision: string | null
  lead_unit: string | null
}

export interface ResponseView {
  at: Instant
  by: string | null
  text: string
  outcome: string
  answer: string | null
  work_order: number | null
}

export interface AgreementView {
  at: Instant
  by: string | null
  plan: string
  told_due_at: Instant
  time_reason: string
  agreed: boolean
}

export interface RemedyView {
  at: Instant
  by: string | null
  remedy: string
  amount: string | null
  reason: string
  state: string
  decided_by: string | null
  opinion: string | null
}

export interface ChaseView {
  work_order: number
  unit: string
  at: Instant
  by: string | null
  asked_by: string
  reason: string
  reached: string
  acknowledged_at: Instant | null
  acknowledged_by: string | null
  outstanding: boolean
}

export interface NoticeView {
  id: string
  kind: string
  means: string
  to: string
  text: string
  state: string
  created_at: Instant
  attempts: number
  ended_at: Instant | null
  last_error: string | null
}

export interface MeasureView {
  zh: string
  en: string
}

export interface OpenPoint {
  id: string
  kind: string
  order_id: string
  order_serial: string
  unit: string | null
  opened_at: Instant
  due_at: Instant | null
  overdue: boolean
  done_at: Instant | null
  note: string | null
}

export interface OpenPointList {
  items: OpenPoint[]
}

export interface OrderHistory {
  reviews: ReviewView[]
  work_orders: WorkOrderTask[]
  replies: ReplyView[]
  surveys: SurveyView[]
  attempts: CallInVain[]
  coordinations: CoordinationView[]
  responses: ResponseView[]
  agreements: AgreementView[]
  chases: ChaseView[]
  notices: NoticeView[]
  remedies: RemedyView[]
  tracking: OpenPoint[]
  measures: MeasureView[]
}
