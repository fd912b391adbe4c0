import { mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick, ref, shallowRef } from 'vue'
import { Refusal } from '@/api/client'
import type { WorkEvent, WorkFilter } from '@/api/types'
import { refusal } from '@/testing/samples'
import { useWorkList, type WorkList } from './list'
import { useWorkOne, type WorkOne } from './one'

interface Row {
  id: string
  version: number
}

const event = (id: string, version: number): WorkEvent => ({ id, serial: '1', state: 'new', version, event: 'item.taken' })
let mounted: VueWrapper | undefined

/** Runs a composable inside a component, as it lives. */
function inside<T>(use: () => T): T {
  let made: T | undefined
  mounted = mount({ setup: () => ((made = use()), () => null) })
  return made as T
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  mounted?.unmount()
  mounted = undefined
  vi.useRealTimers()
})

describe('a list of work', () => {
  const news = shallowRef<WorkEvent | null>(null)
  const filter = ref<WorkFilter>({ state: 'new' })
  let asked: WorkFilter[]
  let pages: Promise<{ items: Row[]; next_cursor: string | null }>[]
  let list: WorkList<Row>
  beforeEach(() => {
    news.value = null
    filter.value = { state: 'new' }
    asked = []
    pages = []
    const read = (wanted: WorkFilter): Promise<{ items: Row[]; next_cursor: string | null }> => {
      asked.push(wanted)
      return pages.shift() ?? Promise.resolve({ items: [{ id: 'a', version: 1 }], next_cursor: 'next' })
    }
    list = inside(() => useWorkList(read, () => filter.value, () => news.value))
  })

  it('is read at once, once for several changes, and after a while without any', async () => {
    await vi.advanceTimersByTimeAsync(0)
    expect(asked.length).toBe(1)
    for (const id of ['b', 'c', 'd']) {
      news.value = event(id, 1)
      await nextTick()
    }
    await vi.advanceTimersByTimeAsync(300)
    expect(asked.length).toBe(2)
    await vi.advanceTimersByTimeAsync(20_000)
    expect(asked.length).toBe(3)
  })

  it('goes on from the last row', async () => {
    await vi.advanceTimersByTimeAsync(0)
    pages.push(Promise.resolve({ items: [{ id: 'b', version: 1 }], next_cursor: null }))
    await list.load(true)
    expect(asked[1]?.cursor).toBe('next')
    expect([list.items.value.map((row) => row.id), list.cursor.value]).toEqual([['a', 'b'], null])
  })

  it('shows the answer to the newest question only', async () => {
    await vi.advanceTimersByTimeAsync(0)
    let late: (page: { items: Row[]; next_cursor: null }) => void = () => {}
    pages.push(new Promise((resolve) => (late = resolve)), Promise.resolve({ items: [{ id: 'mine', version: 1 }], next_cursor: null }))
    const slow = list.load()
    filter.value = { state: 'claimed', mine: true }
    await nextTick()
    await vi.advanceTimersByTimeAsync(0)
    late({ items: [{ id: 'old', version: 1 }], next_cursor: null })
    await slow
    expect(list.items.value.map((row) => row.id)).toEqual(['mine'])
  })

  it('says why it could not be read, and keeps what it has', async () => {
    await vi.advanceTimersByTimeAsync(0)
    pages.push(Promise.reject(new Refusal(0, { code: 'no_connection', message: '', details: {}, request_id: '' })))
    await list.load()
    expect([list.refusal.value !== '', list.items.value.length]).toEqual([true, 1])
  })
})

describe('the one that is open', () => {
  const news = shallowRef<WorkEvent | null>(null)
  const id = ref('a')
  let found: Row
  let one: WorkOne<Row>
  beforeEach(async () => {
    news.value = null
    id.value = 'a'
    found = { id: 'a', version: 1 }
    one = inside(() => useWorkOne<Row>(() => id.value, async (wanted) => ({ ...found, id: wanted }), () => news.value))
    await vi.advanceTimersByTimeAsync(0)
  })

  it('is read anew when the stream tells of a newer version, and not of its own', async () => {
    found = { id: 'a', version: 3 }
    news.value = event('a', 1)
    await vi.advanceTimersByTimeAsync(0)
    expect(one.one.value?.version).toBe(1)
    news.value = event('a', 3)
    await vi.advanceTimersByTimeAsync(0)
    expect(one.one.value?.version).toBe(3)
  })

  it('is never written over: a stale version says who was faster and shows his', async () => {
    found = { id: 'a', version: 2 }
    const stale = new Refusal(409, refusal('stale_version', { by: '2001' }) as Refusal['body'])
    expect(await one.act(() => Promise.reject(stale))).toBe(false)
    expect(one.failure.value).toContain('2001')
    expect(one.one.value?.version).toBe(2)
  })

  it('does one thing at a time', async () => {
    let finish: (row: Row) => void = () => {}
    const first = one.act(() => new Promise((resolve) => (finish = resolve)))
    expect(await one.act(async (row) => row)).toBe(false)
    finish({ id: 'a', version: 2 })
    expect([await first, one.one.value?.version]).toEqual([true, 2])
  })

  it('forgets the last one and its failure when another is opened', async () => {
    await one.act(() => Promise.reject(new Refusal(409, refusal('refused') as Refusal['body'])), () => 'no')
    expect(one.failure.value).toBe('no')
    id.value = 'b'
    await vi.advanceTimersByTimeAsync(0)
    expect([one.failure.value, one.one.value?.id]).toEqual(['', 'b'])
    id.value = ''
    await vi.advanceTimersByTimeAsync(0)
    expect(one.one.value).toBeNull()
  })
})
