// Shapes of cti/web/schemas/vocabulary.py; types.test.ts compares the two.

import type { Label } from './types'

export interface VocabularyEntry {
  kind: string
  code: string
  parent: string | null
  zh: string
  en: string
  place: number
  leaf: boolean
  valid_from: string | null
  valid_to: string | null
  edited: boolean
  kept: boolean
  version: number
}

export interface VocabularyList {
  items: VocabularyEntry[]
}

export interface ClosedWords {
  kinds: Record<string, Record<string, Label>>
}
