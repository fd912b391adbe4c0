// The one that is open beside the list: read by its id, changed by one action at a time, never over another's change.

import { computed, ref, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import { Refusal } from '@/api/client'
import type { WorkEvent } from '@/api/types'
import { i18n } from '@/i18n'
import { reason } from '@/reason'

export interface WorkOne<T> {
  one: Ref<T | null>
  acting: Ref<boolean>
  failure: Ref<string>
  load: () => Promise<void>
  /** Does one thing to it; false when it was refused, and `failure` says why. */
  act: (what: (one: T) => Promise<T>, words?: (error: Refusal) => string) => Promise<boolean>
  loading: ComputedRef<boolean>
}

export function useWorkOne<T extends { id: string; version: number }>(
  id: () => string,
  read: (id: string) => Promise<T>,
  news: () => WorkEvent | null,
): WorkOne<T> {
  const one = shallowRef<T | null>(null) as Ref<T | null>
  const acting = ref(false)
  const failure = ref('')
  const loading = computed(() => id() !== '' && one.value?.id !== id() && !failure.value)

  async function load(): Promise<void> {
    const wanted = id()
    if (!wanted) return void (one.value = null)
    try {
      const found = await read(wanted)
      if (wanted === id()) one.value = found
    } catch (error) {
      if (wanted === id()) {
        one.value = null
        failure.value = reason(error)
      }
    }
  }

  async function act(what: (one: T) => Promise<T>, words: (error: Refusal) => string = reason): Promise<boolean> {
    if (!one.value || acting.value) return false
    acting.value = true
    failure.value = ''
    try {
      one.value = await what(one.value)
      return true
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (error.code === 'stale_version') {
        failure.value = i18n.global.t('work.changed', { by: String(error.body.details.by ?? '') })
        await load()
      } else failure.value = words(error)
      return false
    } finally {
      acting.value = false
    }
  }

  watch(
    id,
    () => {
      failure.value = ''
      void load()
    },
    { immediate: true },
  )
  watch(news, (event) => {
    if (event && event.id === one.value?.id && event.version > one.value.version && !acting.value) void load()
  })
  return { one, acting, failure, load, act, loading }
}
