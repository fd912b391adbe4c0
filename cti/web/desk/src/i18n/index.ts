// The page's two languages.

import { createI18n } from 'vue-i18n'
import { en } from './en'
import { papersEn, papersZh } from './papers'
import { stepsEn, stepsZh } from './steps'
import { zh } from './zh'

export const LANGUAGES = ['zh', 'en'] as const
export type Language = (typeof LANGUAGES)[number]

export const i18n = createI18n({
  legacy: false,
  locale: 'zh' as Language,
  fallbackLocale: 'zh',
  messages: { zh: { ...zh, step: stepsZh, papers: papersZh }, en: { ...en, step: stepsEn, papers: papersEn } },
})
