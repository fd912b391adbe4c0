// Every address of the service the desk uses, with its types.

import type { LogPage, LogState, PersonView, ResetToken, StaffList } from './admin-types'
import { download, request } from './client'
import type { OrderClocks } from './clocks-types'
import { control } from './control'
import { department } from './department'
import { processes } from './processes'
import type { CountersView, FiguresView } from './floor-types'
import type { OpenPointList, OrderHistory, WorkOrderList, WorkOrderTask } from './workflow-types'
import type {
  AgentView,
  CallList,
  CustomerFile,
  CustomerList,
  Health,
  Order,
  OrderFields,
  OrderPage,
  OrderTrack,
  PeaksView,
  PhoneCredentials,
  PhoneKind,
  PopLatency,
  QueueView,
  RecordingLink,
  RecordingView,
  SessionView,
  SetupNeeded,
  SetupStaff,
  Taxonomies,
} from './types'
import { papers } from './papers'
import { work } from './work'

const part = encodeURIComponent

export interface OrderFilter {
  [condition: string]: string | number | boolean | undefined
  state?: string
  kind?: string
  number?: string
  serial?: string
  customer?: string
  q?: string
  mine?: boolean
  for_me?: boolean
  overdue?: boolean
  cursor?: string
  limit?: number
}

export const service = {
  ...work,
  ...papers,
  ...control,
  ...department,
  ...processes,

  disconnect: (call: string, reason: string, note: string | null) =>
    request<void>('POST', `/api/calls/${part(call)}/disconnect`, { body: { reason, note } }),

  session: () => request<SessionView>('GET', '/api/session', { anonymous: true }),
  signIn: (number: string, password: string) =>
    request<SessionView>('POST', '/api/session', { body: { number, password }, anonymous: true }),
  speak: (language: string) => request<void>('PUT', '/api/session/language', { body: { language } }),
  signOut: () => request<void>('DELETE', '/api/session', { anonymous: true }),

  setupNeeded: () => request<SetupNeeded>('GET', '/api/setup', { anonymous: true }),
  setupCheck: (token: string) => request<SetupStaff>('POST', '/api/setup/check', { body: { token }, anonymous: true }),
  setUp: (token: string, passwords: Record<string, string>) =>
    request<void>('POST', '/api/setup', { body: { token, passwords }, anonymous: true }),

  agent: () => request<AgentView>('GET', '/api/agent'),
  agentSignIn: (phone: PhoneKind) => request<AgentView>('POST', '/api/agent/sign-in', { body: { phone } }),
  agentSignOut: () => request<AgentView>('POST', '/api/agent/sign-out'),
  pause: (reason: string) => request<AgentView>('POST', '/api/agent/pause', { body: { reason } }),
  ready: () => request<AgentView>('POST', '/api/agent/ready'),
  phone: () => request<PhoneCredentials>('POST', '/api/phone'),

  painted: (callId: string, eventId: string, paintedAt: string) =>
    request<void>('POST', `/api/pops/${part(callId)}/painted`, { body: { painted_at: paintedAt, event_id: eventId } }),
  latency: () => request<PopLatency>('GET', '/api/pop-latency'),

  orders: (filter: OrderFilter) => request<OrderPage>('GET', '/api/orders', { query: { ...filter } }),
  order: (id: string) => request<Order>('GET', `/api/orders/${part(id)}`),
  editOrder: (id: string, version: number, fields: OrderFields) =>
    request<Order>('PATCH', `/api/orders/${part(id)}`, { body: { version, ...fields } }),
  createOrder: (fields: { channel: string; received_at: string } & OrderFields, idempotencyKey: string) =>
    request<Order>('POST', '/api/orders', { body: fields, idempotencyKey }),
  submitOrder: (id: string, version: number) =>
    request<Order>('POST', `/api/orders/${part(id)}/submit`, { body: { version } }),
  noOrder: (id: string, version: number, reason: string, note: string | null) =>
    request<Order>('POST', `/api/orders/${part(id)}/no-order`, { body: { version, reason, note } }),
  mergeOrder: (id: string, version: number, intoSerial: string) =>
    request<Order>('POST', `/api/orders/${part(id)}/merge`, { body: { version, into_serial: intoSerial } }),

  orderTrack: (id: string) => request<OrderTrack>('GET', `/api/orders/${part(id)}/trail`),
  uncover: (id: string, why: string) => request<Order>('POST', `/api/orders/${part(id)}/uncover`, { body: { reason: why } }),
  exportOrders: (filter: OrderFilter, format: 'xlsx' | 'csv', language: string) => download('/api/orders/export', { ...filter, format, language }),

  log: (filter: Record<string, string | number | undefined>) => request<LogPage>('GET', '/api/audit', { query: { ...filter } }),
  logState: () => request<LogState>('GET', '/api/audit/state'),

  staff: () => request<StaffList>('GET', '/api/staff'),
  addPerson: (said: object) => request<PersonView>('POST', '/api/staff', { body: said }),
  changePerson: (number: string, said: object) => request<PersonView>('PATCH', `/api/staff/${part(number)}`, { body: said }),
  setPosts: (number: string, said: object) => request<PersonView>('PUT', `/api/staff/${part(number)}/posts`, { body: said }),
  lockPerson: (number: string, version: number) => request<PersonView>('POST', `/api/staff/${part(number)}/lock`, { body: { version } }),
  unlockPerson: (number: string, version: number) => request<PersonView>('POST', `/api/staff/${part(number)}/unlock`, { body: { version } }),
  resetPassword: (number: string) => request<ResetToken>('POST', `/api/staff/${part(number)}/reset`),
  qualify: (number: string, said: object) => request<PersonView>('POST', `/api/staff/${part(number)}/qualifications`, { body: said }),
  setSkills: (number: string, skills: Record<string, number>) => request<PersonView>('PUT', `/api/staff/${part(number)}/skills`, { body: { skills } }),

  orderHistory: (id: string) => request<OrderHistory>('GET', `/api/orders/${part(id)}/history`),
  orderClocks: (id: string) => request<OrderClocks>('GET', `/api/orders/${part(id)}/clocks`),
  orderStep: (id: string, verb: string, version: number, said: Record<string, unknown>) =>
    request<Order>('POST', `/api/orders/${part(id)}/${verb.replaceAll('_', '-')}`, { body: { version, ...said } }),
  workOrders: (filter: { state?: string; mine?: boolean; overdue?: boolean }) =>
    request<WorkOrderList>('GET', '/api/work-orders', { query: { ...filter, limit: 200 } }),
  workStep: (id: string, verb: string, version: number, said: Record<string, unknown>) =>
    request<WorkOrderTask>('POST', `/api/work-orders/${part(id)}/${verb.replaceAll('_', '-')}`, { body: { version, ...said } }),

  openPoints: () => request<OpenPointList>('GET', '/api/open-points'),
  openPointDone: (id: string, note: string, upward: string | null) =>
    request<OpenPointList>('POST', `/api/open-points/${part(id)}/done`, { body: { note, upward } }),

  recentCalls: (limit: number) => request<CallList>('GET', '/api/calls', { query: { mine: true, limit } }),
  customersByNumber: (number: string) => request<CustomerList>('GET', '/api/customers', { query: { number } }),
  customer: (id: string) => request<CustomerFile>('GET', `/api/customers/${part(id)}`),

  recording: (id: string) => request<RecordingView>('GET', `/api/recordings/${part(id)}`),
  peaks: (id: string) => request<PeaksView>('GET', `/api/recordings/${part(id)}/peaks`),
  recordingLink: (id: string) => request<RecordingLink>('POST', `/api/recordings/${part(id)}/link`),

  taxonomies: () => request<Taxonomies>('GET', '/api/taxonomies'),
  figures: () => request<FiguresView>('GET', '/api/figures'),
  counters: () => request<CountersView[]>('GET', '/api/counters'),
  queues: () => request<QueueView[]>('GET', '/api/queues'),
  health: () => request<Health>('GET', '/api/health', { anonymous: true }),
}
