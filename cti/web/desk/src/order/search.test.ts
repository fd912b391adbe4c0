import { describe, expect, it } from 'vitest'
import { parameters } from './search'

describe('further conditions', () => {
  it('sends what is filled, and times as instants of the chosen kind', () => {
    const from = '2026-03-10T09:30'
    const sent = parameters({ business: 'data', name: ' 张 ', owner: '', _time: 'sent', _from: from, _to: 'x' })
    expect(sent).toEqual({ business: 'data', name: '张', sent_from: new Date(from).toISOString() })
  })

  it('takes the time of creation unless another is chosen', () => {
    expect(Object.keys(parameters({ _to: '2026-03-10T09:30' }))).toEqual(['created_to'])
    expect(parameters({})).toEqual({})
  })
})
