// What the page of papers shows and allows, by state and person. Pure.

import type { OriginalMove, PaperFilter, PaperView } from '@/api/paper-types'
import type { May } from './rules'

export interface PaperTab {
  name: string
  filter: PaperFilter
  /** Asked for before the tab is shown. */
  needs?: string
}

export const PAPER_TABS: readonly PaperTab[] = [
  { name: 'new', filter: { state: 'new' } },
  { name: 'mine', filter: { state: 'claimed', mine: true }, needs: 'work_papers' },
  { name: 'claimed', filter: { state: 'claimed' }, needs: 'reassign_work' },
  { name: 'with_clerk', filter: { original: 'clerk' } },
  { name: 'handed', filter: { original: 'handed' } },
  { name: 'filed', filter: { original: 'filed,lent' } },
  { name: 'done', filter: { state: 'done,discarded' } },
]

export type PaperAct = 'claim' | 'release' | 'reassign' | 'order' | 'discard' | 'file'

/** What this person may do with a paper now, as the service would judge it. */
export function paperActs(paper: PaperView, me: string, may: May): Set<PaperAct> {
  const found = new Set<PaperAct>()
  const mine = paper.owner === me && paper.state === 'claimed'
  if (may('work_papers')) {
    found.add('file')
    if (paper.state === 'new') found.add('claim')
    if (mine) (['release', 'order', 'discard'] as const).forEach((act) => found.add(act))
  }
  if (may('reassign_work') && (paper.state === 'new' || paper.state === 'claimed')) found.add('reassign')
  return found
}

const KEEPS: Record<string, OriginalMove[]> = { handed: ['file', 'refuse'], filed: ['lend', 'file'], lent: ['take_back'] }

/** Where this person may move the original now. */
export function originalMoves(paper: PaperView, me: string, may: May): OriginalMove[] {
  if (paper.original === 'clerk') return may('work_papers') && paper.holder === me ? ['hand_over'] : []
  return may('file_originals') ? (KEEPS[paper.original] ?? []) : []
}

/** What a move asks for: a field's name, and whether it may stay empty. */
export const MOVE_ASKS: Record<OriginalMove, Record<'to' | 'place' | 'note', 'needed' | 'may' | 'no'>> = {
  hand_over: { to: 'may', place: 'no', note: 'may' },
  file: { to: 'no', place: 'needed', note: 'may' },
  refuse: { to: 'no', place: 'no', note: 'needed' },
  lend: { to: 'needed', place: 'no', note: 'may' },
  take_back: { to: 'no', place: 'may', note: 'may' },
}

/** A size as people read it. */
export function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
