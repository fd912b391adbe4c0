import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { PhoneCredentials } from '@/api/types'
import { Softphone, type SipAgent } from './softphone'

type Heard = (event?: unknown) => void

class FakeEmitter {
  private readonly heard = new Map<string, Heard[]>()
  on(name: string, act: Heard): this {
    this.heard.set(name, [...(this.heard.get(name) ?? []), act])
    return this
  }
  emit(name: string, event?: unknown): void {
    this.heard.get(name)?.forEach((act) => act(event))
  }
}

class FakeAgent extends FakeEmitter {
  connected = true
  readonly did: string[] = []
  start = (): void => void this.did.push('start')
  stop = (): void => void this.did.push('stop')
  register = (): void => void this.did.push('register')
  lapse = (): void => (this.did.push('lapse'), this.emit('unregistered'))
  isConnected = (): boolean => this.connected
  set = (name: string, value: unknown): boolean => (this.did.push(`${name}=${String(value)}`), true)
}

class FakeCall extends FakeEmitter {
  established = false
  ended = false
  readonly did: string[] = []
  isInProgress = (): boolean => !this.established && !this.ended
  isEstablished = (): boolean => this.established
  isEnded = (): boolean => this.ended
  answer = (): void => void this.did.push('answer')
  mute = (): void => void this.did.push('mute')
  unmute = (): void => void this.did.push('unmute')
  terminate = (how: { status_code?: number } = {}): void => {
    this.did.push(`terminate ${how.status_code ?? ''}`.trim())
    this.ended = true
    this.emit('ended')
  }
}

let agent: FakeAgent
let told: string[]
let secrets: number
let asked: number
let phone: Softphone
beforeEach(async () => {
  vi.useFakeTimers()
  told = []
  secrets = asked = 0
  agent = new FakeAgent()
  const parts = {
    credentials: async () => ({ password: `secret-${++secrets}` }) as PhoneCredentials,
    onRegistration: (state: string) => void told.push(state),
    onCall: (phase: string) => void told.push(phase),
    onRemote: () => {},
    onBroken: () => void (asked += 1),
  }
  phone = new Softphone(parts, () => agent as unknown as SipAgent)
  await phone.start()
  agent.emit('registered')
  told = []
})
afterEach(() => vi.useRealTimers())

function ring(): FakeCall {
  const call = new FakeCall()
  agent.emit('newRTCSession', { originator: 'remote', session: call })
  return call
}
function talk(): FakeCall {
  const call = ring()
  phone.answer({} as MediaStream)
  call.established = true
  call.emit('confirmed')
  return call
}

describe('Softphone', () => {
  it('rings, is answered, talks and ends', () => {
    const call = talk()
    phone.hangUp()
    expect(call.did).toEqual(['answer', 'terminate'])
    expect(told).toEqual(['ringing', 'answering', 'talking', 'none'])
  })

  it('rejects as busy, and a second call too', () => {
    const first = ring()
    const second = ring()
    phone.hangUp()
    expect([first.did, second.did]).toEqual([['terminate 486'], ['terminate 486']])
    expect(told).toEqual(['ringing', 'none'])
  })

  it('keeps the talk while the socket is broken, and hangs up once it is back', () => {
    const call = talk()
    agent.connected = false
    agent.emit('disconnected', {})
    phone.hangUp()
    expect(call.did).toEqual(['answer', 'mute'])
    agent.connected = true
    agent.emit('connected')
    expect(call.did.at(-1)).toBe('terminate')
    expect(told).toEqual(['ringing', 'answering', 'talking', 'connecting', 'ending', 'none'])
  })

  it('fetches a new secret when it is refused after a broken socket: the service was restarted', async () => {
    agent.emit('disconnected', {})
    agent.emit('registrationFailed')
    await vi.advanceTimersByTimeAsync(2_000)
    expect(agent.did.slice(-2)).toEqual(['password=secret-2', 'register'])
  })

  it('does not fight for the phone when another browser has it', async () => {
    agent.emit('registrationFailed')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(told).toEqual(['elsewhere'])
    expect(secrets).toBe(1)
    expect(agent.did.at(-1)).toBe('stop')
  })

  it('says that it is not registered and registers again at once when the exchange may have forgotten it', async () => {
    phone.refresh()
    expect([told, agent.did.slice(-2)]).toEqual([['connecting'], ['lapse', 'register']])
    agent.emit('registrationFailed')
    await vi.advanceTimersByTimeAsync(2_000)
    expect(agent.did.slice(-2)).toEqual(['password=secret-2', 'register'])
    agent.emit('registered')
    expect(told.at(-1)).toBe('registered')
  })

  it('registers by itself once the socket is back, and never when it is stopped', () => {
    agent.connected = false
    phone.refresh()
    agent.connected = true
    phone.stop()
    phone.refresh()
    expect(agent.did).toEqual(['start', 'stop'])
  })

  it('has it looked up whether the sign-in is over whenever the socket breaks or does not open', () => {
    agent.emit('disconnected', { error: true })
    agent.emit('disconnected', { error: true })
    expect(asked).toBe(2)
    phone.stop()
    agent.emit('disconnected', {})
    expect(asked).toBe(2)
  })

  it('lets a talk end before it gives the phone up', () => {
    const call = talk()
    agent.emit('disconnected', { code: 4001 })
    expect(call.ended).toBe(false)
    expect(told.at(-1)).toBe('elsewhere')
    call.terminate()
    expect(agent.did.at(-1)).toBe('stop')
  })

  it('says nothing more once it is stopped', async () => {
    phone.stop()
    agent.emit('disconnected', {})
    agent.emit('registrationFailed')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(told).toEqual(['off'])
  })
})
