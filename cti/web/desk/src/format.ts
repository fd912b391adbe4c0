// Times, durations and numbers as people read them. Pure.

const two = (value: number): string => String(value).padStart(2, '0')

/** m:ss, or h:mm:ss from an hour on; never negative. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–'
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}

export function clock(at: Date): string {
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

export function hourMinute(at: string): string {
  const date = new Date(at)
  return `${two(date.getHours())}:${two(date.getMinutes())}`
}

/** 11-23 10:13 of this year, 2025-11-23 10:13 of another. */
export function moment(at: string | null | undefined, now: Date): string {
  if (!at) return '–'
  const date = new Date(at)
  const day = `${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const year = date.getFullYear() === now.getFullYear() ? '' : `${date.getFullYear()}-`
  return `${year}${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

/** Only the time when it is today. */
export function shortMoment(at: string, now: Date): string {
  const date = new Date(at)
  return date.toDateString() === now.toDateString() ? hourMinute(at) : moment(at, now)
}

/** A telephone number in groups; numbers of other forms stay as they are. */
export function phone(number: string | null | undefined): string {
  if (!number) return ''
  const mobile = /^(?:\+86)?(1\d{2})(\d{4})(\d{4})$/.exec(number)
  if (mobile) return `${mobile[1]} ${mobile[2]} ${mobile[3]}`
  const short = /^(?:\+86)(10|2\d)(\d{4})(\d{4})$/.exec(number)
  if (short) return `0${short[1]} ${short[2]} ${short[3]}`
  const long = /^(?:\+86)([3-9]\d{2})(\d{3,4})(\d{4})$/.exec(number)
  return long ? `0${long[1]} ${long[2]} ${long[3]}` : number
}

/** The number with its middle hidden: enough to know it again, not enough to call it. */
export function masked(number: string | null | undefined): string {
  const parts = phone(number).split(' ')
  if (parts.length === 3) return `${parts[0]} **** ${parts[2]}`
  const digits = parts.join('')
  return digits.length > 5 ? `${digits.slice(0, 3)}${'*'.repeat(digits.length - 5)}${digits.slice(-2)}` : digits
}

/** 102 938 475: easier to read out. */
export function serial(digits: string): string {
  return /^\d{9}$/.test(digits) ? digits.replace(/(\d{3})(?=\d)/g, '$1 ') : digits
}

export interface Span {
  unit: 'minute' | 'hour' | 'day'
  count: number
}

/** How far away a moment is, in the largest unit that fits, rounded down. */
export function span(ms: number): Span {
  const minutes = Math.floor(Math.abs(ms) / 60_000)
  if (minutes < 60) return { unit: 'minute', count: minutes }
  return minutes < 48 * 60
    ? { unit: 'hour', count: Math.floor(minutes / 60) }
    : { unit: 'day', count: Math.floor(minutes / 1440) }
}
