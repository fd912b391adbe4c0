import { describe, expect, it } from 'vitest'
import type { CallbackView, ItemView } from '@/api/types'
import { CALLBACK_TABS, callbackActs, endTimes, ITEM_TABS, itemActs, laterTimes, moved, spokenParts, tabOf, tabs, windowSpan } from './rules'

const may =
  (...allowed: string[]) =>
  (action: string): boolean =>
    allowed.includes(action)
const item = (part: Partial<ItemView>): ItemView => ({ state: 'new', owner: 'recordings', ended_at: null, ...part }) as ItemView
const callback = (state: string): CallbackView => ({ state }) as CallbackView

describe('tabs', () => {
  it('are those a person can use: a clerk has his own, a supervisor what is in work', () => {
    const names = (...allowed: string[]): string[] => tabs(ITEM_TABS, may(...allowed)).map((tab) => tab.name)
    expect(names('work_items')).toEqual(['new', 'mine', 'sorted_out', 'done'])
    expect(names('reassign_work')).toEqual(['new', 'claimed', 'sorted_out', 'done'])
    expect(names()).toEqual(['new', 'sorted_out', 'done'])
  })

  it('ask the service for what they say', () => {
    const filters = Object.fromEntries(CALLBACK_TABS.map((tab) => [tab.name, tab.filter]))
    expect(filters).toEqual({ open: {}, mine: { mine: true }, listed: { listed: true }, overdue: { overdue: true }, ended: { state: 'connected,cancelled' } })
  })

  it('follow a message to where it stands', () => {
    expect(tabOf(item({ state: 'claimed', owner: '6001' }), '6001')).toBe('mine')
    expect(tabOf(item({ state: 'claimed', owner: '2001' }), '6001')).toBe('claimed')
    expect(tabOf(item({ state: 'discarded' }), '6001')).toBe('done')
    expect(tabOf(item({ state: 'sorted_out' }), '6001')).toBe('sorted_out')
  })
})

describe('what may be done with a message', () => {
  const clerk = may('view_items', 'work_items')
  const acts = (part: Partial<ItemView>, allowed = clerk): string[] => [...itemActs(item(part), '6001', allowed)].sort()

  it('is claimed first, also when the product had put it aside', () => {
    expect(acts({})).toEqual(['claim'])
    expect(acts({ state: 'sorted_out' })).toEqual(['claim'])
  })

  it('is worked on by its clerk alone', () => {
    expect(acts({ state: 'claimed', owner: '6001' })).toEqual(['discard', 'order', 'release'])
    expect(acts({ state: 'claimed', owner: '2001' })).toEqual([])
  })

  it('is handed on by a supervisor, who does not work on it', () => {
    const supervisor = may('view_items', 'reassign_work')
    expect(acts({ state: 'claimed', owner: '2001' }, supervisor)).toEqual(['reassign'])
    expect(acts({}, supervisor)).toEqual(['reassign'])
    expect(acts({ state: 'done' }, supervisor)).toEqual([])
  })
})

describe('what may be done with a callback', () => {
  const all = may('work_callbacks', 'reassign_work')
  const acts = (state: string, allowed = all): string[] => [...callbackActs(callback(state), allowed)].sort()

  it('is everything while nobody has begun to call', () => {
    for (const state of ['pending', 'failed', 'unknown']) expect(acts(state)).toEqual(['cancel', 'later', 'now', 'reassign'])
  })

  it('is no more put off once an agent is kept for it, no more cancelled once the customer is dialled', () => {
    expect(acts('agent_reserved')).toEqual(['cancel', 'reassign'])
    expect(acts('dialling')).toEqual(['reassign'])
    expect(acts('connected')).toEqual([])
  })

  it('is nothing for who only reads', () => {
    expect(acts('failed', may('view_callbacks'))).toEqual([])
  })
})

describe('times', () => {
  it('of a window are its day and its two ends', () => {
    expect(windowSpan('2026-11-29T09:00:00', '2026-11-29T12:05:00')).toEqual({ day: '11-29', from: '09:00', to: '12:05' })
    expect(windowSpan(null, null)).toBeNull()
  })

  it('are spoken as a day and a part of it', () => {
    expect(spokenParts('tomorrow-morning')).toEqual({ day: 'tomorrow', part: 'morning' })
    expect(spokenParts('next-workday-evening')).toEqual({ day: 'nextWorkday', part: 'evening' })
    expect(spokenParts('asap')).toEqual({ day: 'asap', part: '' })
  })

  it('to put off to are still to come', () => {
    const names = (at: string): string[] => laterTimes(new Date(at)).map((each) => each.name)
    expect(names('2026-11-28T10:00:00')).toEqual(['halfHour', 'twoHours', 'evening', 'tomorrow'])
    expect(names('2026-11-28T18:00:00')).toEqual(['halfHour', 'twoHours', 'tomorrow'])
    const tomorrow = laterTimes(new Date('2026-11-30T20:00:00')).at(-1)?.at
    expect([tomorrow?.getMonth(), tomorrow?.getDate(), tomorrow?.getHours()]).toEqual([11, 1, 9])
  })

  it('for an announcement to end come after its beginning', () => {
    const names = (at: string): string[] => endTimes(new Date(at)).map((each) => each.name)
    expect(names('2026-11-28T10:00:00')).toEqual(['hour', 'fourHours', 'evening', 'day'])
    expect(names('2026-11-28T18:00:00')).toEqual(['hour', 'fourHours', 'day'])
  })

  it('that the service moved are noticed, seconds are not', () => {
    const asked = new Date('2026-11-28T14:00:00Z')
    expect(moved(asked, '2026-11-28T14:00:00Z')).toBe(false)
    expect(moved(asked, '2026-11-28T14:00:30Z')).toBe(false)
    expect(moved(asked, '2026-11-29T01:00:00Z')).toBe(true)
  })
})
