import { describe, expect, it } from 'vitest'
import type { AskableElement, OrderTemplate } from '@/api/forms'
import { Refusal } from '@/api/client'
import { begin, blamed, choices, lacking, written } from './forms'

const element = (field: string, part: Partial<AskableElement> = {}): AskableElement => ({
  field, group: 'event', input: 'line', label: { zh: field, en: field }, limit: 40, vocabulary: null, rule: 'optional', codeable: true, prefillable: true, ...part,
})
const elements = [element('event_place'), element('unit', { rule: 'required', codeable: false }), element('description'), element('operation_serial')]
const template: OrderTemplate = {
  code: 'relocation', kind: 'complaint', complaint_type: 'business', business: 'data.broadband', zh: '移机', en: 'Relocation', asks: { event_place: false, operation_serial: true },
  prefill: { description: '原地址：\n' }, prompts: { event_place: { zh: '新地址', en: 'New address' } }, version: 3, retired: false, edited: true,
}

describe('an order template', () => {
  it('becomes a form and what is sent again, with nothing lost', () => {
    const { code: _, version: __, retired: ___, edited: ____, ...said } = template
    expect(written(begin(template, elements))).toEqual(said)
  })

  it('begins empty, for complaints', () => {
    const draft = begin(null, elements)
    expect([draft.kind, Object.keys(draft.rows)]).toEqual(['complaint', ['event_place', 'unit', 'description', 'operation_serial']])
    expect(written({ ...draft, business: '' })).toMatchObject({ asks: {}, prompts: {}, prefill: {}, complaint_type: null, business: null })
  })

  it('never asks less than its kind', () => {
    expect(elements.map(choices)).toEqual([['', 'must', 'may'], [''], ['', 'must', 'may'], ['', 'must', 'may']])
    expect(choices(element('event_at', { codeable: false }))).toEqual(['', 'must'])
  })

  it('says what is wrong where it is', () => {
    const draft = begin(template, elements)
    draft.zh = ' '
    if (draft.rows.event_place) draft.rows.event_place.en = ''
    expect(lacking(draft, false)).toEqual({ zh: 'missing', 'prompts.event_place': 'both' })
    expect(lacking({ ...draft, code: '大' }, true)).toMatchObject({ code: 'code' })
    const refusal = new Refusal(422, { code: 'x', message: '', details: { field: 'prompts.unit.zh', fields: [{ field: 'asks.unit' }, { field: 'asks.unit' }] }, request_id: '' })
    expect(blamed(refusal)).toEqual(['prompts.unit', 'asks.unit'])
  })
})
