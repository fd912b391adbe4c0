// The page's two languages.

import { createI18n } from 'vue-i18n'
import { en } from './en'
import { boardEn, boardZh } from './board'
import { controlEn, controlZh } from './control'
import { nuisanceEn, nuisanceZh } from './nuisance'
import { papersEn, papersZh } from './papers'
import { clocksEn, clocksZh } from './clocks'
import { processesEn, processesZh } from './processes'
import { formsEn, formsZh } from './forms'
import { rulesEn, rulesZh } from './rules'
import { queryEn, queryZh } from './query'
import { stepsEn, stepsZh } from './steps'
import { zh } from './zh'

export const LANGUAGES = ['zh', 'en'] as const
export type Language = (typeof LANGUAGES)[number]

export const i18n = createI18n({
  legacy: false,
  locale: 'zh' as Language,
  fallbackLocale: 'zh',
  messages: {
    zh: { ...zh, ...controlZh, board: boardZh, step: stepsZh, clocks: clocksZh, nuisance: nuisanceZh, papers: papersZh, query: queryZh, rules: rulesZh, process: processesZh, forms: formsZh },
    en: { ...en, ...controlEn, board: boardEn, step: stepsEn, clocks: clocksEn, nuisance: nuisanceEn, papers: papersEn, query: queryEn, rules: rulesEn, process: processesEn, forms: formsEn },
  },
})
