// The stream of one signed-in person with the floor it draws: what a shared worker runs for all tabs, or a page alone.

import type { StreamEvent } from './sse'
import { EMPTY, take, type Floor } from './floor'
import { pause, StreamReader, type Connection } from './reader'

export type Told =
  | { type: 'state'; connection: Connection }
  /** The picture as it is now: what a page draws first, and after a snapshot. */
  | { type: 'floor'; floor: Floor }
  | { type: 'event'; event: StreamEvent; floor: Floor }

export class Source {
  floor: Floor
  connection: Connection = 'connecting'
  private readonly reader: StreamReader

  constructor(
    readonly staff: string,
    seed: Floor | null,
    private readonly tell: (told: Told) => void,
    fetcher: typeof fetch = (input, init) => fetch(input, init),
  ) {
    this.floor = seed ?? EMPTY
    const parts = {
      fetch: (url: string, init: RequestInit) => fetcher(url, init),
      wait: pause,
      random: Math.random,
      onEvent: (event: StreamEvent) => this.onEvent(event),
      onState: (connection: Connection) => {
        this.connection = connection
        this.tell({ type: 'state', connection })
      },
    }
    this.reader = new StreamReader(parts, this.floor.last)
  }

  start(): void {
    void this.reader.run()
  }

  stop(): void {
    this.reader.stop()
  }

  private onEvent(event: StreamEvent): void {
    this.floor = take(this.floor, event)
    this.tell({ type: 'event', event, floor: this.floor })
  }
}
