// The draft being written: saved by itself field by field, never over somebody else's change.

import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { Refusal } from '@/api/client'
import { service } from '@/api/service'
import type { Order, OrderEvent, OrderFields } from '@/api/types'
import { completeness, missing, valuesOf, type Values } from '@/order/elements'
import { reason } from '@/reason'
import { useForms } from './forms'

/** Milliseconds without typing after which a change is saved. */
export const QUIET = 700
const RETRY = 3_000

export type Saving = 'saved' | 'changed' | 'saving' | 'offline'

export interface Conflict {
  theirs: Order
  by: string
  at: string
}

export interface Result {
  how: 'submitted' | 'no_order' | 'merged' | 'handed'
  order: Order
}

export const useDraft = defineStore('draft', () => {
  const forms = useForms()
  const order = shallowRef<Order | null>(null)
  const values = ref<Values>({})
  const coded = ref<Record<string, string>>({})
  const errors = ref<Record<string, string>>({})
  const failure = ref('')
  const saving = ref<Saving>('saved')
  const conflict = shallowRef<Conflict | null>(null)
  const result = shallowRef<Result | null>(null)
  const insisted = ref(false)
  const ending = ref(false)

  let dirty = new Set<string>()
  let dirtyCodes = new Set<string>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let running: Promise<void> = Promise.resolve()

  const lacking = computed(() => {
    if (!order.value) return []
    const kind = (values.value.kind as string | null) ?? null
    return missing(kind, values.value, coded.value, forms.elements(kind))
  })
  const percent = computed(() => {
    const kind = (values.value.kind as string | null) ?? null
    return completeness(kind, values.value, coded.value, forms.elements(kind))
  })
  const unsaved = computed(() => saving.value !== 'saved')

  async function open(id: string): Promise<void> {
    if (order.value?.id === id) return
    await flush()
    failure.value = ''
    try {
      const fresh = await service.order(id)
      // What is no draft any more (submitted or merged on another page) is not written on.
      if (fresh.state === 'draft') begin(fresh)
    } catch (error) {
      failure.value = reason(error)
      throw error
    }
  }

  function begin(fresh: Order): void {
    clearTimeout(timer)
    result.value = null
    dirty = new Set()
    dirtyCodes = new Set()
    errors.value = {}
    conflict.value = null
    insisted.value = false
    saving.value = 'saved'
    values.value = {}
    accept(fresh)
  }

  /** Takes the service's copy; what was typed since stays. */
  function accept(fresh: Order): void {
    const theirs = valuesOf(fresh)
    for (const [field, mine] of Object.entries(values.value)) {
      // The space after a word that is still being written is not taken away.
      const same = typeof mine === 'string' && mine.trim() === theirs[field] && order.value?.id === fresh.id
      if (dirty.has(field) || same) theirs[field] = mine
    }
    order.value = fresh
    values.value = theirs
    const codes = { ...fresh.coded }
    for (const field of dirtyCodes) {
      const mine = coded.value[field]
      if (mine) codes[field] = mine
      else delete codes[field]
    }
    coded.value = codes
  }

  function set(field: string, value: unknown): void {
    values.value = { ...values.value, [field]: value === '' ? null : value }
    dirty.add(field)
    if (coded.value[field] && value !== null && value !== '') uncode(field)
    touched(field)
  }

  /** Says why a field stays empty; null takes that back. */
  function code(field: string, why: string | null): void {
    if (why === null) uncode(field)
    else {
      values.value = { ...values.value, [field]: null }
      coded.value = { ...coded.value, [field]: why }
      dirty.add(field)
      dirtyCodes.add(field)
    }
    touched(field)
  }

  function uncode(field: string): void {
    const { [field]: _, ...others } = coded.value
    coded.value = others
    dirtyCodes.add(field)
  }

  function touched(field: string): void {
    const { [field]: _, ...others } = errors.value
    errors.value = others
    saving.value = 'changed'
    later(QUIET)
  }

  function later(ms: number): void {
    clearTimeout(timer)
    timer = setTimeout(() => void save(), ms)
  }

  /** Saves now what is not saved yet; resolves when the service has answered. */
  function flush(): Promise<void> {
    clearTimeout(timer)
    return save()
  }

  function save(): Promise<void> {
    running = running.catch(() => {}).then(send)
    return running
  }

  async function send(): Promise<void> {
    const current = order.value
    const fields = [...dirty].filter((field) => !errors.value[field])
    const codes = [...dirtyCodes].filter((field) => !errors.value[field])
    if (!current || conflict.value || (!fields.length && !codes.length)) return
    const body = bodyOf(fields, codes)
    dirty = new Set([...dirty].filter((field) => !fields.includes(field)))
    dirtyCodes = new Set([...dirtyCodes].filter((field) => !codes.includes(field)))
    saving.value = 'saving'
    try {
      accept(await service.editOrder(current.id, current.version, body))
      failure.value = ''
      saving.value = dirty.size || dirtyCodes.size ? 'changed' : 'saved'
    } catch (error) {
      fields.forEach((field) => dirty.add(field))
      codes.forEach((field) => dirtyCodes.add(field))
      await refused(error, current.id)
    }
  }

  function bodyOf(fields: string[], codes: string[]): OrderFields {
    const body: Record<string, unknown> = {}
    for (const field of fields) {
      if (field.startsWith('promise.')) {
        const text = values.value['promise.text'] ?? null
        const due_at = values.value['promise.due_at'] ?? null
        body.promise = text === null && due_at === null ? null : { text, due_at }
      } else body[field] = values.value[field] ?? null
    }
    if (codes.length) body.coded = Object.fromEntries(codes.map((field) => [field, coded.value[field] ?? null]))
    return body as OrderFields
  }

  async function refused(error: unknown, id: string): Promise<void> {
    saving.value = 'changed'
    if (!(error instanceof Refusal)) throw error
    if (error.code === 'stale_version') return await clash(id)
    if (error.status === 422 && blame(error)) {
      if ([...dirty, ...dirtyCodes].some((field) => !errors.value[field])) later(QUIET)
      return
    }
    failure.value = reason(error)
    if (error.status === 0 || error.status >= 500) {
      saving.value = 'offline'
      later(RETRY)
    }
  }

  /** Puts a refusal beside the fields it is about; false when it names none of ours. */
  function blame(error: Refusal): boolean {
    const listed = Array.isArray(error.body.details.fields) ? (error.body.details.fields as { field?: unknown }[]) : []
    const names = [error.field, ...listed.map((item) => item.field)]
      .filter((name): name is string => typeof name === 'string')
      .map((name) => (name.startsWith('coded.') ? name.slice(6) : name))
      .filter((name) => name in values.value)
    if (!names.length) return false
    const text = reason(error)
    errors.value = { ...errors.value, ...Object.fromEntries(names.map((name) => [name, text])) }
    return true
  }

  /** The order changed, perhaps on another page of mine: what is not being typed over is shown as it is now. */
  async function changed(event: OrderEvent): Promise<void> {
    const mine = order.value
    if (mine?.id !== event.order_id || event.version <= mine.version || saving.value !== 'saved') return
    if (event.state !== 'draft') return void (order.value = null)
    const fresh = await service.order(mine.id).catch(() => null)
    if (fresh && order.value?.id === fresh.id && saving.value === 'saved' && fresh.version > order.value.version) accept(fresh)
  }

  async function clash(id: string): Promise<void> {
    const theirs = await service.order(id).catch(() => null)
    if (!theirs) return void (failure.value = '')
    const last = theirs.trail.at(-1)
    conflict.value = { theirs, by: last?.by ?? '', at: last?.at ?? theirs.created_at }
  }

  /** Goes on from the other's copy: with what I typed, or without it. */
  async function settle(keepMine: boolean): Promise<void> {
    const theirs = conflict.value?.theirs
    if (!theirs) return
    conflict.value = null
    if (!keepMine) return begin(theirs)
    accept(theirs)
    await flush()
  }

  async function end(how: Result['how'], act: (order: Order) => Promise<Order>): Promise<boolean> {
    ending.value = true
    failure.value = ''
    try {
      await flush()
      // What was refused does not stop a call that needs no order or belongs to another one.
      const open = [...dirty, ...dirtyCodes].some((field) => how === 'submitted' || how === 'handed' || !errors.value[field])
      if (!order.value || conflict.value || (open && how !== 'no_order')) return false
      const ended = await act(order.value)
      result.value = { how, order: ended }
      order.value = null
      return true
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (error.code === 'stale_version' && order.value) await clash(order.value.id)
      if (error.code === 'missing') insisted.value = true
      else if (how !== 'submitted' || !blame(error)) failure.value = reason(error)
      if (how !== 'submitted') throw error
      return false
    } finally {
      ending.value = false
    }
  }

  async function submit(): Promise<boolean> {
    insisted.value = true
    return await end('submitted', (draft) => service.submitOrder(draft.id, draft.version))
  }

  const noOrder = (why: string, note: string) =>
    end('no_order', (draft) => service.noOrder(draft.id, draft.version, why, note || null))
  const merge = (serial: string) => end('merged', (draft) => service.mergeOrder(draft.id, draft.version, serial))

  /** A VIP's draft goes to the seniors as it is (RT-08). */
  const handToSenior = (why: string) => end('handed', (draft) => service.orderStep(draft.id, 'hand_to_senior', draft.version, { reason: why }))

  /** Puts the form away; the draft stays where it is. */
  async function leave(): Promise<void> {
    await flush()
    clearTimeout(timer)
    order.value = null
    result.value = null
    failure.value = ''
  }

  /** The person signed out: nothing of it stays. */
  function forget(): void {
    clearTimeout(timer)
    dirty.clear()
    dirtyCodes.clear()
    order.value = null
    result.value = null
    conflict.value = null
    failure.value = ''
    saving.value = 'saved'
  }

  return {
    order,
    values,
    coded,
    errors,
    failure,
    saving,
    conflict,
    result,
    insisted,
    ending,
    lacking,
    percent,
    unsaved,
    open,
    begin,
    set,
    code,
    flush,
    settle,
    submit,
    noOrder,
    merge,
    handToSenior,
    leave,
    forget,
    changed,
  }
})
