// Which steps the page offers and what each asks for; the service decides, this only saves a round trip.

import type { PlanView } from '@/api/process-types'
import type { Order } from '@/api/types'
import type { ReviewView, TaskInput, WorkOrderTask } from '@/api/workflow-types'
import { planned } from './processes'

export type FieldKind = 'line' | 'text' | 'limit' | 'names' | 'flag' | 'choice' | 'tree' | 'several' | 'tasks' | 'checks' | 'time' | 'work'

export interface StepField {
  name: string
  kind: FieldKind
  /** vocabulary of a choice, tree or several */
  words?: string
  /** fixed choices, named under step.choice */
  options?: string[]
  optional?: boolean
  /** asked only when this holds of what is typed so far */
  when?: (values: Values, about: About) => boolean
}

export type Values = Record<string, unknown>

/** What a step is about: the order, or a work order of it. */
export interface About {
  order?: Order
  review?: ReviewView | null
  work?: WorkOrderTask
  /** units that answered this order: one of them is warned by a second dispatch */
  answered?: string[]
  /** work orders that departments hold: one of them is what the customer wants changed */
  live?: WorkOrderTask[]
  /** standard measures for this class, to take over with a click (PR-19) */
  measures?: string[]
  /** what the order's template asks for now: a dispatch begins with it */
  plan?: PlanView | null
}

/** Steps whose form begins with the order's plan. */
export const PLANNED = ['propose', 'dispatch', 'redispatch']


export const CHECKS = ['valid', 'serial', 'complainant_type', 'complaint_type'] as const

const opinion: StepField = { name: 'opinion', kind: 'text' }
/** Why somebody steps in: a code, beside the words (MN-02). */
const intervention: StepField = { name: 'reason_code', kind: 'choice', words: 'intervention_reason' }
const tasks: StepField = { name: 'tasks', kind: 'tasks' }
const checks: StepField = { name: 'checks', kind: 'checks' }
const cause: StepField = { name: 'cause', kind: 'tree', words: 'cause' }
/** Of a finished case: he is told why, and one of three things is done for him. */
const complainedAgain = (values: Values, about: About): boolean => values.outcome === 'satisfied' && (about.order?.repeat_no ?? 0) > 0
const liability: StepField[] = [
  { name: 'liability', kind: 'choice', options: ['company', 'customer', 'third_party', 'none'], optional: true },
  { name: 'apology', kind: 'flag', when: (values) => values.liability === 'company' },
]
const money = (values: Values): boolean => ['compensation', 'discount'].includes(String(values.remedy))
const changes = (values: Values): boolean => ['supplement', 'recall'].includes(String(values.outcome))
const satisfaction: StepField = { name: 'satisfaction', kind: 'choice', words: 'satisfaction' }

/** Nobody named: it goes to the queue. */
const handed: StepField[] = [
  { name: 'reason', kind: 'choice', words: 'reassign_reason' },
  { name: 'person', kind: 'line', optional: true },
  { name: 'note', kind: 'line', optional: true },
]

