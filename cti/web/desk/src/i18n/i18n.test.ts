import { describe, expect, it } from 'vitest'
import { en as englishPage } from './en'
import { controlEn, controlZh } from './control'
import { rulesEn, rulesZh } from './rules'
import { queryEn, queryZh } from './query'
import { stepsEn, stepsZh } from './steps'
import { zh as mandarinPage } from './zh'

const [zh, en] = [{ ...mandarinPage, ...controlZh, step: stepsZh, query: queryZh, rules: rulesZh }, { ...englishPage, ...controlEn, step: stepsEn, query: queryEn, rules: rulesEn }]

function flat(words: object, before = ''): Record<string, string> {
  return Object.assign(
    {},
    ...Object.entries(words).map(([key, value]) => (typeof value === 'string' ? { [before + key]: value } : flat(value as object, `${before}${key}.`))),
  ) as Record<string, string>
}

const holes = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((hole) => hole[1] ?? '').sort()

describe('words', () => {
  it('are the same in both languages, with the same values put in', () => {
    const [mandarin, english] = [flat(zh), flat(en)]
    expect(Object.keys(english).sort()).toEqual(Object.keys(mandarin).sort())
    for (const [key, text] of Object.entries(mandarin)) expect([key, holes(english[key] ?? '')]).toEqual([key, holes(text)])
  })

  it('have no dot in a key: it would be taken for a path', () => {
    const keys = (words: object): string[] => Object.entries(words).flatMap(([key, value]) => [key, ...(typeof value === 'string' ? [] : keys(value as object))])
    expect(keys(zh).filter((key) => key.includes('.'))).toEqual([])
  })

  it('have no empty entry', () => {
    expect(Object.values({ ...flat(zh), ...flat(en) }).every((text) => text.trim() !== '')).toBe(true)
  })
})
