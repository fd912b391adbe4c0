// Server-sent events from a byte stream, by the standard's rules. Pure.

export interface StreamEvent {
  id: string
  name: string
  data: string
}

export class SseParser {
  private rest = ''
  private id = ''
  private name = ''
  private data: string[] = []
  private readonly decoder = new TextDecoder()

  /** Events that these bytes complete. */
  push(bytes: Uint8Array): StreamEvent[] {
    this.rest += this.decoder.decode(bytes, { stream: true })
    const events: StreamEvent[] = []
    for (;;) {
      const found = /\r\n|\n|\r(?=.|\n)/s.exec(this.rest)
      if (!found) return events
      const line = this.rest.slice(0, found.index)
      this.rest = this.rest.slice(found.index + found[0].length)
      const event = this.line(line)
      if (event) events.push(event)
    }
  }

  private line(line: string): StreamEvent | null {
    if (line === '') return this.dispatch()
    if (line.startsWith(':')) return null
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'id' && !value.includes('\0')) this.id = value
    else if (field === 'event') this.name = value
    else if (field === 'data') this.data.push(value)
    return null
  }

  private dispatch(): StreamEvent | null {
    const event = this.data.length ? { id: this.id, name: this.name || 'message', data: this.data.join('\n') } : null
    this.name = ''
    this.data = []
    return event
  }
}
