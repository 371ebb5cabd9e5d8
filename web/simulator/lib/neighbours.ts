/**
 * Phones beside each other share one browser history: "back" undoes the last step of any of them. So the phones tell the
 * desk when they browse, the desk tells all who was last, and only that one may go back; another starts its page again.
 */
import { ref } from 'vue'

interface Word {
  xinglinDesk: 1
  browsing: string
}

/** True when this page stands on the desk. */
export const onDesk = window.parent !== window
const last = ref('')

function isWord(data: unknown): data is Word {
  return typeof data === 'object' && data !== null && (data as Word).xinglinDesk === 1
}

/** For a phone: says that its page was used. */
export function used(id: string): void {
  last.value = id
  if (onDesk) window.parent.postMessage({ xinglinDesk: 1, browsing: id } satisfies Word, '*')
}

/** For a phone: whether "back" would undo its own last step. */
export function mayGoBack(id: string): boolean {
  return !onDesk || last.value === '' || last.value === id
}

/** For a phone: hears who was last. */
export function hear(): void {
  window.addEventListener('message', (event) => {
    if (event.source === window.parent && isWord(event.data)) last.value = event.data.browsing
  })
}

/** For the desk: passes each word on to all phones. */
export function passOn(frames: () => Iterable<HTMLIFrameElement>): () => void {
  const listener = (event: MessageEvent<unknown>): void => {
    if (!isWord(event.data)) return
    const all = [...frames()]
    if (!all.some((frame) => frame.contentWindow === event.source)) return
    for (const frame of all) frame.contentWindow?.postMessage(event.data, '*')
  }
  window.addEventListener('message', listener)
  return () => window.removeEventListener('message', listener)
}
