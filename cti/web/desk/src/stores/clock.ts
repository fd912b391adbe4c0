// One clock for the page: it ticks each second and follows the service's time when the computer's is wrong.

import { defineStore } from 'pinia'
import { computed, ref } from 'vue'

/** A smaller difference than this may be the network's. */
const DOUBT = 2_000

export const useClock = defineStore('clock', () => {
  const ticked = ref(Date.now())
  const offset = ref(0)
  let timer: ReturnType<typeof setInterval> | undefined

  const now = computed(() => new Date(ticked.value + offset.value))

  function start(): void {
    timer ??= setInterval(() => (ticked.value = Date.now()), 1000)
  }

  /** The service said it is `at`; the answer was just read. */
  function compare(at: string): void {
    const difference = new Date(at).getTime() - Date.now()
    offset.value = Math.abs(difference) > DOUBT ? difference : 0
  }

  function since(at: string): number {
    return now.value.getTime() - new Date(at).getTime()
  }

  return { now, start, compare, since }
})