export const STEPS: Record<string, StepField[]> = {
  answer: [opinion, satisfaction, { name: 'fcr', kind: 'flag' }],
  hand_to_senior: [{ name: 'reason', kind: 'line' }],
  propose: [tasks, opinion],
  send_back: [intervention, opinion, { name: 'errors', kind: 'several', words: 'review_error', optional: true }],
  approve: [
    tasks,
    checks,
    opinion,
    { name: 'warned_unit', kind: 'choice', when: (_, about) => about.review?.kind === 'second_dispatch' },
  ],
  dispatch: [tasks, checks, opinion],
  invalidate: [checks, opinion, { name: 'customer_told', kind: 'line' }],
  solve: [opinion, cause],
  reply: [
    opinion,
    { name: 'result', kind: 'text' },
    { name: 'channel', kind: 'choice', words: 'reply_mode' },
    {
      name: 'channel_reason',
      kind: 'line',
      when: (values, about) => Boolean(about.order?.reply_mode) && Boolean(values.channel) && values.channel !== about.order?.reply_mode,
    },
    satisfaction,
    ...liability,
    { name: 'final', kind: 'flag' },
    { ...tasks, optional: true, when: (values, about) => values.final === false && about.order?.actions.includes('remedy') === true },
    { ...checks, when: (values, about) => values.final === false && about.order?.actions.includes('remedy') === true },
  ],
  rate: [
    { name: 'outcome', kind: 'choice', options: ['satisfied', 'unreachable'] },
    { name: 'grade', kind: 'choice', words: 'satisfaction', when: (values) => values.outcome === 'satisfied' },
    { ...cause, when: complainedAgain },
    { name: 'handled', kind: 'choice', options: ['apologised', 'explained'], when: complainedAgain },
    { ...opinion, optional: true },
  ],
  redispatch: [
    { name: 'grade', kind: 'choice', words: 'satisfaction', optional: true },
    cause,
    { name: 'wanted', kind: 'text' },
    tasks,
    opinion,
  ],
  file: [
    { name: 'content', kind: 'line' },
    { name: 'customer_nature', kind: 'choice', words: 'complainant_type' },
    { name: 'department', kind: 'tree', words: 'unit' },
    { name: 'originals', kind: 'line', optional: true },
  ],
  to_manager: [
    { name: 'trigger', kind: 'choice', options: ['overdue_repeat', 'refuses_answer'] },
    { name: 'earlier_serial', kind: 'line', optional: true, when: (values) => values.trigger === 'overdue_repeat' },
    { name: 'reason', kind: 'line' },
  ],
  to_leader: [
    { name: 'question', kind: 'text' },
    { name: 'level', kind: 'choice', options: ['1', '2'] },
  ],
  raise: [{ name: 'question', kind: 'text' }],
  coordinate: [{ name: 'decision', kind: 'text' }, { name: 'lead_unit', kind: 'tree', words: 'unit' }, { ...tasks, optional: true }],
  customer_adds: [
    { name: 'text', kind: 'text' },
    { name: 'outcome', kind: 'choice', options: ['answered', 'supplement', 'recall'] },
    { name: 'answer', kind: 'text', when: (values) => values.outcome === 'answered' },
    { name: 'work_order', kind: 'work', when: changes },
    { name: 'task', kind: 'text', optional: true, when: (values) => values.outcome === 'supplement' },
    { name: 'limit_s', kind: 'limit', optional: true, when: (values) => values.outcome === 'supplement' },
    { name: 'promise_text', kind: 'line', optional: true },
    { name: 'promise_due_at', kind: 'time', optional: true },
  ],
  tell: [
    { name: 'plan', kind: 'text' },
    { name: 'told_due_at', kind: 'time' },
    { name: 'time_reason', kind: 'text' },
    { name: 'agreed', kind: 'flag' },
  ],
  remedy: [
    { name: 'remedy', kind: 'choice', words: 'remedy' },
    { name: 'amount', kind: 'line', when: money },
    { name: 'reason', kind: 'text' },
  ],
  decide_remedy: [{ name: 'granted', kind: 'flag' }, opinion],
  chase: [
    { name: 'asked_by', kind: 'choice', options: ['customer', 'centre'] },
    { name: 'reason', kind: 'text' },
    { name: 'urgent', kind: 'flag', when: (_, about) => about.order?.urgent === false && about.order.actions.includes('remedy') },
  ],
  pause: [
    { name: 'reason', kind: 'choice', words: 'order_pause_reason' },
    { name: 'resume_expected_at', kind: 'time' },
    { name: 'note', kind: 'text', optional: true },
  ],
  resume: [],
  cancel: [{ name: 'reason', kind: 'choice', options: ['withdrew', 'insufficient'] }, { name: 'evidence', kind: 'text' }],
  ask_force_end: [{ name: 'reason', kind: 'choice', options: ['malicious', 'special'] }, { name: 'evidence', kind: 'text' }],
  force_end: [opinion],
  keep: [opinion],
  to_archivist: [{ name: 'thanks', kind: 'flag' }],
  report: [{ name: 'digest', kind: 'line' }, { name: 'addressees', kind: 'names' }],
  accept: [],
  begin: [],
  acknowledge: [],
  to_head: [{ name: 'reason', kind: 'text' }],
  take_back: [{ name: 'decision', kind: 'text' }],
  return: [intervention, { name: 'reason', kind: 'text' }],
  transfer: [
    { name: 'from_workplace', kind: 'line' },
    { name: 'to_unit', kind: 'tree', words: 'unit' },
    { name: 'to_workplace', kind: 'line' },
    { name: 'limit_s', kind: 'limit' },
    { name: 'reason', kind: 'text' },
  ],
  supplement: [
    { name: 'task', kind: 'text', optional: true },
    { name: 'limit_s', kind: 'limit', optional: true },
    { name: 'reason', kind: 'text' },
  ],
  recall: [intervention, { name: 'reason', kind: 'text' }],
  propose_supplement: [
    { name: 'task', kind: 'text', optional: true },
    { name: 'limit_s', kind: 'limit', optional: true },
    { name: 'reason', kind: 'text' },
  ],
  propose_recall: [intervention, { name: 'reason', kind: 'text' }],
  approve_change: [opinion],
  refuse_change: [intervention, opinion, { name: 'errors', kind: 'several', words: 'review_error', optional: true }],
  assign_field: [
    { name: 'person', kind: 'line' },
    { name: 'task', kind: 'text' },
    { name: 'limit_s', kind: 'limit' },
  ],
  field_report: [
    { name: 'result', kind: 'text' },
    { name: 'overtime_reason', kind: 'line', when: (_, about) => about.work?.overdue === true },
  ],
  note: [{ name: 'text', kind: 'text' }],
  send_on: [tasks, checks, opinion],
  drop: [{ name: 'reason', kind: 'text' }],
  ask_extension: [{ name: 'reason', kind: 'choice', words: 'extension_reason' }, { name: 'due_at', kind: 'time' }, { name: 'note', kind: 'text', optional: true }],
  grant_extension: [opinion, { name: 'due_at', kind: 'time', optional: true }],
  refuse_extension: [opinion],
  reassign: handed,
  reassign_work: handed,
  finish: [
    { name: 'result', kind: 'text' },
    cause,
    opinion,
    { name: 'service_number', kind: 'line' },
    { name: 'handled_at', kind: 'time' },
    ...liability,
    { name: 'overtime_reason', kind: 'line', when: (_, about) => about.work?.overdue === true },
  ],
}

