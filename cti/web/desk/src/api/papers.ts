// Addresses of papers, their scans and originals.

import { request } from './client'
import type { OrderFiles, OriginalMove, PaperFileView, PaperFilter, PaperOrdered, PaperPage, PaperView, PaperWish } from './paper-types'

const part = encodeURIComponent
const step = (id: string, verb: string, body: object) => request<PaperView>('POST', `/api/papers/${part(id)}/${verb}`, { body })

export const papers = {
  papers: (filter: PaperFilter) => request<PaperPage>('GET', '/api/papers', { query: { ...filter } }),
  paper: (id: string) => request<PaperView>('GET', `/api/papers/${part(id)}`),
  registerPaper: (wish: PaperWish, idempotencyKey: string) => request<PaperView>('POST', '/api/papers', { body: wish, idempotencyKey }),
  addPaperFile: (id: string, file: File) =>
    request<PaperFileView>('POST', `/api/papers/${part(id)}/files`, { query: { name: file.name }, file }),
  claimPaper: (id: string, version: number) => step(id, 'claim', { version }),
  releasePaper: (id: string, version: number) => step(id, 'release', { version }),
  reassignPaper: (id: string, version: number, number: string, reason: string, note: string | null) => step(id, 'reassign', { version, number, reason, note }),
  discardPaper: (id: string, version: number, reason: string, note: string | null) => step(id, 'discard', { version, reason, note }),
  paperToOrder: (id: string, version: number) => request<PaperOrdered>('POST', `/api/papers/${part(id)}/to-order`, { body: { version } }),
  moveOriginal: (id: string, version: number, move: OriginalMove, said: Record<string, string | null>) =>
    move === 'hand_over' ? step(id, 'hand-over', { version, to: said.to, note: said.note }) : step(id, 'original', { version, move, ...said }),
  paperFileUrl: (id: string, file: string) => `/api/papers/${part(id)}/files/${part(file)}`,
  orderFiles: (id: string) => request<OrderFiles>('GET', `/api/orders/${part(id)}/files`),
  orderFileUrl: (id: string, file: string) => `/api/orders/${part(id)}/files/${part(file)}`,
}
