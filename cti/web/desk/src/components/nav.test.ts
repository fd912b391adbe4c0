import { describe, expect, it } from 'vitest'
import { figure, places } from './nav'

const pages = (...names: string[]): { name: string }[] => names.map((name) => ({ name }))
const all = pages('desk', 'orders', 'points', 'items', 'papers', 'callbacks', 'surveys', 'queues', 'floor', 'board', 'audit', 'staff', 'rules')
const names = (narrow: boolean, of = all): [string | null, string[]][] => places(of, narrow).map((place) => [place.group, place.pages.map((page) => page.name)])

describe('the navigation', () => {
  it('stands side by side where there is room, or where there are few', () => {
    expect(names(false)).toEqual([[null, all.map((page) => page.name)]])
    const few = pages('desk', 'orders', 'items', 'papers', 'queues')
    expect(names(true, few)).toEqual([[null, few.map((page) => page.name)]])
  })

  it('is put under headings on a small screen, every page once and in its order', () => {
    expect(names(true)).toEqual([
      [null, ['desk', 'orders', 'points']],
      ['intake', ['items', 'papers', 'callbacks', 'surveys']],
      ['watch', ['queues', 'floor', 'board', 'audit']],
      ['manage', ['staff', 'rules']],
    ])
  })

  it('has no heading over a page that is alone', () => {
    expect(names(true, all.filter((page) => page.name !== 'rules')).at(-1)).toEqual([null, ['staff']])
  })

  it('counts what waits, the late ones before all', () => {
    const say = (key: string, named: object): string => `${key} ${JSON.stringify(named)}`
    expect(figure({ count: 0 }, say)).toBeNull()
    expect(figure({ count: 3, late: 0 }, say)).toMatchObject({ text: '3', tone: '' })
    expect(figure({ count: 0, late: 2 }, say)).toMatchObject({ text: '2', tone: 'late' })
  })
})
