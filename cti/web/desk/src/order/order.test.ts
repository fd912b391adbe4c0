import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { order } from '@/testing/samples'
import { completeness, missing, required, valuesOf } from './elements'
import { validSerial } from './serial'

describe('serial', () => {
  it('fits its check digit, and no other number one digit away does', () => {
    expect(validSerial('102938478')).toBe(true)
    for (let place = 0; place < 9; place++) {
      for (let digit = 0; digit < 10; digit++) {
        const other = `102938478`.slice(0, place) + digit + `102938478`.slice(place + 1)
        expect(validSerial(other)).toBe(other === '102938478')
      }
    }
  })

  it('has nine plain digits', () => {
    expect(['', '10293847', '1029384780', '１０２９３８４７３', '10293847x'].some(validSerial)).toBe(false)
  })
})

describe('elements', () => {
  it('are those of the service, with the same codes allowed', () => {
    const rules = readFileSync(join(import.meta.dirname, '../../../../../ticketing/orders/rules.py'), 'utf8')
    const theirs = [...rules.matchAll(/Element\("(\w+)", (True|False)/g)].map(([, field, codeable]) => `${field} ${codeable}`)
    const named = (field: string): string => (field === 'promise.due_at' ? 'promise_due_at' : field)
    const kinds = ['complaint', 'suggestion', 'inquiry']
    const mine = kinds.flatMap((kind) => required(kind)).map((each) => `${named(each.field)} ${each.codeable ? 'True' : 'False'}`)
    expect([...new Set(mine)].sort()).toEqual([...new Set(theirs)].sort())
  })

  it('of an order without kind are its kind', () => {
    expect(missing(null, valuesOf(order()), {})).toEqual(['kind'])
  })

  it('of a suggestion need no unit and no promise, those of a complaint do', () => {
    const values = valuesOf(order())
    expect(missing('suggestion', values, {})).not.toContain('unit')
    expect(missing('complaint', values, {})).toEqual(expect.arrayContaining(['unit', 'promise.due_at']))
  })

  it('are answered by a code where that is allowed, and nowhere else', () => {
    const values = valuesOf(order({ kind: 'complaint' }))
    expect(missing('complaint', values, { contact_address: 'refused', description: 'refused' })).toContain('description')
    expect(missing('complaint', values, { contact_address: 'refused' })).not.toContain('contact_address')
  })

  it('of spaces only are missing', () => {
    expect(missing('inquiry', { kind: 'inquiry', business: 'other', description: '  ' }, {})).toEqual(['description'])
    expect(completeness('inquiry', { kind: 'inquiry', business: 'other', description: '  ' }, {})).toBe(67)
  })
})
