/**
 * The heartbeat of a screen: every few seconds it asks for the build's name. That tells three things at once: whether the server can be
 * reached, what time it is there (a television's own clock may be anything), and whether there is a newer build, in which case
 * the screen loads itself anew.
 */
import { prefix } from '@shared/api'
import { ref } from 'vue'
import { build } from './build'

/** Between two beats, ms. */
export const BEAT_MS = 4_000
/** An answer that takes longer is none, ms. */
export const PATIENCE_MS = 4_000
/** A build that does not come up right must not reload for ever, ms. */
const RELOAD_AGAIN_MS = 60_000

/** Whether the last beat was answered. */
export const reachable = ref(true)
/** The server's time of the last beat, ms; 0 before the first. */
export const heardAt = ref(0)
/** The time by the server's clock, ms, kept going by ours. */
export const now = ref(Date.now())

let ahead = 0
const returned = new Set<() => void>()

/** Called when the server can be reached again after it could not. */
export function onReturn(then: () => void): () => void {
  returned.add(then)
  return () => returned.delete(then)
}

/** Whether a screen with `mine` must load itself anew to show `theirs`. */
export function outdated(mine: string, theirs: unknown): boolean {
  return typeof theirs === 'string' && theirs !== '' && mine !== 'dev' && theirs !== mine
}

function reload(): void {
  const last = Number(sessionStorage.getItem('xl.reloaded') ?? 0)
  if (Date.now() - last < RELOAD_AGAIN_MS) return
  sessionStorage.setItem('xl.reloaded', String(Date.now()))
  location.reload()
}

async function beat(): Promise<void> {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS)
  let answered = false
  try {
    const response = await fetch(`${prefix()}/screens/version.json`, {
      cache: 'no-store',
      signal: stop.signal,
    })
    const date = Date.parse(response.headers.get('date') ?? '')
    const told = (await response.json()) as { build?: unknown }
    answered = response.ok
    if (answered) {
      // Seconds only; half of one is the best guess for the rest.
      if (!Number.isNaN(date)) ahead = Math.abs(date + 500 - Date.now()) < 1_500 ? 0 : date + 500 - Date.now()
      heardAt.value = Date.now() + ahead
      if (outdated(build, told.build)) reload()
    }
  } catch {
    answered = false
  } finally {
    clearTimeout(timer)
  }
  const before = reachable.value
  reachable.value = answered
  if (answered && !before) for (const then of [...returned]) then()
}

/** Begins to beat, for as long as the page lives. */
export function startHeart(): void {
  const loop = async (): Promise<void> => {
    await beat()
    setTimeout(() => void loop(), BEAT_MS)
  }
  void loop()
  addEventListener('online', () => void beat())
  setInterval(() => (now.value = Date.now() + ahead), 1_000)
}
