import { describe, expect, it } from 'vitest'
import { SseParser } from './sse'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('SseParser', () => {
  it('gives an event with its id and name', () => {
    expect(new SseParser().push(bytes('id: e-1\nevent: pop\ndata: {"a":1}\n\n'))).toEqual([{ id: 'e-1', name: 'pop', data: '{"a":1}' }])
  })

  it('puts together what arrives byte by byte, also inside a Chinese character', () => {
    const parser = new SseParser()
    const events = [...bytes('id: e-2\r\nevent: call\r\ndata: 投诉\r\n\r\n')].flatMap((byte) => parser.push(new Uint8Array([byte])))
    expect(events).toEqual([{ id: 'e-2', name: 'call', data: '投诉' }])
  })

  it('skips comments and events without data, and keeps the last id', () => {
    const parser = new SseParser()
    expect(parser.push(bytes(': resumed\n\nid: e-3\n\nevent: x\n\ndata: 1\n\n'))).toEqual([{ id: 'e-3', name: 'message', data: '1' }])
  })

  it('joins lines of data and gives several events of one chunk', () => {
    const events = new SseParser().push(bytes('data: 1\ndata:2\n\nid: b\ndata: 3\n\nid: c\ndata: unfinished'))
    expect(events.map((event) => event.data)).toEqual(['1\n2', '3'])
  })
})
