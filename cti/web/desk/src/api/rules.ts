// The addresses of what administrators set: vocabularies, working calendars, limits.

import { request } from './client'
import type { CalendarList, ClockLimit, ClockLimitList } from './clocks-types'
import type { VocabularyEntry, VocabularyList } from './rules-types'

const part = encodeURIComponent
const entry = (kind: string, code: string, verb: string, body: object): Promise<VocabularyEntry> =>
  request<VocabularyEntry>('POST', `/api/vocabularies/${part(kind)}/${part(code)}/${verb}`, { body, idempotencyKey: crypto.randomUUID() })

export const rules = {
  vocabulary: (kind: string) => request<VocabularyList>('GET', `/api/vocabularies/${part(kind)}`),
  add: (kind: string, said: object) => request<VocabularyEntry>('POST', `/api/vocabularies/${part(kind)}`, { body: said, idempotencyKey: crypto.randomUUID() }),
  rename: (kind: string, code: string, said: object) => entry(kind, code, 'rename', said),
  close: (kind: string, code: string, said: object) => entry(kind, code, 'close', said),
  move: (kind: string, code: string, said: object) => entry(kind, code, 'move', said),

  calendars: () => request<CalendarList>('GET', '/api/calendars'),
  publish: (code: string, said: object) => request<CalendarList>('PUT', `/api/calendars/${part(code)}`, { body: said }),
  assign: (unit: string, calendar: string | null) => request<CalendarList>('PUT', `/api/unit-calendars/${part(unit)}`, { body: { calendar } }),

  limits: () => request<ClockLimitList>('GET', '/api/clock-limits'),
  limit: (code: string, said: object) => request<ClockLimit>('PUT', `/api/clock-limits/${part(code)}`, { body: said }),
}
