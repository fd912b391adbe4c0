// What the pages of recorded complaints and callbacks show and allow, by state and person. Pure.

import type { CallbackView, ItemView, WorkFilter } from '@/api/types'

export type May = (action: string) => boolean

export interface Tab {
  name: string
  filter: WorkFilter
  /** Asked for before the tab is shown. */
  needs?: string
}

export const ITEM_TABS: readonly Tab[] = [
  { name: 'new', filter: { state: 'new' } },
  { name: 'mine', filter: { state: 'claimed', mine: true }, needs: 'work_items' },
  { name: 'claimed', filter: { state: 'claimed' }, needs: 'reassign_work' },
  { name: 'sorted_out', filter: { state: 'sorted_out' } },
  { name: 'done', filter: { state: 'done,discarded' } },
]

export const CALLBACK_TABS: readonly Tab[] = [
  { name: 'open', filter: {} },
  { name: 'mine', filter: { mine: true } },
  { name: 'listed', filter: { listed: true } },
  { name: 'overdue', filter: { overdue: true } },
  { name: 'ended', filter: { state: 'connected,cancelled' } },
]

export function tabs(all: readonly Tab[], may: May): Tab[] {
  return all.filter((tab) => !tab.needs || may(tab.needs))
}

/** The tab in which an item stands for this person. */
export function tabOf(item: ItemView, me: string): string {
  if (item.state === 'claimed') return item.owner === me ? 'mine' : 'claimed'
  return item.state === 'discarded' ? 'done' : item.state
}

export type ItemAct = 'claim' | 'release' | 'reassign' | 'order' | 'discard'

/** What this person may do with a message now, as the service would judge it. */
export function itemActs(item: ItemView, me: string, may: May): Set<ItemAct> {
  const found = new Set<ItemAct>()
  const mine = item.owner === me && item.state === 'claimed'
  if (may('work_items')) {
    if (item.state === 'new' || item.state === 'sorted_out') found.add('claim')
    if (mine) (['release', 'order', 'discard'] as const).forEach((act) => found.add(act))
  }
  if (may('reassign_work') && (item.state === 'new' || item.state === 'claimed')) found.add('reassign')
  return found
}

export type CallbackAct = 'now' | 'later' | 'reassign' | 'cancel'

/** Nobody has begun to call, so a person may say when. */
const STILL = ['pending', 'failed', 'unknown']
/** The customer is not being dialled yet. */
const CANCELLABLE = [...STILL, 'claimed', 'agent_reserved']
const OVER = ['connected', 'cancelled']

/** What this person may do with a callback now, as the service would judge it. */
export function callbackActs(callback: CallbackView, may: May): Set<CallbackAct> {
  const found = new Set<CallbackAct>()
  if (may('work_callbacks') && STILL.includes(callback.state)) found.add('now').add('later')
  if (may('work_callbacks') && CANCELLABLE.includes(callback.state)) found.add('cancel')
  if (may('reassign_work') && !OVER.includes(callback.state)) found.add('reassign')
  return found
}

/** A booked time: its day and its two ends, or nothing for one as soon as possible. */
export function windowSpan(start: string | null, end: string | null): { day: string; from: string; to: string } | null {
  if (!start || !end) return null
  const [first, last] = [new Date(start), new Date(end)]
  const two = (value: number): string => String(value).padStart(2, '0')
  const clock = (at: Date): string => `${two(at.getHours())}:${two(at.getMinutes())}`
  return { day: `${two(first.getMonth() + 1)}-${two(first.getDate())}`, from: clock(first), to: clock(last) }
}

/** `tomorrow-morning` in its two words; `asap` has no part of the day. */
export function spokenParts(spoken: string): { day: string; part: string } {
  const [, day = spoken, part = ''] = /^(today|tomorrow|next-workday)-(\w+)$/.exec(spoken) ?? []
  return { day: day.replace('-workday', 'Workday'), part }
}

export type Later = 'halfHour' | 'twoHours' | 'evening' | 'tomorrow'

/** Times a callback is often put off to; those that have passed are left out. */
export function laterTimes(now: Date): { name: Later; at: Date }[] {
  const at = (days: number, hour: number): Date => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour)
  const all: { name: Later; at: Date }[] = [
    { name: 'halfHour', at: new Date(now.getTime() + 30 * 60_000) },
    { name: 'twoHours', at: new Date(now.getTime() + 120 * 60_000) },
    { name: 'evening', at: at(0, 18) },
    { name: 'tomorrow', at: at(1, 9) },
  ]
  return all.filter((each) => each.at > now)
}

export type Ends = 'hour' | 'fourHours' | 'evening' | 'day'

/** Ends an announcement is often given, counted from its beginning; those before it are left out. */
export function endTimes(from: Date): { name: Ends; at: Date }[] {
  const after = (hours: number): Date => new Date(from.getTime() + hours * 3_600_000)
  const all: { name: Ends; at: Date }[] = [
    { name: 'hour', at: after(1) },
    { name: 'fourHours', at: after(4) },
    { name: 'evening', at: new Date(from.getFullYear(), from.getMonth(), from.getDate(), 18) },
    { name: 'day', at: after(24) },
  ]
  return all.filter((each) => each.at > from)
}

/** Whether the service moved a time that was asked for: there were quiet hours. To the minute, as the page asks. */
export function moved(asked: Date, given: string): boolean {
  return Math.abs(new Date(given).getTime() - asked.getTime()) >= 60_000
}
