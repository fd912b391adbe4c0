// One tab holds the phone (F17): a web lock with the agent's name. Another may take it over.

export interface SeatParts {
  /** This tab has the phone now; what it returns is called when it is taken away. */
  onTaken: () => void
  onLost: () => void
  onWaiting: () => void
}

export class Seat {
  private release: (() => void) | null = null
  private asking = new AbortController()

  constructor(
    private readonly number: string,
    private readonly parts: SeatParts,
    private readonly locks: LockManager | undefined = navigator.locks,
  ) {}

  /** Takes the seat when it is free; until then says so and waits. */
  async take(): Promise<void> {
    if (!this.locks) return this.parts.onTaken()
    const free = await this.locks.query().then((state) => !state.held?.some((lock) => lock.name === this.name))
    if (!free) this.parts.onWaiting()
    this.ask({ signal: this.asking.signal })
  }

  /** Takes it from the tab that has it. */
  steal(): void {
    this.asking.abort()
    this.asking = new AbortController()
    this.ask({ steal: true })
  }

  leave(): void {
    this.asking.abort()
    this.asking = new AbortController()
    this.release?.()
    this.release = null
  }

  private get name(): string {
    return `hotline-phone-${this.number}`
  }

  private ask(options: LockOptions): void {
    let granted = false
    const held = (): Promise<void> => {
      granted = true
      const gone = new Promise<void>((resolve) => (this.release = resolve))
      this.parts.onTaken()
      return gone
    }
    // A stolen lock rejects the promise of whoever held it; an aborted wait rejects too.
    this.locks?.request(this.name, options, held).catch(() => {
      if (!granted) return
      this.release = null
      this.parts.onLost()
    })
  }
}
