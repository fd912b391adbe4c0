// One stream, read by fetch with our own retry: EventSource gives up after one 503 and forgets its id on a reload.

import { SseParser, type StreamEvent } from './sse'

export type Connection = 'connecting' | 'open' | 'waiting' | 'signed_out' | 'stopped'

export interface ReaderParts {
  fetch: (url: string, init: RequestInit) => Promise<Response>
  wait: (ms: number, signal: AbortSignal) => Promise<void>
  random: () => number
  onEvent: (event: StreamEvent) => void
  onState: (state: Connection) => void
}

/** The service sends a comment every 15 s; a line silent for longer is dead. */
const SILENCE = 40_000
const FIRST_WAIT = 300
const LONGEST_WAIT = 10_000

/** Milliseconds before the n-th attempt in a row that failed: doubling, bounded, spread so that all do not come at once. */
export function delay(failures: number, random: number): number {
  const full = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(failures, 10))
  return Math.round(full / 2 + (full / 2) * random)
}

export class StreamReader {
  private readonly stopping = new AbortController()
  private last: string

  constructor(
    private readonly parts: ReaderParts,
    last = '',
  ) {
    this.last = last
  }

  stop(): void {
    this.stopping.abort()
  }

  async run(): Promise<void> {
    let failures = 0
    while (!this.stopping.signal.aborted) {
      this.parts.onState('connecting')
      const outcome = await this.attempt()
      if (this.stopping.signal.aborted) break
      if (outcome === 'signed_out') {
        this.parts.onState('signed_out')
        return
      }
      failures = outcome === 'broken' ? 0 : failures + 1
      this.parts.onState('waiting')
      await this.parts.wait(delay(failures, this.parts.random()), this.stopping.signal)
    }
    this.parts.onState('stopped')
  }

  /** One connection until it ends: `broken` had events, `failed` had none. */
  private async attempt(): Promise<'broken' | 'failed' | 'signed_out'> {
    const silence = new AbortController()
    const signal = AbortSignal.any([this.stopping.signal, silence.signal])
    let timer = setTimeout(() => silence.abort(), SILENCE)
    let opened = false
    try {
      const query = this.last ? `?last=${encodeURIComponent(this.last)}` : ''
      const headers = { Accept: 'text/event-stream' }
      const response = await this.parts.fetch(`/api/events${query}`, { headers, signal, credentials: 'same-origin', cache: 'no-store' })
      if (response.status === 401) return 'signed_out'
      if (!response.ok || !response.body) return 'failed'
      const parser = new SseParser()
      const body = response.body.getReader()
      for (;;) {
        const { done, value } = await body.read()
        if (done) return opened ? 'broken' : 'failed'
        clearTimeout(timer)
        timer = setTimeout(() => silence.abort(), SILENCE)
        if (!opened) {
          opened = true
          this.parts.onState('open')
        }
        for (const event of parser.push(value)) this.take(event)
      }
    } catch {
      return opened ? 'broken' : 'failed'
    } finally {
      clearTimeout(timer)
      silence.abort()
    }
  }

  private take(event: StreamEvent): void {
    if (event.id) this.last = event.id
    this.parts.onEvent(event)
  }
}

/** Waits, or returns at once when it is stopped. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
