// A working calendar as a form: shifts as pairs of times, days off as stretches. Pure.

import type { CalendarView } from '@/api/clocks-types'

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export const SHIFTS = [...DAYS, 'makeup'] as const
export type ShiftDay = (typeof SHIFTS)[number]

export interface Shift {
  from: string
  to: string
}

/** First and last day; an empty last day means one day. */
export interface Stretch {
  first: string
  last: string
}

export interface CalendarForm {
  zone: string
  shifts: Record<ShiftDay, Shift[]>
  holidays: Stretch[]
  workdays: Stretch[]
  years: string
}

const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])

function shift(text: string): Shift {
  const [from = '', to = ''] = text.split('-')
  return { from, to }
}

function stretch(text: string): Stretch {
  const [first = '', last = ''] = text.split('/')
  return { first, last }
}

export function form(fields: CalendarView['fields']): CalendarForm {
  return {
    zone: String(fields.zone ?? 'Asia/Shanghai'),
    shifts: Object.fromEntries(SHIFTS.map((day) => [day, list(fields[day]).map(shift)])) as CalendarForm['shifts'],
    holidays: list(fields.holidays).map(stretch),
    workdays: list(fields.workdays).map(stretch),
    years: list(fields.years).join(', '),
  }
}

/** What is sent; empty rows are left out. */
export function fields(given: CalendarForm): Record<string, unknown> {
  const days = (all: Stretch[]): string[] => all.filter((each) => each.first).map((each) => (each.last && each.last !== each.first ? `${each.first}/${each.last}` : each.first)).sort()
  const shifts = Object.fromEntries(SHIFTS.map((day) => [day, given.shifts[day].filter((each) => each.from || each.to).map((each) => `${each.from}-${each.to}`)]))
  return {
    zone: given.zone.trim(),
    ...shifts,
    holidays: days(given.holidays),
    workdays: days(given.workdays),
    years: given.years.split(/[\s,，、]+/).filter(Boolean).map(Number),
  }
}

/** Minutes after midnight of HH:MM up to 24:00; null for anything else. */
function minutes(time: string): number | null {
  const found = /^([01]\d|2[0-4]):([0-5]\d)$/.exec(time)
  const value = found ? Number(found[1]) * 60 + Number(found[2]) : null
  return value !== null && value <= 1440 ? value : null
}

/** Days whose shifts cannot be: no times, an end before its start, one into the other. */
export function wrongShifts(given: CalendarForm): ShiftDay[] {
  return SHIFTS.filter((day) => {
    const spans = given.shifts[day].map((each) => [minutes(each.from), minutes(each.to)] as const)
    if (spans.some(([from, to]) => from === null || to === null || from >= to)) return true
    const sorted = (spans as (readonly [number, number])[]).toSorted((a, b) => a[0] - b[0])
    return sorted.some(([from], place) => place > 0 && from < (sorted[place - 1]?.[1] ?? 0))
  })
}

/** A make-up workday without make-up shifts would be a day of rest. */
export const lacksMakeup = (given: CalendarForm): boolean => given.workdays.some((each) => each.first) && !given.shifts.makeup.length
