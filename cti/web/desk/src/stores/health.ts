// Whether the service and the telephone side answer, asked now and then.

import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { service } from '@/api/service'
import type { Health } from '@/api/types'
import { useClock } from './clock'

const EVERY = 15_000

export const useHealth = defineStore('health', () => {
  const health = ref<Health | null>(null)
  const reachable = ref(true)
  let timer: ReturnType<typeof setInterval> | undefined

  const degraded = computed(() => health.value !== null && health.value.status !== 'ok')
  const troubles = computed(() => health.value?.parts.filter((part) => !part.ok) ?? [])

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
