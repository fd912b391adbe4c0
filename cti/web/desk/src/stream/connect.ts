// A page's end of the stream: through the shared worker where there is one, alone otherwise.

import { EMPTY, type Floor } from './floor'
import { Source, type Told } from './source'
import type { Asked } from './worker'

const KEPT = 'hotline.stream'

export interface Stream {
  /** The page goes, the sign-in stays. */
  close: () => void
  /** The sign-in is over: nothing of it is kept. */
  end: () => void
}

interface Kept {
  staff: string
  floor: Floor
}

/** What this tab knew before its reload, so that it goes on after the last event it saw. */
export function recall(staff: string, storage: Storage = sessionStorage): Floor | null {
  try {
    const kept = JSON.parse(storage.getItem(KEPT) ?? 'null') as Kept | null
    return kept && kept.staff === staff && kept.floor.last ? kept.floor : null
  } catch {
    return null
  }
}

export function remember(staff: string, floor: Floor, storage: Storage = sessionStorage): void {
  if (floor.last) storage.setItem(KEPT, JSON.stringify({ staff, floor } satisfies Kept))
}

export function forget(storage: Storage = sessionStorage): void {
  storage.removeItem(KEPT)
}

export function connect(staff: string, tell: (told: Told) => void): Stream {
  const heard = (told: Told): void => {
    if (told.type !== 'state') remember(staff, told.floor)
    tell(told)
  }
  const shared = typeof SharedWorker !== 'undefined' && 'locks' in navigator
  return shared ? throughWorker(staff, heard) : alone(staff, heard)
}

function throughWorker(staff: string, tell: (told: Told) => void): Stream {
  const worker = new SharedWorker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'hotline-stream' })
  const ask = (asked: Asked): void => worker.port.postMessage(asked)
  worker.port.onmessage = (message: MessageEvent<Told>) => tell(message.data)
  const lock = `hotline-tab-${crypto.randomUUID()}`
  let release = (): void => {}
  // The lock is held as long as this tab lives: the worker waits for it and so learns of the tab's end.
  void navigator.locks.request(lock, () => {
    ask({ type: 'join', staff, lock, seed: recall(staff) })
    return new Promise<void>((resolve) => (release = resolve))
  })
  const close = (asked: Asked): void => {
    ask(asked)
    release()
    worker.port.close()
  }
  return {
    close: () => close({ type: 'leave' }),
    end: () => {
      forget()
      close({ type: 'end' })
    },
  }
}

function alone(staff: string, tell: (told: Told) => void): Stream {
  const source = new Source(staff, recall(staff), tell)
  tell({ type: 'floor', floor: source.floor ?? EMPTY })
  source.start()
  return {
    close: () => source.stop(),
    end: () => {
      forget()
      source.stop()
    },
  }
}
