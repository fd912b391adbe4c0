// Addresses of recorded complaints, callbacks and service announcements.

import { request } from './client'
import type {
  AnnouncementChoices,
  AnnouncementList,
  AnnouncementView,
  AnnouncementWish,
  Booking,
  CallbackPage,
  CallbackView,
  ItemOrdered,
  ItemPage,
  ItemView,
  WindowList,
  WorkCounts,
  WorkFilter,
} from './types'

const part = encodeURIComponent

const item = (id: string, verb: string, body: object) => request<ItemView>('POST', `/api/items/${part(id)}/${verb}`, { body })
const callback = (id: string, verb: string, body: object) =>
  request<CallbackView>('POST', `/api/callbacks/${part(id)}/${verb}`, { body })

export const work = {
  announcements: (over: boolean) => request<AnnouncementList>('GET', '/api/announcements', { query: { over } }),
  announcementChoices: () => request<AnnouncementChoices>('GET', '/api/announcement-choices'),
  announce: (wish: AnnouncementWish) => request<AnnouncementView>('POST', '/api/announcements', { body: wish }),
  announceUntil: (id: string, version: number, endsAt: string) =>
    request<AnnouncementView>('POST', `/api/announcements/${part(id)}/times`, { body: { version, ends_at: endsAt } }),
  announceNoMore: (id: string, version: number) =>
    request<AnnouncementView>('POST', `/api/announcements/${part(id)}/off`, { body: { version } }),

  workCounts: () => request<WorkCounts>('GET', '/api/work-counts'),

  items: (filter: WorkFilter) => request<ItemPage>('GET', '/api/items', { query: { ...filter } }),
  item: (id: string) => request<ItemView>('GET', `/api/items/${part(id)}`),
  claimItem: (id: string, version: number) => item(id, 'claim', { version }),
  releaseItem: (id: string, version: number) => item(id, 'release', { version }),
  reassignItem: (id: string, version: number, number: string, reason: string, note: string | null) => item(id, 'reassign', { version, number, reason, note }),
  discardItem: (id: string, version: number, reason: string, note: string | null) =>
    item(id, 'discard', { version, reason, note }),
  itemToOrder: (id: string, version: number) =>
    request<ItemOrdered>('POST', `/api/items/${part(id)}/to-order`, { body: { version } }),

  callbacks: (filter: WorkFilter) => request<CallbackPage>('GET', '/api/callbacks', { query: { ...filter } }),
  callback: (id: string) => request<CallbackView>('GET', `/api/callbacks/${part(id)}`),
  callbackWindows: (queue: string) => request<WindowList>('GET', '/api/callback-windows', { query: { queue } }),
  bookCallback: (booking: Booking, idempotencyKey: string) =>
    request<CallbackView>('POST', '/api/callbacks', { body: booking, idempotencyKey }),
  callNow: (id: string, version: number) => callback(id, 'call-now', { version }),
  putOff: (id: string, version: number, until: string) => callback(id, 'snooze', { version, until }),
  reassignCallback: (id: string, version: number, number: string | null, reason: string, note: string | null) => callback(id, 'reassign', { version, number, reason, note }),
  cancelCallback: (id: string, version: number, note: string) => callback(id, 'cancel', { version, note }),
}
