import { afterEach, describe, expect, it, vi } from 'vitest'

/** A stream that the test speaks through. */
class Stream {
  static last: Stream
  private readonly ears: Record<string, (event: { data: string }) => void> = {}
  constructor() {
    Stream.last = this
  }
  addEventListener(kind: string, ear: (event: { data: string }) => void): void {
    this.ears[kind] = ear
  }
  closed = false
  close(): void {
    this.closed = true
  }
  say(kind: string, data: unknown): void {
    this.ears[kind]?.({ data: JSON.stringify({ data }) })
  }
}

afterEach(() => vi.unstubAllGlobals())

describe('a phone that loads while something comes', () => {
  it('keeps what the stream brought while an older answer was under way', async () => {
    const asked: ((items: unknown[]) => void)[] = []
    vi.stubGlobal('EventSource', Stream)
    vi.stubGlobal('fetch', async (url: string) => {
      const answer = (body: unknown): Response => new Response(JSON.stringify(body), { status: 200 })
      if (url.includes('/chat'))
        return new Promise<Response>((done) => asked.push((items) => done(answer({ items }))))
      if (url.includes('/state'))
        return answer({
          now_ms: Date.now(),
          phones: [{ id: 'p1', lang: 'en' }],
          accounts: [{ appid: 'wx1' }],
        })
      return answer({ items: [] })
    })
    const { start, usePhone } = await import('./phone')
    const started = start('p1')
    await vi.waitFor(() => expect(asked).toHaveLength(1))
    Stream.last.say('chat', {
      account: 'wx1',
      item: { id: 7, from: 'account', kind: 'text', text: 'Welcome' },
    })
    Stream.last.say('sms', { biz_id: 'b1', at_ms: 1, sign: 'X', text: 'Code 123456' })
    asked[0]?.([])
    await started
    const { chats, messages, unread } = usePhone()
    await vi.waitFor(() => expect(chats.wx1?.map((one) => one.id)).toEqual([7]))
    expect(messages.value.map((one) => one.biz_id)).toEqual(['b1'])
    expect(unread.wx1).toBe(1)

    // Two loads at once: they go one after the other, so that the older answer is never the last word.
    Stream.last.say('follow', {})
    Stream.last.say('follow', {})
    await vi.waitFor(() => expect(asked).toHaveLength(2))
    await new Promise((resolve) => setTimeout(resolve))
    expect(asked).toHaveLength(2)
    asked[1]?.([{ id: 7 }])
    await vi.waitFor(() => expect(asked).toHaveLength(3))
    asked[2]?.([{ id: 7 }, { id: 8 }])
    await vi.waitFor(() => expect(chats.wx1?.map((one) => one.id)).toEqual([7, 8]))
  })
})
