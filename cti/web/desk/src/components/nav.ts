// The navigation: which pages stand under which heading where there is no room for all of them, and their figures. Pure.

export interface Figures {
  count?: number | null
  late?: number | null
}

export interface Place<P> {
  /** heading; null: the pages stand for themselves */
  group: string | null
  pages: P[]
}

/** More pages than this do not stand side by side on a small screen. */
export const FITTING = 7

const GROUPS: Record<string, readonly string[]> = {
  intake: ['items', 'papers', 'callbacks', 'surveys'],
  watch: ['queues', 'floor', 'board', 'audit'],
  manage: ['staff', 'processes', 'rules', 'announcements', 'nuisance'],
}

/** Pages in their order, those of one heading together where `narrow` and there are too many; one alone needs none. */
export function places<P extends { name: string }>(pages: readonly P[], narrow: boolean): Place<P>[] {
  if (!narrow || pages.length <= FITTING) return [{ group: null, pages: [...pages] }]
  const found: Place<P>[] = []
  for (const page of pages) {
    const group = Object.keys(GROUPS).find((name) => GROUPS[name]?.includes(page.name)) ?? null
    const known = found.find((place) => place.group === group)
    if (known) known.pages.push(page)
    else found.push({ group, pages: [page] })
  }
  return found.map((place) => (place.pages.length === 1 ? { ...place, group: null } : place))
}

/** What waits behind a page, and whether something of it is late. */
export function figure(page: Figures, say: (key: string, named: { count: number; late: number }) => string): { text: string; title: string; tone: string } | null {
  const [count, late] = [page.count ?? 0, page.late ?? 0]
  if (!count && !late) return null
  return { text: String(Math.max(count, late)), title: say('nav.figure', { count, late }), tone: late ? 'late' : '' }
}
