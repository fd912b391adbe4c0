// Addresses of call-backs.

import { request } from './client'
import type { FollowUp, FollowUpPage, SurveyForm, SurveyQueue } from './control-types'
import type { CustomerView } from './types'

const part = encodeURIComponent

export const control = {
  surveys: (mine: boolean) => request<SurveyQueue>('GET', '/api/surveys', { query: { mine: mine || undefined, limit: 200 } }),
  surveyForm: () => request<SurveyForm>('GET', '/api/survey-form'),
  noteProfile: (customer: string, facts: Record<string, string>) =>
    request<CustomerView>('POST', `/api/customers/${part(customer)}/profile`, { body: { facts } }),
  followUps: (mine: boolean) => request<FollowUpPage>('GET', '/api/follow-ups', { query: { mine: mine || undefined, limit: 200 } }),
  followUpStep: (id: string, verb: 'claim' | 'release' | 'done', version: number, said: Record<string, unknown> = {}) =>
    request<FollowUp>('POST', `/api/follow-ups/${part(id)}/${verb}`, { body: { version, ...said } }),
}
