// Addresses of process templates, the responsibility map and the plan a dispatch begins with.

import { request } from './client'
import type { LineList, LineLive, LineView, MatchView, PlanView, TemplateList, TemplateView } from './process-types'

const part = encodeURIComponent

export const processes = {
  templates: () => request<TemplateList>('GET', '/api/templates'),
  addTemplate: (said: object) => request<TemplateView>('POST', '/api/templates', { body: said }),
  writeDraft: (code: string, said: object) => request<TemplateView>('PUT', `/api/templates/${part(code)}/draft`, { body: said }),
  /** publish, discard, retire or rename */
  templateStep: (code: string, step: string, said: object) => request<TemplateView>('POST', `/api/templates/${part(code)}/${step}`, { body: said }),
  match: (query: Record<string, string>) => request<MatchView>('GET', '/api/template-match', { query }),
  plan: (order: string) => request<PlanView>('GET', `/api/orders/${part(order)}/plan`),
  responsibilities: () => request<LineList>('GET', '/api/responsibilities'),
  lineLive: (id: string) => request<LineLive>('GET', `/api/responsibilities/${part(id)}/live`),
  addLine: (said: object) => request<LineView>('POST', '/api/responsibilities', { body: said }),
  /** reassign, live or end */
  lineStep: (id: string, step: string, said: object) => request<LineView>('POST', `/api/responsibilities/${part(id)}/${step}`, { body: said }),
}
