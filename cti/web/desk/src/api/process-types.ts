// Shapes of cti/web/schemas/processes.py; types.test.ts compares the two.

import type { Instant, Label } from './types'

export interface CoverView {
  complaint_type: string | null
  business: string | null
  nature: string | null
}

export interface NodeView {
  code: string
  zh: string
  en: string
  task: string
  limit_s: number
  working_time: boolean
  after: string[]
  unit: string | null
  duty: string | null
  workplace: string | null
}

export interface VersionView {
  number: number
  state: string
  note: string | null
  covers: CoverView[]
  nodes: NodeView[]
  published_at: Instant | null
  published_by: string | null
  effective_at: Instant | null
  retired_at: Instant | null
  tracking_s: number | null
  running: number
}

export interface TemplateView {
  code: string
  kind: string
  label: Label
  version: number
  versions: VersionView[]
}

export interface TemplateList {
  items: TemplateView[]
  tracking_s: number
}

export interface PlannedTask {
  node: string | null
  label: Label | null
  unit: string | null
  duty: string | null
  task: string
  limit_s: number | null
  working_time: boolean
  workplace: string | null
  after: string[]
}

export interface PlanView {
  template: string | null
  label: Label | null
  number: number | null
  tasks: PlannedTask[]
}

export interface MatchView {
  plan: PlanView
}

export interface LineView {
  id: string
  duty: string
  cover: CoverView
  unit: string
  valid_from: Instant
  valid_until: Instant | null
  state: string
  reason: string
  created_at: Instant
  created_by: string
  version: number
  replaces: string | null
  people: number
  undecided: number
}

export interface LineList {
  items: LineView[]
}

export interface AffectedView {
  id: string
  order_id: string
  order_serial: string
  number: number
  unit: string
  state: string
  task: string | null
  owner: string
  due_at: Instant | null
}

export interface LineLive {
  under_way: AffectedView[]
  left: AffectedView[]
}
