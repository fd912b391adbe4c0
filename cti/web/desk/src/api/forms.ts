// Addresses and shapes of the prompted form, phrases and words no more in use: cti/web/schemas/order_forms.py, vocabulary.py.

import type { Label } from './types'
import { request } from './client'

export interface FormElement {
  field: string
  group: 'head' | 'what' | 'event' | 'wants' | 'who'
  input: 'given' | 'choice' | 'tree' | 'line' | 'lines' | 'number' | 'time' | 'flag'
  label: Label
  required: boolean
  codeable: boolean
  prompt: Label | null
  limit: number | null
  vocabulary: string | null
  when: 'past' | 'future' | null
  prefill: string | null
}

export interface OrderForm {
  kind: string | null
  template: string | null
  version: number | null
  name: Label | null
  elements: FormElement[]
}

/** What a template of a kind may say of one element. */
export interface AskableElement {
  field: string
  group: 'head' | 'what' | 'event' | 'wants' | 'who'
  input: 'choice' | 'tree' | 'line' | 'lines' | 'number' | 'time' | 'flag'
  label: Label
  limit: number | null
  vocabulary: string | null
  rule: 'required' | 'codeable' | 'optional' | 'hidden'
  codeable: boolean
  prefillable: boolean
}

export interface OrderTemplate {
  code: string
  kind: string
  complaint_type: string | null
  business: string | null
  zh: string
  en: string
  asks: Record<string, boolean>
  prefill: Record<string, string>
  prompts: Record<string, Label>
  version: number
  retired: boolean
  edited: boolean
}

export interface OrderTemplateList {
  items: OrderTemplate[]
  elements: Record<string, AskableElement[]>
}

export interface PhraseView {
  code: string
  field: string
  complaint_type: string | null
  zh: string
  en: string
  place: number
  version: number
  retired: boolean
  edited: boolean
}

export interface PhraseList {
  items: PhraseView[]
}

export interface ClosedWords {
  kinds: Record<string, Record<string, Label>>
}

/** What decides which form a draft has. */
export interface Selectors {
  kind: string | null
  complaint_type: string | null
  business: string | null
}

const query = (wanted: Partial<Selectors>): Record<string, string> =>
  Object.fromEntries(Object.entries(wanted).filter((pair): pair is [string, string] => Boolean(pair[1])))

const part = encodeURIComponent
const post = <T>(path: string, body: object): Promise<T> => request<T>('POST', path, { body, idempotencyKey: crypto.randomUUID() })

export const forms = {
  form: (wanted: Selectors) => request<OrderForm>('GET', '/api/order-form', { query: query(wanted) }),
  phrases: (complaint_type: string | null) => request<PhraseList>('GET', '/api/phrases', { query: query({ complaint_type }) }),

  templates: () => request<OrderTemplateList>('GET', '/api/order-templates'),
  addTemplate: (said: object) => post<OrderTemplate>('/api/order-templates', said),
  changeTemplate: (code: string, said: object) => post<OrderTemplate>(`/api/order-templates/${part(code)}`, said),
  retireTemplate: (code: string, version: number, retired: boolean) => post<OrderTemplate>(`/api/order-templates/${part(code)}/retire`, { version, retired }),
  allPhrases: () => request<PhraseList>('GET', '/api/phrases', { query: { all: true } }),
  addPhrase: (said: object) => post<PhraseView>('/api/phrases', said),
  changePhrase: (code: string, said: object) => post<PhraseView>(`/api/phrases/${part(code)}`, said),
  retirePhrase: (code: string, version: number, retired: boolean) => post<PhraseView>(`/api/phrases/${part(code)}/retire`, { version, retired }),

  closedWords: () => request<ClosedWords>('GET', '/api/closed-words'),
}
