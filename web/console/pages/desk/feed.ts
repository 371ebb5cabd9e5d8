/** Follows topics of the live stream; says whether the line is up. Where it is down the page asks again every few seconds. */
import { liveUrl } from '@shared/api'
import { onBeforeUnmount, ref, watch, type Ref } from 'vue'

const ASK_AGAIN_MS = 5_000

/** The stream takes so many topics at most. */
const MOST = 16

export function useTopics(
  topics: () => string[],
  take: (topic: string, data: unknown) => void,
  refetch: () => void,
): { up: Ref<boolean> } {
  const up = ref(true)
  let source: EventSource | undefined
  let poll: ReturnType<typeof setInterval> | undefined

  function close(): void {
    source?.close()
    source = undefined
    clearInterval(poll)
    poll = undefined
  }
  function open(): void {
    close()
    const names = topics().slice(0, MOST)
    if (names.length === 0 || typeof EventSource === 'undefined') return
    const mine = (source = new EventSource(liveUrl(names)))
    mine.onopen = () => {
      up.value = true
      clearInterval(poll)
      poll = undefined
    }
    mine.addEventListener('snapshot', (event) => {
      const told = JSON.parse((event as MessageEvent<string>).data) as { topic: string; data: unknown }
      take(told.topic, told.data)
    })
    mine.onerror = () => {
      up.value = false
      poll ??= setInterval(() => {
        refetch()
        // A refusal closes the stream for good; a lost line the browser takes up again by itself.
        if (mine.readyState === EventSource.CLOSED) open()
      }, ASK_AGAIN_MS)
    }
  }
  watch(() => topics().join(' '), open, { immediate: true })
  onBeforeUnmount(close)
  return { up }
}