/** Fields a step asks for now. */
export function fields(verb: string, values: Values, about: About): StepField[] {
  return (STEPS[verb] ?? []).filter((field) => field.when?.(values, about) ?? true)
}

/** What a form begins with: what the proposal, the order or the clock already say. */
export function beginning(verb: string, about: About, now: Date): Values {
  const values: Values = {}
  for (const field of STEPS[verb] ?? []) {
    if (field.kind === 'tasks') values.tasks = field.optional ? [] : proposed(about, PLANNED.includes(verb))
    if (field.kind === 'several') values[field.name] = []
    if (field.kind === 'names') values[field.name] = ''
    if (field.kind === 'work' && about.live?.length === 1) values[field.name] = about.live[0]?.id
    if (field.kind === 'limit' && !field.optional) values[field.name] = 86_400
    if (field.kind === 'checks') values.checks = Object.fromEntries(CHECKS.map((check) => [check, verb !== 'invalidate' || check !== 'valid']))
    if (field.kind === 'time' && !field.optional) values[field.name] = new Date(now.getTime() + (field.name === 'told_due_at' ? 86_400_000 : 0)).toISOString()
  }
  if (verb === 'reply') Object.assign(values, { channel: about.order?.reply_mode ?? '', final: true })
  if (verb === 'pause') values.resume_expected_at = new Date(now.getTime() + 86_400_000).toISOString()
  if (verb === 'answer') values.fcr = true
  if (verb === 'ask_extension') values.due_at = new Date((about.work?.due_at ? Date.parse(about.work.due_at) : now.getTime()) + 86_400_000).toISOString()
  if (verb === 'to_leader') values.level = '1'
  if (verb === 'tell') values.agreed = true
  if (verb === 'decide_remedy') values.granted = true
  if (verb === 'to_archivist') values.thanks = true
  if (verb === 'finish') values.service_number = about.order?.service_number ?? ''
  if (verb === 'file') Object.assign(values, { customer_nature: about.order?.complainant_type ?? '', department: about.order?.unit ?? '' })
  return values
}

function proposed(about: About, byPlan: boolean): TaskInput[] {
  if (byPlan && about.plan?.tasks.length) return planned(about.plan)
  if (about.review) return about.review.tasks.map((task) => ({ ...task }))
  return [{ unit: about.order?.unit ?? '', task: '', limit_s: 86_400, working_time: false }]
}

/** Fields that must be filled and are not. */
export function lacking(verb: string, values: Values, about: About): string[] {
  return fields(verb, values, about)
    .filter((field) => !field.optional && empty(field, values[field.name]))
    .map((field) => field.name)
}

/** Names one below another, or with commas between. */
function names(value: unknown): string[] {
  return String(value ?? '').split(/[\n,，、;；]/).map((name) => name.trim()).filter(Boolean)
}

/** Steps that need no form. */
export const AT_ONCE = Object.keys(STEPS).filter((verb) => STEPS[verb]?.length === 0)

function empty(field: StepField, value: unknown): boolean {
  if (field.kind === 'flag') return false
  if (field.kind === 'tasks' && field.optional && Array.isArray(value) && !value.length) return true
  if (field.kind === 'tasks') return !Array.isArray(value) || !value.length || (value as TaskInput[]).some((task) => !task.unit || !task.task.trim())
  return value === undefined || value === null || (typeof value === 'string' && !value.trim())
}

/** The body of the request: only what is asked for now, nothing that is empty. */
export function body(verb: string, values: Values, about: About): Values {
  const sent: Values = {}
  for (const field of fields(verb, values, about)) {
    const value = values[field.name]
    if (field.kind === 'flag') sent[field.name] = value === true
    else if (field.kind === 'names') sent[field.name] = names(value)
    else if (field.name === 'level') sent.level = Number(value)
    else if (!empty(field, value)) sent[field.name] = typeof value === 'string' ? value.trim() : value
  }
  return sent
}

type Say = (key: string, named?: Record<string, string>) => string

/** What a receipt is for, or was given for: 签收追单, 签收催单 (DP-08, DP-09, SV-03). */
export function receipt(say: Say, tense: 'act' | 'done', kinds: readonly string[]): string {
  return say(`step.receipt.${tense}`, { what: kinds.map((kind) => say(`step.receipt.${kind}`)).join(say('step.receipt.and')) })
}
