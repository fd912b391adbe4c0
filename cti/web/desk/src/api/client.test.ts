import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeService, refusal } from '@/testing/samples'
import { configure, Refusal, request } from './client'

let service: FakeService
beforeEach(() => {
  service = new FakeService()
  vi.stubGlobal('fetch', service.fetch)
  configure({ csrf: 'token', language: 'en', onSignedOut: () => {}, renew: async () => false })
})
afterEach(() => vi.unstubAllGlobals())

describe('request', () => {
  it('carries the token on writes and the language always', async () => {
    service.answer(200, {}).answer(200, {})
    await request('POST', '/api/agent/ready')
    await request('GET', '/api/agent')
    expect(service.asked.map((each) => each.headers['X-CSRF-Token'])).toEqual(['token', undefined])
    expect(service.asked[1]?.headers['Accept-Language']).toBe('en')
  })

  it('leaves empty conditions out of the address', async () => {
    service.answer(200, {})
    await request('GET', '/api/orders', { query: { state: '', kind: undefined, mine: true, number: '+86 138' } })
    expect(service.asked[0]?.path).toBe('/api/orders?mine=true&number=%2B86+138')
  })

  it('tells of the end of the sign-in', async () => {
    let ended = 0
    configure({ onSignedOut: () => void (ended += 1) })
    service.answer(401, refusal('not_signed_in')).answer(401, refusal('wrong_sign_in'))
    await expect(request('GET', '/api/agent')).rejects.toMatchObject({ code: 'not_signed_in' })
    await expect(request('POST', '/api/session', { anonymous: true })).rejects.toMatchObject({ code: 'wrong_sign_in' })
    expect(ended).toBe(1)
  })

  it('asks once more with a fresh token', async () => {
    configure({ renew: async () => (configure({ csrf: 'fresh' }), true) })
    service.answer(403, refusal('bad_csrf')).answer(204, null)
    await request('POST', '/api/agent/ready')
    expect(service.asked.map((each) => each.headers['X-CSRF-Token'])).toEqual(['token', 'fresh'])
  })

  it('makes one kind of error of everything, also of no answer and of no JSON', async () => {
    await expect(request('GET', '/x')).rejects.toMatchObject({ status: 0, code: 'no_connection' })
    service.answer(502, 'bad gateway')
    const error = await request('GET', '/x').catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(Refusal)
    expect((error as Refusal).code).toBe('unavailable')
  })
})
