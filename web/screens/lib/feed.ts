/**
 * What a screen shows, kept fresh by one stream. `EventSource` would be shorter, but it hides the server's pings: a line that is dead
 * without saying so would stand still for minutes. Here every byte counts as a sign of life, and a stream that is silent for too long,
 * broken or refused is opened anew.
 */
import { prefix } from '@shared/api'
import { onBeforeUnmount, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import { now, onReturn } from './heart'

/** The server pings every 15 s; after this the line counts as dead, ms. */
export const SILENCE_MS = 22_000
/** Waits before opening again, ms: at once, then a little longer each time. Never so long that a screen is late by more than seconds. */
const WAITS_MS = [300, 1_000, 2_000, 3_000]

export type FeedState = 'opening' | 'live' | 'lost' | 'gone'

export interface Feed<T> {
  data: ShallowRef<T | undefined>
  state: Ref<FeedState>
  /** The server's time of the last sign that `data` is how things are, ms; 0 before the first. */
  at: Ref<number>
}

/** Events out of the text of a stream; gives what is left of an unfinished one. */
export function split(text: string): { events: { name: string; data: string }[]; rest: string } {
  const parts = text.split(/\r?\n\r?\n/)
  const rest = parts.pop() ?? ''
  const events = parts.map((part) => {
    let name = ''
    const data: string[] = []
    for (const line of part.split(/\r?\n/)) {
      if (line.startsWith('event:')) name = line.slice(6).trim()
      else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''))
    }
    return { name, data: data.join('\n') }
  })
  return { events: events.filter((one) => one.data !== ''), rest }
}

/** Follows a topic for as long as the component lives. */
export function useFeed<T>(topic: () => string | undefined): Feed<T> {
  const data: ShallowRef<T | undefined> = shallowRef()
  const state = ref<FeedState>('opening')
  const at = ref(0)
  let stop: AbortController | undefined
  let later: ReturnType<typeof setTimeout> | undefined
  let silence: ReturnType<typeof setTimeout> | undefined
  let failures = 0

  function alive(): void {
    at.value = now.value
    state.value = 'live'
    clearTimeout(silence)
    silence = setTimeout(() => stop?.abort(), SILENCE_MS)
  }

  function take(name: string, body: string): void {
    if (name !== 'snapshot') return
    try {
      const told = JSON.parse(body) as { topic: string; data: T }
      if (told.topic === topic()) data.value = told.data
    } catch {
      // Half an event of a line that broke: the next snapshot is whole.
    }
  }

  async function read(name: string, signal: AbortSignal): Promise<'over' | 'gone'> {
    const url = `${prefix()}/api/v1/live?topic=${encodeURIComponent(name)}`
    const response = await fetch(url, { headers: { Accept: 'text/event-stream' }, cache: 'no-store', signal })
    if (response.status === 404) return 'gone'
    if (!response.ok || !response.body) throw new Error(String(response.status))
    const reader = response.body.getReader()
    const decoder = new TextDecoder()
    let text = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return 'over'
      failures = 0
      const { events, rest } = split(text + decoder.decode(value, { stream: true }))
      text = rest
      for (const event of events) take(event.name, event.data)
      alive()
    }
  }

  async function open(): Promise<void> {
    clearTimeout(later)
    clearTimeout(silence)
    stop?.abort()
    const name = topic()
    if (!name) return
    const mine = (stop = new AbortController())
    // A server that takes the line and says nothing is none.
    silence = setTimeout(() => mine.abort(), SILENCE_MS)
    let end: FeedState = 'lost'
    try {
      if ((await read(name, mine.signal)) === 'gone') end = 'gone'
    } catch {
      end = 'lost'
    }
    if (mine !== stop) return
    clearTimeout(silence)
    state.value = end
    const wait = WAITS_MS[Math.min(failures, WAITS_MS.length - 1)] ?? 3_000
    failures += 1
    later = setTimeout(() => void open(), wait)
  }

  watch(
    topic,
    () => {
      data.value = undefined
      state.value = 'opening'
      at.value = 0
      void open()
    },
    { immediate: true },
  )
  // The heartbeat sees that the server is back sooner than a line does that hangs.
  const off = onReturn(() => void open())
  onBeforeUnmount(() => {
    off()
    clearTimeout(later)
    clearTimeout(silence)
    const last = stop
    stop = undefined
    last?.abort()
  })
  return { data, state, at }
}
