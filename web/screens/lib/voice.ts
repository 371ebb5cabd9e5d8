/**
 * Calls out loud, in Chinese and then in English, by the browser's own voices. Each call once: a ticket that is called again has a higher
 * count and is spoken again. What was called before the screen came up is not.
 */
import type { Text2 } from '@shared/i18n/i18n'

export interface Speech {
  ticket_id: string
  times: number
  voice: Text2
}

/** More than this waiting to be said: the oldest are left out, since a voice that is minutes behind only confuses. */
const MOST = 6

/** Which of the calls are new to somebody who has heard `heard`; what is told is heard from then on. */
export function fresh(calls: readonly Speech[], heard: Map<string, number>, first: boolean): Speech[] {
  const found: Speech[] = []
  for (const call of calls) {
    if ((heard.get(call.ticket_id) ?? 0) >= call.times) continue
    heard.set(call.ticket_id, call.times)
    if (!first) found.push(call)
  }
  // Tickets that are gone from the wall need not be remembered for ever.
  if (heard.size > 500) {
    const shown = new Set(calls.map((call) => call.ticket_id))
    for (const id of heard.keys()) if (!shown.has(id)) heard.delete(id)
  }
  return found
}

const waiting: Text2[] = []
let busy = false

function utter(text: string, lang: string): Promise<void> {
  return new Promise((resolve) => {
    const words = new SpeechSynthesisUtterance(text)
    words.lang = lang
    words.rate = 0.9
    const voice = speechSynthesis.getVoices().find((one) => one.lang.replace('_', '-').startsWith(lang))
    if (voice) words.voice = voice
    // A synthesiser that never ends must not silence the hall.
    const timer = setTimeout(done, 15_000)
    function done(): void {
      clearTimeout(timer)
      resolve()
    }
    words.onend = done
    words.onerror = done
    speechSynthesis.speak(words)
  })
}

async function work(): Promise<void> {
  if (busy) return
  busy = true
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    await utter(next.zh, 'zh-CN')
    if (next.en && next.en !== next.zh) await utter(next.en, 'en')
  }
  busy = false
}

/** Says it, after what is being said. */
export function speak(text: Text2): void {
  if (!('speechSynthesis' in window)) return
  waiting.push(text)
  if (waiting.length > MOST) waiting.splice(0, waiting.length - MOST)
  void work()
}
