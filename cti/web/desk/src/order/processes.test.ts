import { describe, expect, it } from 'vitest'
import type { NodeView, TemplateView } from '@/api/process-types'
import { another, begin, columns, planned, without, written } from './processes'

const node = (code: string, after: string[] = [], more: Partial<NodeView> = {}): NodeView => ({
  code, zh: code, en: code, task: 'x', limit_s: 3600, working_time: false, after, unit: 'city.network', duty: null, workplace: null, ...more,
})
const nodes = [node('check'), node('repair', ['check']), node('ask', ['repair']), node('bill')]
const template = (state: string): TemplateView => ({
  code: 'n', kind: 'complaint', label: { zh: 'n', en: 'n' }, version: 3,
  versions: [{ number: 2, state, note: 'why', covers: [{ complaint_type: 'network', business: null, nature: null }], nodes, published_at: null, published_by: null, effective_at: null, retired_at: null, tracking_s: 259_200, running: 0 }],
})

describe('a draft', () => {
  it('begins as a copy of the newest version, or with one step', () => {
    const draft = begin(template('in_force'))
    expect(draft).toEqual({ covers: template('in_force').versions[0]?.covers, nodes, note: '', tracking_s: 259_200 })
    draft.nodes[1]?.after.push('x')
    expect(nodes[1]?.after).toEqual(['check'])
    expect(begin(template('draft')).note).toBe('why')
    expect(begin({ ...template('draft'), versions: [] })).toMatchObject({ nodes: [{ code: 'step1' }], tracking_s: null })
  })

  it('gets a further step after the last one, under a free code', () => {
    expect(another([...nodes, node('step5')])).toMatchObject({ code: 'step6', after: ['step5'] })
  })

  it('loses a step without breaking the chain', () => {
    expect(without(nodes, 'repair').map((each) => [each.code, each.after])).toEqual([['check', []], ['ask', ['check']], ['bill', []]])
  })

  it('says a unit or a duty, and nothing that was emptied', () => {
    const draft = { covers: [{ complaint_type: 'network', business: '', nature: null }], nodes: [node('a', [], { duty: 'check' }), node('b', [], { unit: '', duty: 'repair' })], note: ' ', tracking_s: 0 }
    expect(written(draft, 3)).toMatchObject({ version: 3, note: null, tracking_s: 0, covers: [{ complaint_type: 'network', business: null, nature: null }], nodes: [{ unit: 'city.network', duty: null }, { unit: null, duty: 'repair' }] })
  })

  it('is drawn in columns by what waits for what', () => {
    expect(columns(nodes).map((column) => column.map((each) => each.code))).toEqual([['check', 'bill'], ['repair'], ['ask']])
    expect(columns([node('a', ['b']), node('b', ['a'])]).flat()).toHaveLength(2)
  })
})

describe('a plan', () => {
  it('fills the dispatch form, with the node where a template is followed', () => {
    const line = { label: null, duty: null, task: 'x', limit_s: null, working_time: true, workplace: null, after: [] }
    const plan = { template: 'n', label: null, number: 1, tasks: [{ ...line, node: 'check', unit: 'city.network' }, { ...line, node: null, unit: null }] }
    expect(planned(plan)).toEqual([
      { unit: 'city.network', task: 'x', limit_s: 86_400, working_time: true, node: 'check' },
      { unit: '', task: 'x', limit_s: 86_400, working_time: true },
    ])
  })
})
