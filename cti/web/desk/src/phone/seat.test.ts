import { describe, expect, it } from 'vitest'
import { Seat } from './seat'

interface Ask {
  name: string
  held: () => Promise<void>
  fail: (reason: Error) => void
}

/** Locks as browsers have them, as far as a seat uses them: a queue, stealing, giving up the wait. */
class FakeLocks {
  private holder: Ask | null = null
  private waiting: Ask[] = []

  query = async (): Promise<LockManagerSnapshot> => ({ held: this.holder ? [{ name: this.holder.name, mode: 'exclusive', clientId: '' }] : [], pending: [] })

  request = (name: string, options: LockOptions, held: () => Promise<void>): Promise<void> =>
    new Promise((resolve, fail) => {
      const ask: Ask = { name, fail, held: () => held().then(resolve) }
      options.signal?.addEventListener('abort', () => {
        if (this.waiting.includes(ask)) fail(new DOMException('', 'AbortError'))
        this.waiting = this.waiting.filter((each) => each !== ask)
      })
      if (options.steal) {
        this.holder?.fail(new DOMException('', 'AbortError'))
        this.holder = null
        this.waiting.unshift(ask)
      } else this.waiting.push(ask)
      this.next()
    })

  private next(): void {
    const ask = this.holder ? undefined : this.waiting.shift()
    if (!ask) return
    this.holder = ask
    void ask.held().then(() => {
      if (this.holder !== ask) return
      this.holder = null
      this.next()
    })
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

function tab(locks: FakeLocks) {
  const told: string[] = []
  const parts = { onTaken: () => told.push('taken'), onLost: () => told.push('lost'), onWaiting: () => told.push('waiting') }
  return { told, seat: new Seat('1001', parts as never, locks as unknown as LockManager) }
}

describe('Seat', () => {
  it('is held by the first tab, and passes to the next when that one leaves', async () => {
    const locks = new FakeLocks()
    const [first, second] = [tab(locks), tab(locks)]
    await first.seat.take()
    await second.seat.take()
    expect([first.told, second.told]).toEqual([['taken'], ['waiting']])
    first.seat.leave()
    await settle()
    expect(second.told).toEqual(['waiting', 'taken'])
    expect(first.told).toEqual(['taken'])
  })

  it('can be taken over: the other tab is told', async () => {
    const locks = new FakeLocks()
    const [first, second] = [tab(locks), tab(locks)]
    await first.seat.take()
    await second.seat.take()
    second.seat.steal()
    await settle()
    expect(first.told).toEqual(['taken', 'lost'])
    expect(second.told).toEqual(['waiting', 'taken'])
  })

  it('is simply there in browsers without locks', async () => {
    const told: string[] = []
    const parts = { onTaken: () => told.push('taken'), onLost: () => {}, onWaiting: () => {} }
    await new Seat('1001', parts as never, undefined).take()
    expect(told).toEqual(['taken'])
  })
})
