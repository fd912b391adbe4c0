import { describe, expect, it } from 'vitest'
import { duration, masked, moment, phone, serial, shortMoment, span } from './format'
import { strength } from './strength'

describe('format', () => {
  it('writes durations, never negative', () => {
    expect([0, 59_999, 60_000, 3_600_000, -5, null].map(duration)).toEqual(['0:00', '0:59', '1:00', '1:00:00', '0:00', '–'])
  })

  it('writes this year without the year, and today without the day', () => {
    const now = new Date(2026, 10, 23, 12, 0)
    expect(moment(new Date(2026, 10, 5, 9, 7).toISOString(), now)).toBe('11-05 09:07')
    expect(moment(new Date(2025, 11, 31, 23, 59).toISOString(), now)).toBe('2025-12-31 23:59')
    expect(shortMoment(new Date(2026, 10, 23, 9, 7).toISOString(), now)).toBe('09:07')
    expect(moment(null, now)).toBe('–')
  })

  it('hides the middle of a number, whatever its form', () => {
    const numbers = ['+8613800001234', '+861085556666', '400820888', '95588', '', null]
    expect(numbers.map(masked)).toEqual(['138 **** 1234', '010 **** 6666', '400****88', '95588', '', ''])
  })

  it('groups numbers as people read them, and leaves others alone', () => {
    expect(['+8613800001234', '+861085556666', '+8657188889999', '95588', 'anonymous', null].map(phone)).toEqual([
      '138 0000 1234',
      '010 8555 6666',
      '0571 8888 9999',
      '95588',
      'anonymous',
      '',
    ])
    expect(serial('102938473')).toBe('102 938 473')
  })

  it('says how far away in the unit that fits', () => {
    expect(span(59 * 60_000)).toEqual({ unit: 'minute', count: 59 })
    expect(span(-47 * 3_600_000)).toEqual({ unit: 'hour', count: 47 })
    expect(span(72 * 3_600_000)).toEqual({ unit: 'day', count: 3 })
  })
})

describe('strength', () => {
  it('agrees with what the service refuses', () => {
    expect(strength('', '1001', '林晓梅')).toBe('empty')
    expect(strength('short', '1001', '林晓梅')).toBe('short')
    expect(['10011001', 'aaaaaaab', 'password'].map((text) => strength(text, '1001', '林晓梅'))).toEqual(['weak', 'weak', 'weak'])
    expect(strength('correct horse battery', '1001', '林晓梅')).toBe('strong')
  })
})
