// What stands in the panel of further conditions as the interface takes it: times in UTC, nothing empty. Pure.

export type Conditions = Record<string, string>

/** The parameters of a search; `_time`, `_from` and `_to` become `<time>_from` and `<time>_to`. */
export function parameters(values: Conditions): Record<string, string> {
  const { _time, _from, _to, ...rest } = values
  const made: Record<string, string> = {}
  for (const [name, value] of Object.entries(rest)) if (value.trim()) made[name] = value.trim()
  const which = _time || 'created'
  const [from, to] = [instant(_from), instant(_to)]
  if (from) made[`${which}_from`] = from
  if (to) made[`${which}_to`] = to
  return made
}

/** Local time of a field as an instant; nothing for what is no time. */
function instant(local: string | undefined): string {
  const at = local ? new Date(local) : null
  return at && !Number.isNaN(at.getTime()) ? at.toISOString() : ''
}
