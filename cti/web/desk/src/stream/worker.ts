// The shared worker: one stream for every tab of this browser. A tab's death shows in the lock it held.

/// <reference lib="webworker" />
import type { Floor } from './floor'
import { Source, type Told } from './source'

export type Asked =
  | { type: 'join'; staff: string; lock: string; seed: Floor | null }
  | { type: 'leave' }
  /** The sign-in ended: nothing of it may be kept. */
  | { type: 'end' }

const scope = self as unknown as SharedWorkerGlobalScope
const ports = new Set<MessagePort>()
let source: Source | null = null

scope.onconnect = (connected) => {
  const port = connected.ports[0]
  if (!port) return
  port.onmessage = (message: MessageEvent<Asked>) => answer(port, message.data)
}

function answer(port: MessagePort, asked: Asked): void {
  if (asked.type === 'join') join(port, asked)
  else if (asked.type === 'leave') leave(port)
  else {
    ports.delete(port)
    stop()
    tell({ type: 'state', connection: 'signed_out' })
  }
}

function join(port: MessagePort, asked: Extract<Asked, { type: 'join' }>): void {
  ports.add(port)
  void scope.navigator.locks.request(asked.lock, () => leave(port))
  if (source === null || source.staff !== asked.staff || source.connection === 'signed_out') {
    stop()
    source = new Source(asked.staff, asked.seed, tell)
    source.start()
  }
  port.postMessage({ type: 'floor', floor: source.floor } satisfies Told)
  port.postMessage({ type: 'state', connection: source.connection } satisfies Told)
}

function leave(port: MessagePort): void {
  ports.delete(port)
  if (!ports.size) stop()
}

function stop(): void {
  source?.stop()
  source = null
}

function tell(told: Told): void {
  ports.forEach((port) => port.postMessage(told))
}
