// The browser phone: one registration and one call, by JsSIP through our own origin.

import { UA, WebSocketInterface } from 'jssip'
import type { RTCSession } from 'jssip/lib/RTCSession'
import type { PhoneCredentials } from '@/api/types'

/** `elsewhere`: another browser took this phone over; it is not fought for. */
export type Registration = 'off' | 'connecting' | 'registered' | 'failed' | 'elsewhere'
export type CallPhase = 'none' | 'ringing' | 'answering' | 'talking' | 'ending'

/** What of JsSIP's UA the phone uses. */
export type SipAgent = Pick<UA, 'on' | 'start' | 'stop' | 'register' | 'isConnected' | 'set'> & {
  /** Takes the registration for lost, without telling the exchange. */
  lapse: () => void
}

export interface PhoneParts {
  credentials: () => Promise<PhoneCredentials>
  onRegistration: (registration: Registration) => void
  onCall: (phase: CallPhase) => void
  onRemote: (stream: MediaStream | null) => void
  /** The socket broke or could not be opened: is the sign-in over? Then the phone is stopped from outside. */
  onBroken: () => void
}

const RETRY = [500, 1_000, 2_000, 4_000, 8_000]
/** The service closes a phone's socket with this code when the same agent opened newer ones. */
const REPLACED = 4001

export class Softphone {
  private agent: SipAgent | null = null
  private session: RTCSession | null = null
  private stopped = false
  private failures = 0
  /** The socket broke since the last registration: a refused one then means a new secret is due, not a rival. */
  private broken = true
  /** A hang-up that waits for the socket. */
  private hangsUp = false
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly parts: PhoneParts,
    private readonly make: (credentials: PhoneCredentials) => SipAgent = throughOurOrigin,
  ) {}

  async start(): Promise<void> {
    this.stopped = false
    this.parts.onRegistration('connecting')
    try {
      const credentials = await this.parts.credentials()
      if (!this.stopped) this.build(credentials)
    } catch (error) {
      this.parts.onRegistration('failed')
      this.again(() => void this.start().catch(() => {}))
      throw error
    }
  }

  /** Ends the call if there is one, takes the registration back and closes the socket. */
  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
    this.hangUp()
    this.agent?.stop()
    this.agent = null
    this.parts.onRegistration('off')
  }

  /** The exchange may have forgotten this phone (its clock was set, the page slept): it is registered again at once. */
  refresh(): void {
    if (this.stopped || this.agent?.isConnected() !== true) return
    // A refusal then means a new secret is due, not a rival.
    this.broken = true
    this.agent.lapse()
    this.agent.register()
  }

  answer(stream: MediaStream): void {
    if (this.session?.isInProgress() !== true) return
    this.parts.onCall('answering')
    this.session.answer({ mediaStream: stream, pcConfig: { iceServers: [] } })
  }

  /** Without a socket the exchange would never hear of it: then both are muted and it is told once it can be. */
  hangUp(): void {
    const session = this.session
    if (!session || session.isEnded()) return
    if (this.agent?.isConnected() !== true && !this.stopped) {
      this.hangsUp = true
      this.mute(true)
      this.parts.onRemote(null)
      return this.parts.onCall('ending')
    }
    this.hangsUp = false
    session.terminate(session.isEstablished() ? {} : { status_code: 486 })
  }

  mute(on: boolean): void {
    if (on) this.session?.mute({ audio: true })
    else this.session?.unmute({ audio: true })
  }

  private build(credentials: PhoneCredentials): void {
    const agent = this.make(credentials)
    agent.on('connected', () => {
      if (this.hangsUp) this.hangUp()
    })
    agent.on('registered', () => {
      this.failures = 0
      this.broken = false
      this.parts.onRegistration('registered')
    })
    agent.on('registrationFailed', () => this.refused())
    agent.on('unregistered', () => {
      if (!this.stopped) this.parts.onRegistration('connecting')
    })
    agent.on('disconnected', (event) => {
      this.broken = true
      if (event.code === REPLACED) return this.yieldPhone()
      if (this.stopped) return
      this.parts.onRegistration('connecting')
      this.parts.onBroken()
    })
    agent.on('newRTCSession', (event: { originator: string; session: RTCSession }) => this.incoming(event))
    this.agent = agent
    agent.start()
  }

  /** After a restart of the service the secret is a new one; without a broken socket somebody else has it. */
  private refused(): void {
    if (this.stopped) return
    if (!this.broken) return this.yieldPhone()
    this.parts.onRegistration(this.failures > 2 ? 'failed' : 'connecting')
    this.again(() => void this.renew())
  }

  private async renew(): Promise<void> {
    try {
      const credentials = await this.parts.credentials()
      if (this.stopped || !this.agent) return
      this.agent.set('password', credentials.password)
      if (this.agent.isConnected()) this.agent.register()
    } catch {
      this.refused()
    }
  }

  private again(act: () => void): void {
    const wait = RETRY[Math.min(this.failures, RETRY.length - 1)] ?? 8_000
    this.failures += 1
    clearTimeout(this.timer)
    this.timer = setTimeout(act, wait + Math.random() * 300)
  }

  private yieldPhone(): void {
    this.stopped = true
    clearTimeout(this.timer)
    // Not while talking: the sound goes straight to the exchange and needs no registration.
    if (!this.session) {
      this.agent?.stop()
      this.agent = null
    }
    this.parts.onRegistration('elsewhere')
  }

  private incoming(event: { originator: string; session: RTCSession }): void {
    if (event.originator !== 'remote') return
    if (this.session) return event.session.terminate({ status_code: 486 })
    const session = event.session
    this.session = session
    session.on('peerconnection', ({ peerconnection }) => {
      peerconnection.addEventListener('track', (track) => {
        this.parts.onRemote(track.streams[0] ?? new MediaStream([track.track]))
      })
    })
    session.on('confirmed', () => this.parts.onCall('talking'))
    session.on('ended', () => this.over(session))
    session.on('failed', () => this.over(session))
    this.parts.onCall('ringing')
  }

  private over(session: RTCSession): void {
    if (this.session !== session) return
    this.session = null
    this.hangsUp = false
    if (this.stopped) this.agent?.stop()
    this.parts.onRemote(null)
    this.parts.onCall('none')
  }
}

/** JsSIP's own path for a registration that a broken socket took with it. */
interface Registrator {
  onTransportClosed: () => void
}

/** A UA that can take its registration for lost. */
export function lapsing(agent: UA): UA & SipAgent {
  return Object.assign(agent, { lapse: () => (agent.registrator() as unknown as Registrator).onTransportClosed() })
}

function throughOurOrigin(credentials: PhoneCredentials): SipAgent {
  const secure = location.protocol === 'https:'
  const socket = new WebSocketInterface(`${secure ? 'wss' : 'ws'}://${location.host}${credentials.ws_path}`)
  const agent = new UA({
    sockets: [socket],
    uri: credentials.uri,
    authorization_user: credentials.username,
    password: credentials.password,
    realm: credentials.realm,
    register: true,
    register_expires: 120,
    session_timers: false,
    connection_recovery_min_interval: 1,
    connection_recovery_max_interval: 3,
  })
  return lapsing(agent)
}
