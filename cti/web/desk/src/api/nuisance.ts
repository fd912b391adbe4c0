// Addresses and shapes of the list of nuisance callers: cti/web/schemas/nuisance.py.

import { request } from './client'

export interface NuisanceView {
  id: string
  number: string
  reason: string
  starts_at: string
  ends_at: string
  off_at: string | null
  created_by: string
  changed_by: string
  version: number
}

const ALL = '/api/nuisance-numbers'

export const nuisance = {
  list: (over: boolean) => request<{ items: NuisanceView[] }>('GET', ALL, { query: { over } }),
  add: (number: string, why: string, ends_at: string) => request<NuisanceView>('POST', ALL, { body: { number, reason: why, ends_at } }),
  end: (id: string, version: number, ends_at: string) => request<NuisanceView>('POST', `${ALL}/${encodeURIComponent(id)}/end`, { body: { version, ends_at } }),
  off: (id: string, version: number) => request<NuisanceView>('POST', `${ALL}/${encodeURIComponent(id)}/off`, { body: { version } }),
}
