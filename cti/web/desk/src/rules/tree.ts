// A vocabulary as rows of a tree, and what may be done with each entry. Pure.

import type { VocabularyEntry } from '@/api/rules-types'

export type EntryState = 'open' | 'coming' | 'closing' | 'closed' | 'hidden'

export interface Row {
  entry: VocabularyEntry
  depth: number
  /** hidden: open itself, but below a branch that is closed */
  state: EntryState
}

function own(entry: VocabularyEntry, today: string): EntryState {
  if (entry.valid_to && entry.valid_to < today) return 'closed'
  if (entry.valid_from && entry.valid_from > today) return 'coming'
  return entry.valid_to ? 'closing' : 'open'
}

/** Entries below their branches, neighbours in the order of the page. An entry whose branch is not there stands at the top. */
export function rows(entries: VocabularyEntry[], today: string): Row[] {
  const codes = new Set(entries.map((entry) => entry.code))
  const below = new Map<string | null, VocabularyEntry[]>()
  for (const entry of entries) {
    const parent = entry.parent && codes.has(entry.parent) ? entry.parent : null
    below.set(parent, [...(below.get(parent) ?? []), entry])
  }
  const made: Row[] = []
  const walk = (parent: string | null, depth: number, dead: boolean): void => {
    for (const entry of below.get(parent) ?? []) {
      const state = own(entry, today)
      made.push({ entry, depth, state: dead && state !== 'closed' ? 'hidden' : state })
      walk(entry.code, depth + 1, dead || state === 'closed')
    }
  }
  walk(null, 0, false)
  return made
}

/** Branches an entry may hang on: every one but itself and what is below it. */
export function branches(all: Row[], code: string): Row[] {
  const found: Row[] = []
  let within: number | null = null
  for (const row of all) {
    if (within !== null && row.depth > within) continue
    within = row.entry.code === code ? row.depth : null
    if (within === null) found.push(row)
  }
  return found
}
