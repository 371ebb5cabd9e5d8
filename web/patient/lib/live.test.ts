import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp, defineComponent, h, ref, type Ref } from 'vue'
import { POLL_MS, useLive } from './live'

class FakeSource extends EventTarget {
  static readonly CLOSED = 2
  static all: FakeSource[] = []
  readyState = 1
  onopen: (() => void) | null = null
  onerror: (() => void) | null = null
  constructor(readonly url: string) {
    super()
    FakeSource.all.push(this)
  }
  close(): void {
    this.readyState = FakeSource.CLOSED
  }
  tell(topic: string, revision: number, data: unknown): void {
    this.dispatchEvent(new MessageEvent('snapshot', { data: JSON.stringify({ topic, revision, data }) }))
  }
}

function follow(
  topic: Ref<string | undefined>,
  take: (data: unknown) => void,
  refetch: () => void,
): () => void {
  const app = createApp(
    defineComponent({
      setup() {
        useLive(() => topic.value, take, refetch)
        return () => h('div')
      },
    }),
  )
  app.mount(document.createElement('div'))
  return () => app.unmount()
}

beforeEach(() => {
  vi.useFakeTimers()
  FakeSource.all = []
  vi.stubGlobal('EventSource', FakeSource)
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the live stream', () => {
  it('carries all topics of the page in one connection, and closes with the last', async () => {
    const first = follow(ref('doctor:1'), vi.fn(), vi.fn())
    const second = follow(ref('appointment:2'), vi.fn(), vi.fn())
    await vi.advanceTimersByTimeAsync(1)
    const source = FakeSource.all.at(-1)
    expect(FakeSource.all).toHaveLength(1)
    expect(source?.url).toContain('topic=appointment%3A2&topic=doctor%3A1')
    first()
    second()
    await vi.advanceTimersByTimeAsync(1)
    expect(FakeSource.all.filter((one) => one.readyState !== FakeSource.CLOSED)).toHaveLength(0)
  })

  it('hands snapshots to their topic and leaves out overtaken ones', async () => {
    const take = vi.fn()
    const stop = follow(ref('doctor:1'), take, vi.fn())
    await vi.advanceTimersByTimeAsync(1)
    const source = FakeSource.all.at(-1)
    source?.tell('doctor:1', 5, 'five')
    source?.tell('doctor:1', 4, 'four')
    source?.tell('doctor:9', 6, 'other')
    source?.dispatchEvent(new MessageEvent('snapshot', { data: 'no json' }))
    expect(take.mock.calls).toEqual([['five']])
    stop()
    await vi.advanceTimersByTimeAsync(1)
  })

  it('believes a line that was taken up again, which counts from the beginning', async () => {
    const take = vi.fn()
    const stop = follow(ref('doctor:1'), take, vi.fn())
    await vi.advanceTimersByTimeAsync(1)
    const source = FakeSource.all.at(-1)
    source?.tell('doctor:1', 7, 'before')
    source?.onerror?.()
    source?.onopen?.()
    source?.tell('doctor:1', 1, 'after')
    expect(take.mock.calls).toEqual([['before'], ['after']])
    stop()
    await vi.advanceTimersByTimeAsync(1)
  })

  it('asks again within seconds after it was refused, as while the server starts', async () => {
    const stop = follow(ref('doctor:1'), vi.fn(), vi.fn())
    await vi.advanceTimersByTimeAsync(1)
    const source = FakeSource.all.at(-1)
    if (source) source.readyState = FakeSource.CLOSED
    source?.onerror?.()
    await vi.advanceTimersByTimeAsync(7_000)
    expect(FakeSource.all.at(-1)).not.toBe(source)
    stop()
    await vi.advanceTimersByTimeAsync(1)
  })

  it('polls while no stream can be had, and stops when it is there again', async () => {
    const refetch = vi.fn()
    const stop = follow(ref('doctor:1'), vi.fn(), refetch)
    await vi.advanceTimersByTimeAsync(1)
    const source = FakeSource.all.at(-1)
    if (source) source.readyState = FakeSource.CLOSED
    source?.onerror?.()
    await vi.advanceTimersByTimeAsync(POLL_MS)
    expect(refetch).toHaveBeenCalledTimes(1)
    const again = FakeSource.all.at(-1)
    expect(again).not.toBe(source)
    again?.onopen?.()
    await vi.advanceTimersByTimeAsync(POLL_MS * 2)
    expect(refetch).toHaveBeenCalledTimes(1)
    stop()
    await vi.advanceTimersByTimeAsync(1)
  })
})
