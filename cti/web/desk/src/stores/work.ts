// Recorded complaints and callbacks: how many wait, and what the stream last told of them.

import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { service } from '@/api/service'
import type { UnitWorkEvent, WorkCounts, WorkEvent } from '@/api/types'
import type { ThreadEvent } from '@/api/threads'
import { useSession } from './session'

export type WorkKind = 'item' | 'paper' | 'callback'

/** Several changes within this time are counted once. */
const GATHER = 300

const NONE: WorkCounts = {
  items_new: null, items_overdue: null, papers_new: null, papers_overdue: null, originals_handed: null, callbacks_listed: null, callbacks_overdue: null,
}

export const useWork = defineStore('work', () => {
  const session = useSession()
  const counts = ref<WorkCounts>(NONE)
  /** The newest event of each kind; a page that lists them watches it. */
  const itemNews = shallowRef<WorkEvent | null>(null)
  const paperNews = shallowRef<WorkEvent | null>(null)
  const callbackNews = shallowRef<WorkEvent | null>(null)
  /** What was last told of the unit's work orders; the inbox watches it. */
  const unitNews = shallowRef<UnitWorkEvent | null>(null)
  /** What was last said in a thread one reaches. */
  const threadNews = shallowRef<ThreadEvent | null>(null)
  /** Counts what the board was told: each time an order moved. */
  const flow = ref(0)
  let timer: ReturnType<typeof setTimeout> | undefined

  function heard(kind: WorkKind, event: WorkEvent): void {
    if (kind === 'item') itemNews.value = event
    else if (kind === 'paper') paperNews.value = event
    else callbackNews.value = event
    clearTimeout(timer)
    timer = setTimeout(() => void count(), GATHER)
  }

  async function count(): Promise<void> {
    if (!['view_items', 'view_papers', 'view_callbacks'].some(session.may)) return void (counts.value = NONE)
    const found = await service.workCounts().catch(() => null)
    if (found) counts.value = found
  }

  return { flow, unitNews, threadNews, counts, itemNews, paperNews, callbackNews, heard, count }
})
