// Addresses of what departments ask for, take at once and attach.

import type { BoardView, DeviationList } from './board-types'
import { request } from './client'
import type { AttachmentList, ExtensionList, HangingList, TakenList } from './department-types'
import type { WorkOrderTask } from './workflow-types'

const part = encodeURIComponent

export const department = {
  acceptAll: (items: { id: string; version: number }[]) => request<TakenList>('POST', '/api/work-orders/accept', { body: { items } }),
  attach: (id: string, version: number, file: File) =>
    request<WorkOrderTask>('POST', `/api/work-orders/${part(id)}/files`, { query: { name: file.name, version }, file }),
  attachments: (order: string) => request<AttachmentList>('GET', `/api/orders/${part(order)}/attachments`),
  attachmentUrl: (order: string, file: string) => `/api/orders/${part(order)}/attachments/${part(file)}`,
  hanging: () => request<HangingList>('GET', '/api/handover'),
  handOver: (person: string | null) => request<HangingList>('POST', '/api/handover', { body: { person } }),
  deviations: () => request<DeviationList>('GET', '/api/limit-deviations'),
  board: () => request<BoardView>('GET', '/api/board'),
  extensions: () => request<ExtensionList>('GET', '/api/extensions'),
}
