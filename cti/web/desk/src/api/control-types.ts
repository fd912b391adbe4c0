// Shapes of call-backs, by the names of cti/web/schemas/surveys.py.

import type { Instant } from './types'

export interface Named {
  zh: string
  en: string
}

export interface SurveyTask {
  id: string
  serial: string
  version: number
  customer_id: string | null
  customer_name: string | null
  number: string | null
  vip_class: string | null
  business: string | null
  summary: string
  need: number
  reasons: string[]
  since: Instant | null
  due_at: Instant | null
  overdue: boolean
  attempts: number
  not_before: Instant | null
  owner: string | null
}

export interface SurveyQueue {
  items: SurveyTask[]
  total: number
}

export interface SurveyChoice {
  code: string
  name: Named
}

export interface SurveyField {
  name: string
  label: Named
  choices: SurveyChoice[]
}

export interface SurveyForm {
  attempts: number
  vain: SurveyChoice[]
  outcomes: SurveyChoice[]
  profile: SurveyField[]
  ends_well: string[]
}

/** A grade by key after the call that somebody must speak about. */
export interface FollowUp {
  id: string
  state: string
  call_id: string
  grade: string
  agent: string
  graded_at: Instant
  order_id: string | null
  order_serial: string | null
  customer_name: string | null
  caller_number: string | null
  due_at: Instant
  overdue: boolean
  owner: string | null
  claimed_at: Instant | null
  done_at: Instant | null
  opinion: string | null
  final_grade: string | null
  version: number
}

export interface FollowUpPage {
  items: FollowUp[]
  next_cursor: string | null
}
