// Shapes of what departments ask for, take at once and attach, by the names of cti/web/schemas/department.py.

import type { Instant } from './types'
import type { WorkOrderTask } from './workflow-types'

export interface ExtensionView {
  work_order: string
  number: number
  order_id: string
  order_serial: string
  unit: string
  asked_at: Instant
  by: string | null
  reason: string
  note: string | null
  old_due_at: Instant | null
  due_at: Instant
  version: number
}

export interface ExtensionList {
  items: ExtensionView[]
}

export interface HangingView {
  kind: 'draft' | 'order' | 'callback' | 'item' | 'paper' | 'follow_up'
  id: string
  serial: string
  state: string
  due_at: Instant | null
}

export interface HangingList {
  items: HangingView[]
}

export interface TakenView {
  id: string
  work_order: WorkOrderTask | null
  code: string | null
  message: string | null
}

export interface TakenList {
  items: TakenView[]
}

export interface AttachmentView {
  id: string
  work_order: number
  name: string
  media_type: string
  size: number
  sha256: string
  added_at: Instant
  added_by: string
}

export interface AttachmentList {
  items: AttachmentView[]
}
