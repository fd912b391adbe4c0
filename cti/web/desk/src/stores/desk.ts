// The agent's live picture: his state, his pop, his calls, as the stream tells them.

import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { service } from '@/api/service'
import type { Alert, CallView, OrderEvent, PhoneKind, RecordingEvent, WorkEvent, UnitWorkEvent } from '@/api/types'
import { connect, forget, type Stream } from '@/stream/connect'
import { EMPTY, type Floor } from '@/stream/floor'
import type { ThreadEvent } from '@/api/threads'
import type { Connection } from '@/stream/reader'
import type { Told } from '@/stream/source'
import { useDraft } from './draft'
import { useSession } from './session'
import { useWork } from './work'

const CALLS = 20
const ALERTS = 5

export const useDesk = defineStore('desk', () => {
  const session = useSession()
  const floor = shallowRef<Floor>(EMPTY)
  const connection = ref<Connection>('connecting')
  const everOpen = ref(false)
  const calls = ref<CallView[]>([])
  /** the recording that was told of last: a page that shows its call reads it anew */
  const recorded = ref<RecordingEvent | null>(null)
  const alerts = ref<Alert[]>([])
  const busy = ref(false)
  let stream: Stream | null = null
  const painted = new Set<string>()

  const agent = computed(() => floor.value.agent)
  const pop = computed(() => floor.value.pop)
  const missed = computed(() => floor.value.missed)
  const state = computed(() => agent.value?.state ?? 'logged_out')

  function open(): void {
    const who = session.staff
    if (!who || stream) return
    stream = connect(who.number, heard)
    void loadCalls()
  }

  /** The page goes on without the person. */
  function close(): void {
    stream?.end()
    stream = null
    forget()
    floor.value = EMPTY
    calls.value = []
    alerts.value = []
    everOpen.value = false
  }

  function heard(told: Told): void {
    if (told.type === 'state') {
      connection.value = told.connection
      if (told.connection === 'open') everOpen.value = true
      if (told.connection === 'signed_out') void lost()
      return
    }
    floor.value = told.floor
    if (told.type === 'event') notice(told.event.name, told.event.data)
  }

  async function lost(): Promise<void> {
    stream?.close()
    stream = null
    if (await session.find().catch(() => true)) open()
  }

  function notice(name: string, data: string): void {
    if (name === 'call') put(JSON.parse(data) as CallView)
    else if (name === 'recording') mark(JSON.parse(data) as RecordingEvent)
    else if (name === 'alert') warn(JSON.parse(data) as Alert)
    else if (name === 'order') void useDraft().changed(JSON.parse(data) as OrderEvent)
    else if (name === 'item' || name === 'paper' || name === 'callback') useWork().heard(name, JSON.parse(data) as WorkEvent)
    else if (name === 'work') useWork().unitNews = JSON.parse(data) as UnitWorkEvent
    else if (name === 'thread') useWork().threadNews = JSON.parse(data) as ThreadEvent
    else if (name === 'flow') useWork().flow += 1
    else if (name === 'snapshot') {
      useWork().flow += 1
      void loadCalls()
      void useWork().count()
    }
  }

  /** What is late now was not late when it was last counted. */
  function warn(alert: Alert): void {
    alerts.value = [alert, ...alerts.value].slice(0, ALERTS)
    if (/^(item|callback)_/.test(alert.code)) void useWork().count()
  }

  /** Tells the service when the pop stood on the screen: after the frame that shows it has been painted (TL-33). */
  async function paint(): Promise<void> {
    const { pop: shown, popEvent: id } = floor.value
    if (!shown || !id || shown.state !== 'ringing' || painted.has(id)) return
    painted.add(id)
    await frame()
    await frame()
    const at = new Date().toISOString()
    await service.painted(shown.call_id, id, at).catch(() => painted.delete(id))
  }

  async function loadCalls(): Promise<void> {
    if (!session.may('view_own_calls')) return
    const list = await service.recentCalls(CALLS).catch(() => null)
    if (list) calls.value = list.items
  }

  function put(call: CallView): void {
    const others = calls.value.filter((each) => each.call_id !== call.call_id)
    calls.value = [call, ...others].sort((a, b) => (a.entered_at < b.entered_at ? 1 : -1)).slice(0, CALLS)
  }

  function mark(event: RecordingEvent): void {
    recorded.value = event
    const call = calls.value.find((each) => each.call_id === event.call_id)
    if (!call) return void loadCalls()
    const before = call.recording ?? { id: event.id ?? '', seconds: null, alarm: null, state: event.state }
    put({ ...call, recording: { ...before, id: event.id ?? before.id, state: event.state } })
    if (event.state !== 'expected') void loadCalls()
  }

  function dismiss(alert: Alert): void {
    alerts.value = alerts.value.filter((each) => each !== alert)
  }

  async function wish(act: () => Promise<Floor['agent']>): Promise<void> {
    busy.value = true
    try {
      const view = await act()
      if (view) floor.value = { ...floor.value, agent: view }
    } finally {
      busy.value = false
    }
  }

  const signIn = (phone: PhoneKind) => wish(() => service.agentSignIn(phone))
  const signOut = () => wish(() => service.agentSignOut())
  const pause = (reason: string) => wish(() => service.pause(reason))
  const ready = () => wish(() => service.ready())

  return {
    floor,
    agent,
    pop,
    missed,
    state,
    connection,
    everOpen,
    calls,
    recorded,
    alerts,
    busy,
    open,
    close,
    heard,
    paint,
    loadCalls,
    dismiss,
    signIn,
    signOut,
    pause,
    ready,
  }
})

function frame(): Promise<number> {
  return new Promise((resolve) => requestAnimationFrame(resolve))
}
