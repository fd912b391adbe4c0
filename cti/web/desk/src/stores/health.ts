// Whether the service and the telephone side answer, asked now and then.

import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { service } from '@/api/service'
import type { Health } from '@/api/types'
import { useClock } from './clock'

const EVERY = 15_000
/** Parts without which no call comes in. */
const CALLS = ['database', 'lease', 'ami', 'events', 'fastagi']

export const useHealth = defineStore('health', () => {
  const health = ref<Health | null>(null)
  const reachable = ref(true)
  let timer: ReturnType<typeof setInterval> | undefined

  const troubles = computed(() => health.value?.parts.filter((part) => !part.ok) ?? [])
  /** Calls do not come in as they should; what else is wrong (a late file, little disk) is the supervisor's. */
  const degraded = computed(() => {
    if (health.value === null || health.value.status === 'ok') return false
    return !troubles.value.length || troubles.value.some((part) => CALLS.includes(part.name))
  })

  async function ask(): Promise<void> {
    try {
      health.value = await service.health()
      reachable.value = true
      useClock().compare(health.value.at)
    } catch {
      reachable.value = false
    }
  }

  function start(): void {
    if (timer) return
    void ask()
    timer = setInterval(() => void ask(), EVERY)
  }

  return { health, reachable, degraded, troubles, ask, start }
})
