// Shapes of the interface, by the names of cti/web/schemas/*.py; types.test.ts compares the two.

import type { OrderSummary, WorkOrderView } from './order-types'

export * from './order-types'
export * from './work-types'

export type Instant = string
export type Card = 'none' | 'yellow' | 'red'
export type Kind = 'complaint' | 'suggestion' | 'inquiry'
export type PhoneKind = 'desk' | 'browser'
export type AgentState = 'logged_out' | 'ready' | 'ringing' | 'talking' | 'wrap_up' | 'paused'
export type RecordingState = 'expected' | 'ready' | 'partial' | 'missing' | 'empty' | 'short'
export type Identity = 'number_matches' | 'ambiguous' | 'unknown' | 'withheld'

export interface ErrorBody {
  code: string
  message: string
  details: Record<string, unknown>
  request_id: string
}

export interface Label {
  zh: string
  en: string
}

export interface StaffView {
  id: number
  number: string
  name: string
  posts: string[]
  team: string | null
  phone_kind: PhoneKind
  language: string
}

export interface SessionView {
  staff: StaffView
  csrf_token: string
  permissions: string[]
  /** in which the operator's day begins and ends */
  zone: string
}

export interface SetupNeeded {
  needed: boolean
}

export interface SetupPerson {
  number: string
  name: string
  posts: string[]
  has_password: boolean
}

export interface SetupStaff {
  staff: SetupPerson[]
}

export interface AgentPhone {
  kind: PhoneKind
  number: string
  registered: boolean
}

export interface QueueName {
  name: string
  label: string
}

export interface AgentView {
  state: AgentState
  since: Instant | null
  reason: string | null
  phone: AgentPhone
  queues: QueueName[]
  call_id: string | null
  wrap_up_until: Instant | null
}

export interface PhoneCredentials {
  uri: string
  ws_path: string
  username: string
  password: string
  realm: string
  expires_at: Instant
  display_name: string
}

export interface QueueMember {
  interface: string
  agent: string
  name: string | null
  state: string
  since: Instant
  reason: string | null
  paused: boolean
  dynamic: boolean
  /** The call he is offered or in. */
  call_id: string | null
}

export interface QueueCall {
  call_id: string
  number: string
  position: number
  joined_at: Instant
  priority: number
  vip: boolean
}

export interface QueueView {
  name: string
  label: string
  strategy: string
  service_level_s: number
  ring_s: number
  members: QueueMember[]
  waiting: number
  calls: QueueCall[]
}

export interface RecordingRef {
  id: string
  state: RecordingState
  seconds: number | null
  alarm: string | null
}

export interface RecordingView extends RecordingRef {
  call_id: string
  peaks_url: string
}

export interface PeakChannel {
  name: 'agent' | 'caller' | 'mixed'
  peaks: number[]
}

export interface PeaksView {
  channels: PeakChannel[]
  seconds: number
}

export interface RecordingLink {
  url: string
  expires_at: Instant
}

export interface CallView {
  call_id: string
  dnis: string
  number: string
  entered_at: Instant
  answered_at: Instant | null
  ended_at: Instant | null
  outcome: string | null
  queue: string | null
  agent: string | null
  agent_name: string | null
  waited_ms: number | null
  talk_ms: number | null
  order_id: string | null
  order_serial: string | null
  path: PathStep[]
  recording: RecordingRef | null
  grade: string | null
  notice: string
}

export interface CallList {
  items: CallView[]
}

export interface CustomerNumberView {
  e164: string
  kind: string
  service: string | null
}

export interface ProfileFact {
  field: string
  value: string
  source: string
  noted_at: Instant
}

export interface CustomerView {
  id: string
  name: string
  vip_class: string | null
  vip_label: string | null
  complainant_type: string | null
  profile: Record<string, string>
  facts?: ProfileFact[]
  numbers: CustomerNumberView[]
  stale: boolean
}

export interface CustomerList {
  items: CustomerView[]
}

export interface CustomerFile extends CustomerView {
  orders: OrderSummary[]
}

export interface Dialled {
  dnis: string
  label: string
}

export interface PathStep {
  node: string
  key: string | null
  label: string
  at: Instant
}

export interface RoutingReason {
  code: string
  text: string
}

export interface PopPromise {
  order_serial: string
  text: string
  due_at: Instant
  overdue: boolean
}

export interface PopFlags {
  vip: boolean
  repeat: boolean
  overdue: boolean
  mood: string | null
}

export interface Pop {
  call_id: string
  offered_at: Instant
  event_at: Instant
  number: string
  number_display: string
  identity: Identity
  verified: false
  customer: CustomerView | null
  candidates: CustomerView[]
  dialled: Dialled
  path: PathStep[]
  waited_ms: number | null
  queue: QueueName
  reason: RoutingReason
  orders: OrderSummary[]
  open_work_orders: WorkOrderView[]
  promises: PopPromise[]
  recordings: RecordingRef[]
  flags: PopFlags
  order_id: string | null
  state: 'ringing' | 'talking' | 'ended'
}

export interface MissedPop {
  call_id: string
  offered_at: Instant
  number_display: string
  customer_name: string | null
  why: string | null
}

export interface Snapshot {
  agent: AgentView
  pop: Pop | null
  missed_pops: MissedPop[]
}

export interface Retract {
  call_id: string
  why: string
}

export interface DraftEvent {
  call_id: string
  order_id: string
  serial: string | null
}

export interface RecordingEvent {
  call_id: string
  state: RecordingState
  id: string | null
}

export interface OrderEvent {
  order_id: string
  serial: string
  state: string
  version: number
  event: string
}

/** A step, or a card, of a work order of one's unit. */
export interface UnitWorkEvent {
  order: string
  serial: string
  unit: string | null
  event: string
  urgent: boolean
}

export interface Alert {
  code: string
  text: string
  call_id: string | null
  at: Instant | null
  details: Record<string, unknown>
}

export interface PopLatency {
  count: number
  p50_ms: number | null
  p95_ms: number | null
  p99_ms: number | null
}

export interface TaxonomyNode {
  code: string
  label: Label
  children: TaxonomyNode[]
}

export type Taxonomies = Record<string, TaxonomyNode[]>

export interface HealthPart {
  name: string
  ok: boolean
  text: string
}

export interface Health {
  status: string
  at: Instant
  parts: HealthPart[]
}
