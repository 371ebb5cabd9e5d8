/**
 * Sending something that must happen exactly once over a network that may drop. One intent has one idempotency key; it
 * outlives a lost answer, a reload of the page and a press on "try again", and ends with a definite answer.
 */
import { ApiError, newKey } from '@shared/api'

/** Waits between tries, ms. */
export const WAITS_MS = [1_000, 2_000, 4_000, 8_000]

const store = (): Storage | undefined => {
  try {
    return sessionStorage
  } catch {
    return undefined
  }
}
const inMemory = new Map<string, string>()

function keyOf(intent: string): string {
  const name = `xl.key.${intent}`
  const old = store()?.getItem(name) ?? inMemory.get(name)
  if (old) return old
  const fresh = newKey()
  inMemory.set(name, fresh)
  try {
    store()?.setItem(name, fresh)
  } catch {
    // Storage is full or refused: the key then lives as long as the page.
  }
  return fresh
}

function done(intent: string): void {
  const name = `xl.key.${intent}`
  inMemory.delete(name)
  store()?.removeItem(name)
}

function pause(ms: number): Promise<void> {
  return new Promise((resume) => {
    const timer = setTimeout(go, ms)
    addEventListener('online', go)
    function go(): void {
      clearTimeout(timer)
      removeEventListener('online', go)
      resume()
    }
  })
}

/**
 * Runs `request` with the key of `intent` until there is a definite answer, at most five times. `retrying` hears the number
 * of each further try. Throws the definite refusal, or the last loss; after a loss the same intent keeps its key.
 */
export async function sendOnce<T>(
  intent: string,
  request: (key: string) => Promise<T>,
  retrying: (attempt: number, why: ApiError) => void = () => undefined,
): Promise<T> {
  const key = keyOf(intent)
  for (let attempt = 0; ; attempt += 1) {
    try {
      const answer = await request(key)
      done(intent)
      return answer
    } catch (failure) {
      const lost = failure instanceof ApiError && failure.again ? failure : undefined
      const wait = WAITS_MS[attempt]
      if (!lost) {
        done(intent)
        throw failure
      }
      if (wait === undefined) throw lost
      retrying(attempt + 1, lost)
      await pause(Math.max(wait, (lost.number('retry_after_s') ?? 0) * 1000))
    }
  }
}
