// Which elements an order of each kind must have before it may be submitted, and which may be coded absent.
// The service decides (ticketing/orders/rules.py); this shows it while the agent types (IN-17). Pure.

import type { Kind, Order } from '@/api/types'

export interface Element {
  field: string
  codeable: boolean
}

export interface Served extends Element {
  required: boolean
  prefill: string | null
}

/** Texts a template gives the outline of: what still says only that was not answered by anybody. */
const PROSE = ['description', 'wanted_result', 'event_place']

const must = (field: string): Element => ({ field, codeable: false })
const may = (field: string): Element => ({ field, codeable: true })

const CLASS = [must('kind'), must('business'), must('nature')]
const WORDS = [must('description'), must('verbatim')]
const PERSON = [
  may('complainant_type'),
  may('contact_name'),
  may('contact_number'),
  may('contact_address'),
  may('reply_mode'),
  may('service_number'),
]
const EVENT = [may('event_at'), may('event_place'), may('wanted_result'), may('wanted_limit_at')]

const COMPLAINT: Element[] = [
  ...CLASS,
  must('complaint_type'),
  must('unit'),
  ...WORDS,
  ...PERSON,
  ...EVENT,
  must('promise.due_at'),
]
const SUGGESTION: Element[] = [
  ...CLASS,
  must('suggestion_category'),
  ...WORDS,
  may('contact_name'),
  may('contact_number'),
  may('reply_mode'),
]
const INQUIRY: Element[] = [must('kind'), must('business'), must('description')]

/** What an order of this kind must say; `served` is what its template asks, once the service has said it (IN-05). */
export function required(kind: string | null, served?: readonly Served[] | null): Element[] {
  if (served) return served.filter((each) => each.required).map(({ field, codeable }) => ({ field, codeable }))
  if (kind === 'complaint' || kind === 'appeal' || kind === 'coordination') return COMPLAINT
  if (kind === 'suggestion') return SUGGESTION
  return kind === 'inquiry' ? INQUIRY : [must('kind')]
}

export type Values = Record<string, unknown>

/** Values of the form by field, promise taken apart. */
export function valuesOf(order: Order): Values {
  const whole = order as unknown as Values
  const values: Values = {}
  for (const field of FIELDS) values[field] = whole[field] ?? null
  values['promise.text'] = order.promise?.text || null
  values['promise.due_at'] = order.promise?.due_at ?? null
  return values
}

export const FIELDS = [
  'kind',
  'business',
  'nature',
  'complaint_type',
  'suggestion_category',
  'complainant_type',
  'unit',
  'urgent',
  'service_number',
  'contact_name',
  'contact_number',
  'contact_address',
  'reply_mode',
  'event_at',
  'event_place',
  'description',
  'verbatim',
  'wanted_result',
  'wanted_limit_at',
  'operation_serial',
] as const

const blank = (value: unknown): boolean => value === null || value === undefined || String(value).trim() === ''

/** Required elements neither filled nor coded, in the order of the form. */
export function missing(kind: Kind | string | null, values: Values, coded: Record<string, string>, served?: readonly Served[] | null): string[] {
  const outline = (field: string): boolean =>
    PROSE.includes(field) && Boolean(served?.some((each) => each.field === field && each.prefill !== null && each.prefill === values[field]))
  return required(kind, served)
    .filter((element) => (blank(values[element.field]) || outline(element.field)) && !(element.codeable && coded[element.field]))
    .map((element) => element.field)
}

/** Percent of the required elements that are answered. */
export function completeness(kind: string | null, values: Values, coded: Record<string, string>, served?: readonly Served[] | null): number {
  const all = required(kind, served).length
  return Math.round((100 * (all - missing(kind, values, coded, served).length)) / all)
}
