// Addresses and shapes of the threads between centre and departments: cti/web/schemas/threads.py.

import { request } from './client'

export interface ThreadView {
  unit: string
  messages: number
  unread: number
  last_at: string | null
}

export interface ThreadList {
  items: ThreadView[]
  unread: number
}

export interface MessageView {
  id: string
  unit: string
  at: string
  by: string
  by_name: string
  from_unit: boolean
  text: string
  order_id: string | null
  order_serial: string | null
  work_order: number | null
}

export interface MessagePage {
  items: MessageView[]
  next_cursor: string | null
}

/** What the stream tells: in which thread something was said, by whom. */
export interface ThreadEvent {
  unit: string
  message: string
  by: string
  order: string | null
}

const one = (unit: string): string => `/api/threads/${encodeURIComponent(unit)}`

export const threads = {
  list: () => request<ThreadList>('GET', '/api/threads'),
  show: (unit: string, cursor: string | null) => request<MessagePage>('GET', one(unit), { query: { cursor } }),
  say: (unit: string, text: string, about: { serial?: string; number?: number }, key: string) => request<MessageView>('POST', one(unit), { body: { text, ...about }, idempotencyKey: key }),
  read: (unit: string, message: string) => request<ThreadList>('POST', `${one(unit)}/read`, { body: { message } }),
}
