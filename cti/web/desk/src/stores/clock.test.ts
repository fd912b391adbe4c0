// The operator's day is that of its zone, wherever the browser stands.

import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { dayIn, useClock } from './clock'

beforeEach(() => {
  setActivePinia(createPinia())
  vi.useFakeTimers({ now: new Date('2026-11-29T18:05:00Z') })
})

afterEach(() => {
  vi.useRealTimers()
})

test('after midnight in Shanghai it is the next day there', () => {
  expect(dayIn(new Date('2026-11-29T15:59:59Z'), 'Asia/Shanghai')).toBe('2026-11-29')
  expect(dayIn(new Date('2026-11-29T16:00:00Z'), 'Asia/Shanghai')).toBe('2026-11-30')
  expect(dayIn(new Date('2026-11-29T16:00:00Z'), 'UTC')).toBe('2026-11-29')
})

test('the page counts by the zone of the centre, not by its own', () => {
  const time = useClock()
  time.zone = 'Asia/Shanghai'
  expect(time.today).toBe('2026-11-30')
  time.zone = 'America/New_York'
  expect(time.today).toBe('2026-11-29')
})
