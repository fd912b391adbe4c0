// Seconds as people set them: a number and a unit. Pure.

export type Unit = 'second' | 'minute' | 'hour' | 'day'
export const UNITS: Record<Unit, number> = { second: 1, minute: 60, hour: 3600, day: 86_400 }

export interface Amount {
  count: number
  unit: Unit
}

/** In the largest unit in which it is a whole number; two days and less are told in hours. */
export function amount(seconds: number): Amount {
  const fits = (Object.keys(UNITS) as Unit[]).filter((unit) => seconds % UNITS[unit] === 0 && (unit !== 'day' || seconds > 2 * UNITS.day))
  const unit = seconds === 0 ? 'minute' : (fits.at(-1) ?? 'second')
  return { count: seconds / UNITS[unit], unit }
}

export const seconds = (given: Amount): number => Math.round(given.count * UNITS[given.unit])
