// The ring: two soft tones, made here so that nothing has to be loaded.

const PERIOD = 3_000

export class Ring {
  private timer: ReturnType<typeof setInterval> | undefined

  constructor(private readonly audio: AudioContext) {}

  start(): void {
    if (this.timer) return
    void this.audio.resume()
    this.chime()
    this.timer = setInterval(() => this.chime(), PERIOD)
  }

  stop(): void {
    clearInterval(this.timer)
    this.timer = undefined
  }

  private chime(): void {
    const begin = this.audio.currentTime
    for (const [after, pitch] of [
      [0, 660],
      [0.22, 880],
      [0.6, 660],
      [0.82, 880],
    ] as const) {
      this.tone(begin + after, pitch)
    }
  }

  private tone(at: number, pitch: number): void {
    const oscillator = this.audio.createOscillator()
    const gain = this.audio.createGain()
    oscillator.type = 'sine'
    oscillator.frequency.value = pitch
    gain.gain.setValueAtTime(0, at)
    gain.gain.linearRampToValueAtTime(0.18, at + 0.02)
    gain.gain.exponentialRampToValueAtTime(0.001, at + 0.34)
    oscillator.connect(gain).connect(this.audio.destination)
    oscillator.start(at)
    oscillator.stop(at + 0.36)
  }
}
