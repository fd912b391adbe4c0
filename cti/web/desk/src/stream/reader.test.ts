import { describe, expect, it } from 'vitest'
import { delay, StreamReader, type Connection } from './reader'
import type { StreamEvent } from './sse'

const stream = (text: string): Response => new Response(new TextEncoder().encode(text), { status: 200 })

/** Runs a reader over the given answers until they are used up. */
async function run(answers: (() => Response)[], last = '') {
  const asked: string[] = []
  const events: StreamEvent[] = []
  const states: Connection[] = []
  const waits: number[] = []
  const reader: StreamReader = new StreamReader(
    {
      fetch: async (url) => {
        asked.push(url)
        const answer = answers.shift()
        if (!answers.length) reader.stop()
        if (!answer) throw new TypeError('gone')
        return answer()
      },
      wait: async (ms) => void waits.push(ms),
      random: () => 1,
      onEvent: (event) => events.push(event),
      onState: (state) => states.push(state),
    },
    last,
  )
  await reader.run()
  return { asked, events, states, waits }
}

const EVENT = 'id: e-1\nevent: agent\ndata: {}\n\n'
const down = (): Response => new Response('', { status: 503 })

describe('StreamReader', () => {
  it('asks for what follows the last event it saw', async () => {
    const { asked, events } = await run([() => stream(EVENT), () => stream('')])
    expect(asked).toEqual(['/api/events', '/api/events?last=e-1'])
    expect(events).toHaveLength(1)
  })

  it('goes on after the id the page kept over its reload', async () => {
    expect((await run([() => stream('')], '5f-42')).asked).toEqual(['/api/events?last=5f-42'])
  })

  it('tries again after refusals, longer each time, and starts anew after a stream that worked', async () => {
    const { waits } = await run([down, down, down, () => stream(EVENT), down, () => stream('')])
    expect(waits).toEqual([600, 1200, 2400, 300, 600])
  })

  it('ends when the sign-in is over', async () => {
    const { states } = await run([() => new Response('', { status: 401 }), down])
    expect(states.at(-1)).toBe('signed_out')
  })
})

describe('delay', () => {
  it('is bounded and spread', () => {
    expect(delay(30, 1)).toBe(10_000)
    expect(delay(30, 0)).toBe(5_000)
    expect(delay(1, 0)).toBe(300)
  })
})
