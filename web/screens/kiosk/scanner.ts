/**
 * A scanner is a keyboard that types fast and ends with Enter. What it reads is taken wherever the person is on the kiosk; what a person types
 * on a real keyboard is slower and is not taken for a scan.
 */
import { onBeforeUnmount, onMounted } from 'vue'

/** Scanners type a character in a few milliseconds, people don't, ms. */
const GAP_MS = 80
const SHORTEST = 4
const LONGEST = 300

/** Collects keys; gives the text of a scan when it is whole. */
export class Scan {
  private text = ''
  private last = 0

  /** Takes a key that was pressed at `at` (ms). */
  key(key: string, at: number): string | undefined {
    if (at - this.last > GAP_MS) this.text = ''
    this.last = at
    if (key === 'Enter') {
      const text = this.text
      this.text = ''
      return text.length >= SHORTEST ? text : undefined
    }
    if (key.length === 1 && this.text.length < LONGEST) this.text += key
    return undefined
  }
}

/** Hands over whatever is scanned while the component lives. */
export function useScanner(take: (text: string) => void): void {
  const scan = new Scan()
  const pressed = (event: KeyboardEvent): void => {
    const text = scan.key(event.key, event.timeStamp)
    if (text === undefined) return
    event.preventDefault()
    take(text)
  }
  onMounted(() => addEventListener('keydown', pressed))
  onBeforeUnmount(() => removeEventListener('keydown', pressed))
}
