// The browser phone of this tab as the page shows it, and what its buttons do.

import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { service } from '@/api/service'
import { openMicrophone, type Sending, type Sound } from '@/phone/microphone'
import { Ring } from '@/phone/ring'
import { Seat } from '@/phone/seat'
import { EVERY, Sleep } from '@/phone/sleep'
import { Softphone, type CallPhase, type Registration } from '@/phone/softphone'

/** Whether this tab has the phone: another tab's is told apart from another browser's. */
export type Place = 'none' | 'here' | 'other_tab'

const REGISTERED_WITHIN = 8_000
/** Says in this tab's storage whose phone it held before a reload. */
const HELD = 'hotline.phone'

export const usePhone = defineStore('phone', () => {
  const place = ref<Place>('none')
  const registration = ref<Registration>('off')
  const phase = ref<CallPhase>('none')
  const sound = ref<Sound>('microphone')
  const muted = ref(false)

  let seat: Seat | null = null
  let softphone: Softphone | null = null
  let audio: AudioContext | null = null
  let ring: Ring | null = null
  let sending: Sending | null = null
  let listeners: (() => void)[] = []
  let takeHere = (): void => {}
  let asking = false
  let sleep = new Sleep(Date.now(), performance.now())
  let watching: ReturnType<typeof setInterval> | undefined

  const talking = computed(() => ['talking', 'answering', 'ending'].includes(phase.value))
  const registered = computed(() => registration.value === 'registered')
  const silent = computed(() => place.value === 'here' && sound.value !== 'microphone')

  /**
   * Wants the phone in this tab; the first of several tabs gets it. With `inUse` the exchange can reach it already: then
   * only the tab that had it before its reload goes on, any other must be asked to take it over (F17).
   */
  async function open(number: string, inUse = false): Promise<void> {
    if (seat) return
    let polite = inUse && sessionStorage.getItem(HELD) !== number
    takeHere = (): void => {
      sessionStorage.setItem(HELD, number)
      begin()
    }
    const onTaken = (): void => {
      if (!polite) return takeHere()
      place.value = 'here'
      registration.value = 'elsewhere'
    }
    const onWaiting = (): void => {
      // It is in use by a tab of this very browser; when that one goes, this one follows.
      polite = false
      place.value = 'other_tab'
    }
    seat = new Seat(number, { onTaken, onLost: lose, onWaiting })
    await seat.take()
  }

  function takeOver(): void {
    if (place.value === 'other_tab') seat?.steal()
    else if (registration.value === 'elsewhere') takeHere()
  }

  function begin(): void {
    place.value = 'here'
    audio ??= new AudioContext()
    ring ??= new Ring(audio)
    softphone?.stop()
    softphone = new Softphone({
      credentials: service.phone,
      onRegistration: (next) => {
        registration.value = next
        listeners.splice(0).forEach((heard) => heard())
      },
      onCall: hear,
      onRemote: play,
      onBroken: () => void stillSignedIn(),
    })
    watch()
    void softphone.start().catch(() => {})
    void ready()
  }

  /** A refused sign-in drops the person, and the phone with him; no answer says nothing. */
  async function stillSignedIn(): Promise<void> {
    if (asking) return
    asking = true
    await service.agent().catch(() => {})
    asking = false
  }

  /** The exchange forgets a phone by its clock: where ours was set or stood still, it is asked to know us again. */
  function watch(): void {
    sleep = new Sleep(Date.now(), performance.now())
    if (watching) return
    watching = setInterval(look, EVERY)
    document.addEventListener('visibilitychange', look)
  }

  function look(): void {
    if (sleep.look(Date.now(), performance.now())) refresh()
  }

  /** Registers again at once; until then the page says that it is not registered. */
  function refresh(): void {
    if (registered.value) softphone?.refresh()
  }

  /** The microphone is opened before the first call, so that no caller waits for the browser's question. */
  async function ready(): Promise<Sending> {
    audio ??= new AudioContext()
    sending ??= await openMicrophone(audio)
    sound.value = sending.sound
    return sending
  }

  function lose(): void {
    stop()
    place.value = 'other_tab'
    void seat?.take()
  }

  function stop(): void {
    clearInterval(watching)
    watching = undefined
    document.removeEventListener('visibilitychange', look)
    softphone?.stop()
    softphone = null
    ring?.stop()
    sending?.close()
    sending = null
    registration.value = 'off'
  }

  /** Gives the phone back: signed out of the queues, or of the page. */
  function close(): void {
    stop()
    sessionStorage.removeItem(HELD)
    seat?.leave()
    seat = null
    place.value = 'none'
  }

  /** Resolves true once registered; false when it is refused or takes too long. */
  async function whenRegistered(): Promise<boolean> {
    const end = Date.now() + REGISTERED_WITHIN
    while (!registered.value) {
      const left = end - Date.now()
      if (left <= 0 || registration.value === 'elsewhere' || place.value === 'other_tab') return false
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        listeners.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
    return true
  }

  function hear(next: CallPhase): void {
    phase.value = next
    if (next === 'ringing') ring?.start()
    else ring?.stop()
    if (next === 'none') muted.value = false
  }

  async function answer(): Promise<void> {
    if (phase.value !== 'ringing') return
    void audio?.resume()
    const { stream } = await ready()
    softphone?.answer(stream)
  }

  function hangUp(): void {
    softphone?.hangUp()
  }

  /** The page is going: ends what only this page can carry. */
  function drop(): void {
    if (phase.value !== 'none') softphone?.hangUp()
  }

  function mute(): void {
    if (phase.value !== 'talking') return
    muted.value = !muted.value
    softphone?.mute(muted.value)
  }

  return {
    place,
    registration,
    phase,
    sound,
    muted,
    talking,
    registered,
    silent,
    open,
    takeOver,
    refresh,
    whenRegistered,
    close,
    answer,
    hangUp,
    drop,
    mute,
  }
})

/** The other side's voice. */
function play(stream: MediaStream | null): void {
  const id = 'remote-voice'
  const known = document.getElementById(id)
  if (stream === null) return known?.remove()
  const element = known instanceof HTMLAudioElement ? known : document.createElement('audio')
  element.id = id
  element.dataset.testid = 'remote-audio'
  element.autoplay = true
  element.srcObject = stream
  if (!known) document.body.append(element)
}
