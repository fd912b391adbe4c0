// A list of work beside the calls: a page at a time, kept up to date by the stream, and by a look now and then.

import { onBeforeUnmount, onMounted, ref, shallowRef, watch, type Ref } from 'vue'
import type { WorkEvent, WorkFilter } from '@/api/types'
import { reason } from '@/reason'

const PAGE = 50
/** The stream tells of every change; this is for the day it does not. */
const EVERY = 20_000
/** Several changes at once are read once. */
const GATHER = 200

interface Page<T> {
  items: T[]
  next_cursor: string | null
}

export interface WorkList<T> {
  items: Ref<T[]>
  cursor: Ref<string | null>
  busy: Ref<boolean>
  loaded: Ref<boolean>
  refusal: Ref<string>
  load: (more?: boolean) => Promise<void>
}

export function useWorkList<T extends { id: string }>(
  read: (filter: WorkFilter) => Promise<Page<T>>,
  filter: () => WorkFilter,
  news: () => WorkEvent | null,
): WorkList<T> {
  const items = shallowRef<T[]>([]) as Ref<T[]>
  const cursor = ref<string | null>(null)
  const busy = ref(false)
  const loaded = ref(false)
  const refusal = ref('')
  let asked = 0
  let soon: ReturnType<typeof setTimeout> | undefined
  let timer: ReturnType<typeof setInterval> | undefined

  /** Reads the list anew, as many as are shown; an answer that a later question has overtaken is not used. */
  async function load(more = false): Promise<void> {
    const mine = ++asked
    busy.value = true
    try {
      const limit = more ? PAGE : Math.min(Math.max(items.value.length, PAGE), 200)
      const page = await read({ ...filter(), limit, cursor: more ? (cursor.value ?? undefined) : undefined })
      if (mine !== asked) return
      items.value = more ? [...items.value, ...page.items] : page.items
      cursor.value = page.next_cursor
      refusal.value = ''
      loaded.value = true
    } catch (error) {
      if (mine === asked) refusal.value = reason(error)
    } finally {
      if (mine === asked) busy.value = false
    }
  }

  watch(filter, () => {
    items.value = []
    loaded.value = false
    void load()
  })
  watch(news, () => {
    clearTimeout(soon)
    soon = setTimeout(() => void load(), GATHER)
  })
  onMounted(() => {
    void load()
    timer = setInterval(() => document.hidden || void load(), EVERY)
  })
  onBeforeUnmount(() => {
    clearInterval(timer)
    clearTimeout(soon)
  })
  return { items, cursor, busy, loaded, refusal, load }
}
