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

export interface PhraseView {
  code: string
  field: string
  zh: string
  en: string
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

export const forms = {
  form: (wanted: Selectors) => request<OrderForm>('GET', '/api/order-form', { query: query(wanted) }),
  phrases: (complaint_type: string | null) => request<{ items: PhraseView[] }>('GET', '/api/phrases', { query: query({ complaint_type }) }),
  closedWords: () => request<ClosedWords>('GET', '/api/closed-words'),
}
