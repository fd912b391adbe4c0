// Figures and counters as the service gives them (cti/web/schemas/figures.py).

import type { Instant, Label } from './types'

export interface ShareFigure {
  code: string
  name: Label
  formula: Label
  part: number
  whole: number
  value: number | null
}

export interface ClockFigure {
  code: string
  name: Label
  formula: Label
  count: number
  mean_ms: number | null
  p50_ms: number | null
  p95_ms: number | null
  longest_ms: number | null
}

export interface CountFigure {
  code: string
  count: number
}

export interface AgentCount {
  agent: string
  name: string | null
  count: number
}

export interface BreachFigure {
  code: string
  count: number
  agents: AgentCount[]
}

export interface CalibrationFigure {
  told: number
  judged: number
  bias_ms: number | null
  mean_absolute_ms: number | null
  within: ShareFigure
}

export interface GradeCount {
  grade: string
  name: Label
  count: number
}

export interface GradeFigure {
  graded: ShareFigure
  mean_score: number | null
  grades: GradeCount[]
}

export interface FiguresView {
  since: Instant
  until: Instant
  queue: string | null
  target_s: number
  total: number
  still_open: number
  asked: number
  joined: number
  answered: number
  outcomes: CountFigure[]
  shares: ShareFigure[]
  clocks: ClockFigure[]
  longest_wait_ms: number
  breaches: BreachFigure[]
  misses: AgentCount[]
  abandons: CountFigure[]
  calibration: CalibrationFigure
  satisfaction: GradeFigure
}

export interface ReasonCount {
  code: string
  name: Label
  text: Label
  count: number
}

export interface CounterPair {
  theirs: number
  ours: number
  difference: number
  reasons: ReasonCount[]
}

export interface CountersView {
  queue: string
  label: string
  since: Instant
  at: Instant
  answered: CounterPair
  abandoned: CounterPair
  service_level_s: number
  level_percent: number | null
  our_level_percent: number | null
}
