import { describe, expect, it } from 'vitest'
import type { PaperView } from '@/api/paper-types'
import { MOVE_ASKS, originalMoves, paperActs, sizeOf } from './papers'

const paper = (part: Partial<PaperView>): PaperView => ({ state: 'new', owner: 'papers', original: 'clerk', holder: '6101', ...part }) as PaperView
const may = (...actions: string[]) => (action: string): boolean => actions.includes(action)

describe('papers', () => {
  it('offers what the clerk who has it may do', () => {
    const clerk = may('work_papers')
    expect([...paperActs(paper({}), '6101', clerk)]).toEqual(['file', 'claim'])
    expect([...paperActs(paper({ state: 'claimed', owner: '6101' }), '6101', clerk)]).toEqual(['file', 'release', 'order', 'discard'])
    expect([...paperActs(paper({ state: 'claimed', owner: '6102' }), '6101', clerk)]).toEqual(['file'])
    expect([...paperActs(paper({ state: 'claimed' }), '3001', may('reassign_work'))]).toEqual(['reassign'])
  })

  it('moves an original from the hand that has it', () => {
    expect(originalMoves(paper({}), '6101', may('work_papers'))).toEqual(['hand_over'])
    expect(originalMoves(paper({}), '6102', may('work_papers'))).toEqual([])
    expect(originalMoves(paper({ original: 'handed' }), '5001', may('file_originals'))).toEqual(['file', 'refuse'])
    expect(originalMoves(paper({ original: 'none' }), '5001', may('file_originals'))).toEqual([])
    expect(MOVE_ASKS.file.place).toBe('needed')
  })

  it('says sizes as people read them', () => {
    expect([sizeOf(12), sizeOf(2048), sizeOf(3 * 1024 * 1024)]).toEqual(['12 B', '2 KiB', '3.0 MiB'])
  })
})
