// An order template as its form: a line for every element, and back to what is sent. Pure.

import type { AskableElement, OrderTemplate } from '@/api/forms'
import type { Refusal } from '@/api/client'

export type Ask = '' | 'must' | 'may'

export interface Row {
  ask: Ask
  zh: string
  en: string
  /** an emptied list says null */
  prefill: string | null
}

export interface Draft {
  code: string
  kind: string
  zh: string
  en: string
  complaint_type: string | null
  business: string | null
  rows: Record<string, Row>
}

/** The form of a template, or of a new one; elements are those of every kind, so that none is lost when it changes. */
export function begin(template: OrderTemplate | null, elements: readonly AskableElement[]): Draft {
  const row = (field: string): Row => {
    const codeable = template?.asks[field]
    const prompt = template?.prompts[field]
    return { ask: codeable === undefined ? '' : codeable ? 'may' : 'must', zh: prompt?.zh ?? '', en: prompt?.en ?? '', prefill: template?.prefill[field] ?? '' }
  }
  return {
    code: template?.code ?? '',
    kind: template?.kind ?? 'complaint',
    zh: template?.zh ?? '',
    en: template?.en ?? '',
    complaint_type: template?.complaint_type ?? null,
    business: template?.business ?? null,
    rows: Object.fromEntries(elements.map((each) => [each.field, row(each.field)])),
  }
}

/** What a template may say of an element: what the kind requires anyway is not asked again with less. */
export function choices(element: AskableElement): Ask[] {
  if (element.rule === 'required') return ['']
  return element.codeable ? ['', 'must', 'may'] : ['', 'must']
}

/** What the page finds wrong before it asks: name of the field -> key of the words. */
export function lacking(draft: Draft, fresh: boolean): Record<string, string> {
  const found: Record<string, string> = {}
  if (fresh && !/^[a-z0-9_-]{1,40}$/.test(draft.code)) found.code = 'code'
  for (const name of ['zh', 'en'] as const) if (!draft[name].trim()) found[name] = 'missing'
  for (const [field, row] of Object.entries(draft.rows)) if (Boolean(row.zh.trim()) !== Boolean(row.en.trim())) found[`prompts.${field}`] = 'both'
  return found
}

/** The body of the request, without code and version. */
export function written(draft: Draft): Record<string, unknown> {
  const lines = Object.entries(draft.rows)
  const some = <T>(keep: (row: Row) => boolean, value: (row: Row) => T): Record<string, T> =>
    Object.fromEntries(lines.filter(([, row]) => keep(row)).map(([field, row]) => [field, value(row)]))
  return {
    kind: draft.kind,
    zh: draft.zh.trim(),
    en: draft.en.trim(),
    complaint_type: draft.complaint_type || null,
    business: draft.business || null,
    asks: some((row) => row.ask !== '', (row) => row.ask === 'may'),
    prompts: some((row) => row.zh.trim() !== '' && row.en.trim() !== '', (row) => ({ zh: row.zh.trim(), en: row.en.trim() })),
    prefill: some((row) => Boolean(row.prefill?.trim()), (row) => row.prefill),
  }
}

/** Names of the fields a refusal is about, as this page has them: `prompts.unit` for `prompts.unit.zh`. */
export function blamed(refusal: Refusal): string[] {
  const listed = Array.isArray(refusal.body.details.fields) ? (refusal.body.details.fields as { field?: unknown }[]) : []
  const names = [refusal.field, ...listed.map((each) => each.field)].filter((name): name is string => typeof name === 'string' && name !== '')
  return [...new Set(names.map((name) => name.split('.').slice(0, 2).join('.')))]
}
