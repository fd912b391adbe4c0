// Shapes of cti/web/schemas/admin.py and audit.py; types.test.ts compares the two.

import type { Instant, Label } from './types'

export interface QualificationView {
  post: string
  what: string
  obtained_on: string
  valid_to: string | null
}

export interface PersonView {
  number: string
  name: string
  posts: string[]
  team: string | null
  unit: string | null
  phone_kind: 'browser' | 'desk'
  vip_overflow: boolean
  active: boolean
  has_password: boolean
  version: number
  skills: Record<string, number>
  qualifications: QualificationView[]
  unqualified: string[]
}

export interface TeamView {
  code: string
  name: string
}

export interface PostChoice {
  post: string
  label: Label
  demands: Label | null
}

export interface StaffList {
  items: PersonView[]
  teams: TeamView[]
  posts: PostChoice[]
}

export interface ResetToken {
  token: string
}

export interface LogRow {
  id: number
  at: Instant
  actor: string
  actor_name: string | null
  verb: string
  subject_kind: string
  subject_id: string
  said: Record<string, unknown> | null
  seal_seq: number | null
}

export interface LogPage {
  items: LogRow[]
  next_cursor: string | null
}

export interface ChainState {
  log: 'changes' | 'queries'
  sealed: number
  sealed_at: Instant | null
  waiting: number
  anchors: number
}

export interface LogState {
  chains: ChainState[]
}
