// Drafts of process templates: what the form begins with, and what is sent. Pure.

import type { CoverView, NodeView, PlanView, TemplateView, VersionView } from '@/api/process-types'
import type { TaskInput } from '@/api/workflow-types'

export interface Draft {
  covers: CoverView[]
  nodes: NodeView[]
  note: string
  /** seconds; null: as everywhere */
  tracking_s: number | null
}

export const AXES = ['complaint_type', 'business', 'nature'] as const

export const nothing = (): CoverView => ({ complaint_type: null, business: null, nature: null })

/** A step that waits for the one before it. */
export function another(nodes: NodeView[]): NodeView {
  const codes = new Set(nodes.map((node) => node.code))
  let at = nodes.length + 1
  while (codes.has(`step${at}`)) at += 1
  const last = nodes.at(-1)
  return { code: `step${at}`, zh: '', en: '', task: '', limit_s: 86_400, working_time: false, after: last ? [last.code] : [], unit: null, duty: 'handle', workplace: null }
}

/** The draft, else a copy of the newest version, else one empty step. */
export function begin(template: TemplateView): Draft {
  const from: VersionView | undefined = template.versions[0]
  if (!from || (!from.nodes.length && from.state === 'draft')) return { covers: [nothing()], nodes: [another([])], note: '', tracking_s: null }
  return { covers: from.covers.map((cover) => ({ ...cover })), nodes: from.nodes.map((node) => ({ ...node, after: [...node.after] })), note: from.state === 'draft' ? (from.note ?? '') : '', tracking_s: from.tracking_s }
}

/** A step goes, and what waited for it waits for what it waited for. */
export function without(nodes: NodeView[], gone: string): NodeView[] {
  const before = nodes.find((node) => node.code === gone)?.after ?? []
  return nodes
    .filter((node) => node.code !== gone)
    .map((node) => (node.after.includes(gone) ? { ...node, after: [...new Set([...node.after.filter((code) => code !== gone), ...before])] } : node))
}

/** The body of the request: a cascader that was emptied says undefined. */
export function written(draft: Draft, version: number): object {
  return {
    version,
    covers: draft.covers.map((cover) => ({ complaint_type: cover.complaint_type || null, business: cover.business || null, nature: cover.nature || null })),
    nodes: draft.nodes.map((node) => ({ ...node, unit: node.unit || null, duty: node.unit ? null : node.duty || null, workplace: node.workplace || null })),
    note: draft.note.trim() || null,
    tracking_s: draft.tracking_s,
  }
}

/** Steps in columns: each as far right as the longest way to it. */
export function columns(nodes: NodeView[]): NodeView[][] {
  const place = new Map<string, number>()
  const of = (node: NodeView, seen: Set<string>): number => {
    const known = place.get(node.code)
    if (known !== undefined || seen.has(node.code)) return known ?? 0
    const before = nodes.filter((each) => node.after.includes(each.code)).map((each) => of(each, new Set([...seen, node.code])) + 1)
    const found = Math.max(0, ...before)
    place.set(node.code, found)
    return found
  }
  const made: NodeView[][] = []
  for (const node of nodes) (made[of(node, new Set())] ??= []).push(node)
  return made.filter(Boolean)
}

/** What a dispatch form begins with: the plan's lines, those nobody is responsible for with an open unit. */
export function planned(plan: PlanView): TaskInput[] {
  return plan.tasks.map((task) => ({ unit: task.unit ?? '', task: task.task, limit_s: task.limit_s ?? 86_400, working_time: task.working_time, ...(task.node ? { node: task.node } : {}) }))
}

/** A length of time in words: whole days from two on, else hours. */
export function span(say: (key: string, named: { count: number }) => string, seconds: number): string {
  if (seconds % 86_400 === 0 && seconds > 86_400) return say('process.days', { count: seconds / 86_400 })
  return say('process.hours', { count: Math.round(seconds / 360) / 10 })
}
