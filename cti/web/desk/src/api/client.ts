// One way to speak to the service: JSON, the page's token on writes, refusals as one kind of error.

import type { ErrorBody } from './types'

export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly body: ErrorBody,
  ) {
    super(body.message)
    this.name = 'Refusal'
  }

  get code(): string {
    return this.body.code
  }

  /** Name of the field the refusal is about, if it names one. */
  get field(): string | null {
    const field = this.body.details.field
    return typeof field === 'string' && field !== '' ? field : null
  }
}

interface Context {
  csrf: string
  language: string
  /** Called when the sign-in is over. */
  onSignedOut: () => void
  /** Asks for a fresh token after `bad_csrf`; false when there is none. */
  renew: () => Promise<boolean>
}

const context: Context = { csrf: '', language: 'zh', onSignedOut: () => {}, renew: async () => false }

export function configure(part: Partial<Context>): void {
  Object.assign(context, part)
}

/** Milliseconds after which a request counts as lost. */
const PATIENCE = 15_000
/** The same for a request that carries a file. */
const FILE_PATIENCE = 120_000

export interface Options {
  body?: unknown
  /** Sent as it is, in the place of a body. */
  file?: Blob
  query?: Record<string, string | number | boolean | null | undefined>
  idempotencyKey?: string
  /** A 401 here is an answer, not the end of the sign-in. */
  anonymous?: boolean
}

export async function request<T>(method: string, path: string, options: Options = {}): Promise<T> {
  try {
    return await once<T>(method, path, options)
  } catch (error) {
    if (error instanceof Refusal && error.code === 'bad_csrf' && (await context.renew())) {
      return await once<T>(method, path, options)
    }
    throw error
  }
}

/** Fetches a file and hands it to the browser to keep; raises Refusal as every request does. */
export async function download(path: string, query: Options['query']): Promise<void> {
  let response: Response
  let file: Blob
  try {
    response = await fetch(path + queryOf(query), { headers: { 'Accept-Language': context.language }, signal: AbortSignal.timeout(FILE_PATIENCE), credentials: 'same-origin' })
    file = await response.blob()
  } catch {
    throw new Refusal(0, { code: 'no_connection', message: '', details: {}, request_id: '' })
  }
  if (!response.ok) {
    const data: unknown = JSON.parse(await file.text().catch(() => 'null'))
    if (response.status === 401) context.onSignedOut()
    throw new Refusal(response.status, bodyOf(data, response.status))
  }
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '')?.[1] ?? 'orders'
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), FILE_PATIENCE)
}

async function once<T>(method: string, path: string, options: Options): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': context.language }
  if (method !== 'GET') headers['X-CSRF-Token'] = context.csrf
  if (options.idempotencyKey) headers['Idempotency-Key'] = options.idempotencyKey
  let body: string | Blob | undefined
  if (options.body !== undefined) {
    headers['Content-Type'] = 'application/json'
    body = JSON.stringify(options.body)
  }
  if (options.file) {
    headers['Content-Type'] = 'application/octet-stream'
    body = options.file
  }
  let response: Response
  try {
    const signal = AbortSignal.timeout(options.file ? FILE_PATIENCE : PATIENCE)
    response = await fetch(path + queryOf(options.query), { method, headers, body, signal, credentials: 'same-origin' })
  } catch {
    throw new Refusal(0, { code: 'no_connection', message: '', details: {}, request_id: '' })
  }
  if (response.status === 204) return undefined as T
  const data: unknown = await response.json().catch(() => null)
  if (response.ok) return data as T
  const refusal = new Refusal(response.status, bodyOf(data, response.status))
  if (response.status === 401 && !options.anonymous) context.onSignedOut()
  throw refusal
}

function bodyOf(data: unknown, status: number): ErrorBody {
  const given = (data ?? {}) as Partial<ErrorBody>
  return {
    code: given.code ?? (status >= 500 ? 'unavailable' : 'bad_request'),
    message: given.message ?? '',
    details: given.details ?? {},
    request_id: given.request_id ?? '',
  }
}

function queryOf(query: Options['query']): string {
  const filled = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== '')
  if (!filled.length) return ''
  return `?${new URLSearchParams(filled.map(([name, value]) => [name, String(value)]))}`
}
