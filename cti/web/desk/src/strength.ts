// How hard a password is to guess: a hint while it is typed; the service decides. Pure.

export type Strength = 'empty' | 'short' | 'weak' | 'fair' | 'good' | 'strong'

const SHORTEST = 8
const GUESSES = /^(pass|qwer|admin|1234|abcd|asdf|hotline|asterisk|letmein|woaini|1qaz)/i

export function strength(password: string, number: string, name: string): Strength {
  if (!password) return 'empty'
  const text = password.normalize('NFKC')
  if (text.length < SHORTEST) return 'short'
  const folded = text.toLowerCase()
  if (new Set(folded).size < 4 || folded.trim() === number + number || folded === name.toLowerCase()) return 'weak'
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z\d]/].filter((kind) => kind.test(text)).length
  const points = text.length + 2 * kinds - (GUESSES.test(text) ? 6 : 0)
  if (points < 11) return 'weak'
  if (points < 15) return 'fair'
  return points < 20 ? 'good' : 'strong'
}

/** Filled parts of a four-part meter. */
export const METER: Record<Strength, number> = { empty: 0, short: 1, weak: 1, fair: 2, good: 3, strong: 4 }
