import { beforeEach, describe, expect, it } from 'vitest'
import { pop } from '@/testing/samples'
import { forget, recall, remember } from './connect'
import { EMPTY } from './floor'

const floor = { ...EMPTY, last: 'e-7', pop: pop(), popEvent: 'e-7' }
beforeEach(() => sessionStorage.clear())

describe('what a tab keeps over its reload', () => {
  it('is the picture with the last id', () => {
    remember('1001', floor)
    expect(recall('1001')).toEqual(floor)
  })

  it('is never another person’s', () => {
    remember('1001', floor)
    expect(recall('2001')).toBeNull()
  })

  it('is gone after signing out, and broken storage is nothing', () => {
    remember('1001', floor)
    forget()
    expect(recall('1001')).toBeNull()
    sessionStorage.setItem('hotline.stream', '{broken')
    expect(recall('1001')).toBeNull()
  })

  it('is nothing before the first event', () => {
    remember('1001', EMPTY)
    expect(recall('1001')).toBeNull()
  })
})
