/**
 * What changes while one looks: one stream for all topics of the page. Each topic sends a snapshot, then a snapshot at each
 * change. WeChat stops streams in the background: coming back opens it anew. Where no stream can be had, 15 s polling.
 */
import { liveUrl } from '@shared/api'
import { onBeforeUnmount, watch } from 'vue'

interface Listener {
  topic: string
  take: (data: unknown) => void
  refetch: () => void
}

export const POLL_MS = 15_000
const REOPEN_MS = 3_000

const listeners = new Set<Listener>()
const revisions = new Map<string, number>()
let source: EventSource | undefined
let opened = ''
let poll: ReturnType<typeof setInterval> | undefined
let later: ReturnType<typeof setTimeout> | undefined

function startPolling(): void {
  poll ??= setInterval(() => {
    if (!document.hidden) for (const listener of [...listeners]) listener.refetch()
  }, POLL_MS)
}

function stopPolling(): void {
  clearInterval(poll)
  poll = undefined
}

function close(): void {
  source?.close()
  source = undefined
  opened = ''
}

function message(event: Event): void {
  let told: { topic?: unknown; revision?: unknown; data?: unknown }
  try {
    told = JSON.parse((event as MessageEvent<string>).data)
  } catch {
    return
  }
  const { topic } = told
  if (typeof topic !== 'string') return
  const revision = typeof told.revision === 'number' ? told.revision : undefined
  // Snapshots may overtake one another on the way; an older one tells nothing.
  if (revision !== undefined) {
    if (revision < (revisions.get(topic) ?? -Infinity)) return
    revisions.set(topic, revision)
  }
  for (const listener of [...listeners]) if (listener.topic === topic) listener.take(told.data)
}

function open(): void {
  clearTimeout(later)
  const topics = [...new Set([...listeners].map((listener) => listener.topic))].sort()
  if (!topics.length || document.hidden) {
    close()
    stopPolling()
    return
  }
  if (typeof EventSource === 'undefined') {
    startPolling()
    return
  }
  const url = liveUrl(topics)
  if (source && opened === url && source.readyState !== EventSource.CLOSED) return
  close()
  opened = url
  source = new EventSource(url)
  // Also when the browser has taken a lost line up again: the server counts from the beginning on each line.
  source.onopen = () => {
    revisions.clear()
    stopPolling()
  }
  source.addEventListener('snapshot', message)
  source.onerror = () => {
    startPolling()
    // A refusal closes the stream for good; a lost line is taken up again by the browser itself.
    if (source?.readyState === EventSource.CLOSED) {
      close()
      clearTimeout(later)
      later = setTimeout(open, REOPEN_MS * 2)
    }
  }
}

function soon(): void {
  clearTimeout(later)
  later = setTimeout(open, 0)
}

let watching = false
function watchPage(): void {
  if (watching) return
  watching = true
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) close()
    soon()
  })
  addEventListener('pageshow', (event) => {
    if (event.persisted) {
      close()
      later = setTimeout(open, REOPEN_MS / 3)
    }
  })
  addEventListener('online', soon)
}

/** Follows a topic for as long as the component lives. `take` gets snapshots, `refetch` is the way without a stream. */
export function useLive(
  topic: () => string | undefined,
  take: (data: unknown) => void,
  refetch: () => void,
): void {
  let mine: Listener | undefined
  const stop = (): void => {
    if (mine) listeners.delete(mine)
    mine = undefined
  }
  watch(
    topic,
    (name) => {
      stop()
      if (name) {
        mine = { topic: name, take, refetch }
        listeners.add(mine)
        watchPage()
      }
      soon()
    },
    { immediate: true },
  )
  onBeforeUnmount(() => {
    stop()
    soon()
  })
}
