import { describe, expect, it } from 'vitest'
import type { VocabularyEntry } from '@/api/rules-types'
import { fields, form, lacksMakeup, wrongShifts } from './calendar'
import { amount, seconds } from './spans'
import { branches, rows } from './tree'

const entry = (code: string, parent: string | null = null, given: Partial<VocabularyEntry> = {}): VocabularyEntry => ({
  kind: 'business', code, parent, zh: code, en: code, place: 0, leaf: true, valid_from: null, valid_to: null, edited: false, kept: false, version: 1, ...given,
})

describe('a vocabulary', () => {
  const all = rows(
    [entry('data'), entry('mobile', null, { valid_to: '2026-03-09' }), entry('data.fiber', 'data'), entry('mobile.voice', 'mobile'), entry('data.new', 'data', { valid_from: '2026-04-01' }), entry('card', null, { valid_to: '2026-03-10' })],
    '2026-03-10',
  )

  it('stands as a tree, and a closed branch hides what is below it', () => {
    expect(all.map((row) => [row.entry.code, row.depth, row.state])).toEqual([
      ['data', 0, 'open'],
      ['data.fiber', 1, 'open'],
      ['data.new', 1, 'coming'],
      ['mobile', 0, 'closed'],
      ['mobile.voice', 1, 'hidden'],
      ['card', 0, 'closing'],
    ])
  })

  it('is never hung on itself', () => {
    expect(branches(all, 'data').map((row) => row.entry.code)).toEqual(['mobile', 'mobile.voice', 'card'])
  })
})

describe('limits', () => {
  it('are told in the largest whole unit', () => {
    expect([0, 90, 900, 5400, 172_800, 432_000].map((each) => Object.values(amount(each)))).toEqual([[0, 'minute'], [90, 'second'], [15, 'minute'], [90, 'minute'], [48, 'hour'], [5, 'day']])
    expect(seconds({ count: 1.5, unit: 'hour' })).toBe(5400)
  })
})

describe('a calendar', () => {
  const given = { zone: 'Asia/Shanghai', mon: ['08:30-12:00', '13:30-18:00'], holidays: ['2026-10-01/2026-10-07', '2026-01-01'], workdays: ['2026-10-10'], makeup: ['08:30-12:00'], years: [2027] }

  it('comes back from the form as it went in', () => {
    const sent = fields(form(given))
    expect(sent).toEqual({ ...given, holidays: ['2026-01-01', '2026-10-01/2026-10-07'], tue: [], wed: [], thu: [], fri: [], sat: [], sun: [] })
  })

  it('refuses shifts that overlap or end before they begin, and knows midnight', () => {
    const made = form(given)
    made.shifts.tue = [{ from: '13:00', to: '18:00' }, { from: '08:00', to: '13:01' }]
    made.shifts.wed = [{ from: '12:00', to: '08:00' }]
    made.shifts.sun = [{ from: '00:00', to: '24:00' }]
    expect(wrongShifts(made)).toEqual(['tue', 'wed'])
  })

  it('wants shifts for its make-up workdays', () => {
    expect(lacksMakeup(form(given))).toBe(false)
    expect(lacksMakeup(form({ ...given, makeup: [] }))).toBe(true)
  })
})
