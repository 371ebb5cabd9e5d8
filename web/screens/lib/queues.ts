/** What the views read out of queues. */
import { atHospital } from '@shared/format'
import type { Text2 } from '@shared/i18n/i18n'
import { minutes, type Called, type QueuePublic, type Wall, type WaitingItem } from '@shared/waiting'
import { pausedWords, w, waitingWords } from './words'

/** The newest call of each room, newest first: who was called last is looked for first. */
export function callsOf(wall: Wall): Called[] {
  const calls = new Map<string, Called>()
  const all = [
    ...wall.queues.flatMap((queue) => queue.calling),
    ...wall.rooms.flatMap((room) => (room.now ? [room.now] : [])),
  ]
  for (const call of all) calls.set(call.ticket_id, call)
  const order = (call: Called): number => (call.state === 'called' ? 1 : 0)
  return [...calls.values()].sort(
    (a, b) =>
      order(b) - order(a) ||
      Date.parse(b.called_at ?? '') - Date.parse(a.called_at ?? '') ||
      a.label.localeCompare(b.label),
  )
}

/** What stands beside a queue's name: how many wait and about how long, or why it does not move. */
export function stateOf(
  queue: Pick<QueuePublic | WaitingItem, 'state' | 'waiting' | 'estimate'> & { paused_until?: string | null },
): Text2 {
  if (queue.state === 'closed') return w.closed
  if (queue.state === 'paused') {
    return pausedWords(queue.paused_until ? atHospital(queue.paused_until).time : undefined)
  }
  const wait = queue.estimate && queue.waiting > 0 ? minutes(queue.estimate) : undefined
  return waitingWords(queue.waiting, wait)
}

/** A queue by its doctor where it has one. */
export function titleOf(queue: Pick<QueuePublic, 'name' | 'doctor_name'>): Text2 {
  return queue.doctor_name ?? queue.name
}
