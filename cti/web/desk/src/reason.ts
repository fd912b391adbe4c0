// Why something was refused, in the reader's language: our own sentence for a code, else the service's.

import { Refusal } from '@/api/client'
import { i18n } from '@/i18n'

export function reason(error: unknown): string {
  const { t, te } = i18n.global
  if (!(error instanceof Refusal)) return t('error.unknown')
  const key = `error.${error.code}`
  const known = te(key) ? t(key, plain(error.body.details)) : error.body.message
  const text = known || t('error.unknown')
  return error.status >= 500 && error.body.request_id ? `${text} (${error.body.request_id})` : text
}

function plain(details: Record<string, unknown>): Record<string, string | number> {
  const kept = Object.entries(details).filter(([, value]) => typeof value === 'string' || typeof value === 'number')
  return Object.fromEntries(kept) as Record<string, string | number>
}
