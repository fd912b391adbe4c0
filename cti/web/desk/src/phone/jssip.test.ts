import { UA } from 'jssip'
import { describe, expect, it } from 'vitest'
import type { PhoneCredentials } from '@/api/types'
import { lapsing, Softphone } from './softphone'

/** A socket with an exchange behind it that takes every registration. */
class Wire {
  readonly url = 'wss://exchange.test/sip'
  readonly via_transport = 'WSS'
  readonly sip_uri = 'sip:exchange.test;transport=ws'
  readonly heard: string[] = []
  onconnect = (): void => {}
  ondisconnect = (): void => {}
  ondata = (_: string): void => {}
  connect = (): void => queueMicrotask(() => this.onconnect())
  disconnect = (): void => {}
  isConnected = (): boolean => true
  isConnecting = (): boolean => false
  send = (message: string): boolean => {
    this.heard.push(message)
    const kept = message.split('\r\n').filter((line) => /^(Via|From|Call-ID|CSeq|Contact):/i.test(line))
    const to = message.split('\r\n').find((line) => line.startsWith('To:'))
    const answer = ['SIP/2.0 200 OK', ...kept, `${to};tag=x`, 'Content-Length: 0', '', ''].join('\r\n')
    queueMicrotask(() => this.ondata(answer))
    return true
  }
}

describe('the phone by JsSIP', () => {
  it('registers again at once when asked to, without taking its registration back', async () => {
    const wire = new Wire()
    const told: string[] = []
    let heard = (): void => {}
    const news = (): Promise<void> => new Promise((resolve) => (heard = resolve))
    const parts = {
      credentials: async () => ({}) as PhoneCredentials,
      onRegistration: (state: string): void => {
        told.push(state)
        if (state === 'registered') heard()
      },
      onCall: () => {},
      onRemote: () => {},
      onBroken: () => {},
    }
    const phone = new Softphone(parts, () => lapsing(new UA({ sockets: [wire as never], uri: 'sip:1001@exchange.test', password: 'x', register_expires: 120 })))
    const first = news()
    await phone.start()
    await first
    const second = news()
    phone.refresh()
    expect(told).toEqual(['connecting', 'registered', 'connecting'])
    await second
    const registers = wire.heard.filter((message) => message.startsWith('REGISTER'))
    expect(registers).toHaveLength(2)
    for (const message of registers) expect(message).toContain('Expires: 120')
    expect(told.at(-1)).toBe('registered')
    phone.stop()
  })
})
