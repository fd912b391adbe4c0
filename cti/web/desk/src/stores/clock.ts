// One clock for the page: it ticks each second and follows the service's time when the computer's is wrong.

import { defineStore } from 'pinia'
import { computed, ref } from 'vue'

/** A smaller difference than this may be the network's. */
const DOUBT = 2_000

/** The day at that moment in a zone: Swedish writes it as ISO 8601 does. */
export const dayIn = (at: Date, zone: string | undefined): string => new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' }).format(at)

export const useClock = defineStore('clock', () => {
  const ticked = ref(Date.now())
  const offset = ref(0)
  let timer: ReturnType<typeof setInterval> | undefined

  /** The zone in which the operator's day begins and ends; until somebody is signed in, the browser's. */
  const zone = ref<string | undefined>()

  const now = computed(() => new Date(ticked.value + offset.value))
  /** The operator's day, as 2026-03-10. */
  const today = computed(() => dayIn(now.value, zone.value))

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

  return { now, today, zone, start, compare, since }
})
