import { describe, expect, it } from 'vitest'
import { Sleep } from './sleep'

describe('the watch over the clock', () => {
  it('says nothing while both clocks go together, late looks and small corrections included', () => {
    const sleep = new Sleep(1_000_000, 0)
    expect([sleep.look(1_001_000, 1_000), sleep.look(1_062_000, 62_000), sleep.look(1_064_900, 63_000)]).toEqual([false, false, false])
  })

  it('sees a step forward and a step back, once each', () => {
    const sleep = new Sleep(1_000_000, 0)
    expect([sleep.look(1_151_000, 1_000), sleep.look(1_152_000, 2_000)]).toEqual([true, false])
    expect([sleep.look(1_003_000, 3_000), sleep.look(1_004_000, 4_000)]).toEqual([true, false])
  })

  it('sees that the page slept, by whichever clock', () => {
    expect(new Sleep(0, 0).look(120_000, 120_000)).toBe(true)
    expect(new Sleep(0, 0).look(120_000, 500)).toBe(true)
  })
})
