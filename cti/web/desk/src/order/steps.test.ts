import { describe, expect, it } from 'vitest'
import type { Order } from '@/api/types'
import type { ReviewView, WorkOrderTask } from '@/api/workflow-types'
import { i18n } from '@/i18n'
import { AT_ONCE, beginning, body, fields, lacking, receipt, STEPS } from './steps'

const order = { unit: 'city.network', reply_mode: 'telephone', service_number: 'ADSL-1', complainant_type: 'ordinary' } as unknown as Order
const NOW = new Date('2026-03-10T01:00:00Z')

describe('steps', () => {
  it('begins a proposal with the unit complained about and lacks what nobody typed', () => {
    const values = beginning('propose', { order }, NOW)
    expect(values.tasks).toEqual([{ unit: 'city.network', task: '', limit_s: 86_400, working_time: false }])
    expect(lacking('propose', values, { order })).toEqual(['tasks', 'opinion'])
  })

  it('approves what was proposed, and asks for the warned unit of a second dispatch only', () => {
    const review = { kind: 'dispatch', tasks: [{ unit: 'city.billing', task: 'x', limit_s: 3600 }] } as unknown as ReviewView
    const values = { ...beginning('approve', { order, review }, NOW), opinion: 'ok' }
    expect(lacking('approve', values, { order, review })).toEqual([])
    expect(body('approve', values, { order, review })).toEqual({
      tasks: review.tasks,
      checks: { valid: true, serial: true, complainant_type: true, complaint_type: true },
      opinion: 'ok',
    })
    const second = { ...review, kind: 'second_dispatch' }
    expect(lacking('approve', values, { order, review: second })).toEqual(['warned_unit'])
  })

  it('takes the only work order that is alive, and lets choose among several', () => {
    const live = [{ id: 'w1' }, { id: 'w2' }] as unknown as WorkOrderTask[]
    expect(beginning('customer_adds', { order, live: live.slice(0, 1) }, NOW).work_order).toBe('w1')
    expect(beginning('customer_adds', { order, live }, NOW).work_order).toBeUndefined()
  })

  it('asks why another channel than the wanted one is used', () => {
    const values = beginning('reply', { order }, NOW)
    expect(fields('reply', values, { order }).map((field) => field.name)).not.toContain('channel_reason')
    expect(fields('reply', { ...values, channel: 'sms' }, { order }).map((field) => field.name)).toContain('channel_reason')
  })

  it('asks for the reason of an overdue answer, and keeps flags that are off', () => {
    const work = { overdue: true } as unknown as WorkOrderTask
    expect(lacking('finish', beginning('finish', { order, work }, NOW), { order, work })).toContain('overtime_reason')
    expect(body('answer', { opinion: ' x ', satisfaction: 'later', fcr: false }, { order })).toEqual({ opinion: 'x', satisfaction: 'later', fcr: false })
  })

  it('an invalid complaint begins with its validity unchecked', () => {
    expect(beginning('invalidate', { order }, NOW).checks).toMatchObject({ valid: false, serial: true })
    expect(Object.keys(STEPS)).toHaveLength(53)
  })

  it('asks for a limit a day after the one that runs, and grants it as it was asked', () => {
    const work = { due_at: '2026-03-12T02:00:00Z' } as unknown as WorkOrderTask
    expect(beginning('ask_extension', { order, work }, NOW).due_at).toBe('2026-03-13T02:00:00.000Z')
    expect(lacking('ask_extension', beginning('ask_extension', { order, work }, NOW), { order, work })).toEqual(['reason'])
    expect(body('grant_extension', { ...beginning('grant_extension', { order, work }, NOW), opinion: 'ok' }, { order, work })).toEqual({ opinion: 'ok' })
  })

  it('asks what fits what is typed: an earlier order, an amount, the work order a customer wants changed', () => {
    const asked = (verb: string, values: Record<string, unknown>): string[] => fields(verb, values, { order }).map((field) => field.name)
    expect(asked('to_manager', { trigger: 'overdue_repeat' })).toEqual(['trigger', 'earlier_serial', 'reason'])
    expect(asked('to_manager', { trigger: 'refuses_answer' })).toEqual(['trigger', 'reason'])
    expect(asked('remedy', { remedy: 'compensation' })).toContain('amount')
    expect(asked('remedy', { remedy: 'apology' })).not.toContain('amount')
    expect(asked('customer_adds', { outcome: 'answered' })).toContain('answer')
    expect(asked('customer_adds', { outcome: 'recall' })).toContain('work_order')
    expect(lacking('customer_adds', { text: 'x', outcome: 'recall' }, { order })).toEqual(['work_order'])
    expect(body('to_leader', { question: 'x', level: '2' }, { order })).toEqual({ question: 'x', level: 2 })
    expect(body('coordinate', { ...beginning('coordinate', { order }, NOW), decision: 'x', lead_unit: 'u' }, { order })).toEqual({ decision: 'x', lead_unit: 'u' })
    expect(beginning('tell', { order }, NOW)).toMatchObject({ told_due_at: '2026-03-11T01:00:00.000Z', agreed: true })
    expect(beginning('customer_adds', { order }, NOW).promise_due_at).toBeUndefined()
  })

  it('asks who steps in for a code beside the words (MN-02)', () => {
    const asked = (verb: string): string[] => lacking(verb, beginning(verb, { order }, NOW), { order })
    for (const verb of ['return', 'recall', 'propose_recall']) expect(asked(verb)).toEqual(['reason_code', 'reason'])
    for (const verb of ['send_back', 'refuse_change']) expect(asked(verb)).toEqual(['reason_code', 'opinion'])
    expect(STEPS.recall?.[0]).toMatchObject({ kind: 'choice', words: 'intervention_reason' })
  })

  it('sends names apart and steps without a form at once', () => {
    expect(body('report', { digest: '2026-03', addressees: '主管领导\n服务部门、省公司' }, { order }).addressees).toEqual(['主管领导', '服务部门', '省公司'])
    expect(lacking('pause', { ...beginning('pause', { order }, NOW), reason: 'information' }, { order })).toEqual([])
    expect(AT_ONCE.sort()).toEqual(['accept', 'acknowledge', 'begin', 'resume'])
    expect(body('supplement', { ...beginning('supplement', { order }, NOW), reason: 'x', limit_s: 7200 }, { order })).toEqual({ reason: 'x', limit_s: 7200 })
  })

  it('says what is acknowledged', () => {
    const { t, locale } = i18n.global
    locale.value = 'zh'
    expect(receipt(t, 'act', ['chase'])).toBe('签收催单')
    expect(receipt(t, 'act', ['recall', 'supplement'])).toBe('签收退单、追单')
    locale.value = 'en'
    expect(receipt(t, 'done', ['chase', 'supplement'])).toBe('Acknowledged the chase and the change')
  })
})
