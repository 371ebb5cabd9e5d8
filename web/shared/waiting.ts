/** What is told of people who wait: the snapshots of screens, phones and desks. */
import type { paths } from './openapi'
import type { Text2 } from './i18n/i18n'

type Json<R> = R extends { content: { 'application/json': infer J } } ? J : never
type Got<P extends keyof paths> = paths[P] extends { get: { responses: { 200: infer R } } } ? Json<R> : never

export type Wall = Got<'/api/v1/queue/areas/{id}'>
export type QueuePublic = Got<'/api/v1/queue/queues/{id}'>
export type Called = QueuePublic['calling'][number]
export type Line = QueuePublic['next'][number]
export type Door = Got<'/api/v1/queue/rooms/{id}'>
export type Waiting = Got<'/api/v1/queue/waiting'>
export type WaitingItem = Waiting['items'][number]
export type Place = Got<'/api/v1/queue/tickets/{id}'>
export type PickUp = Got<'/api/v1/queue/pickups/{id}'>
export type Here = Got<'/api/v1/queue/places/{code}'>
export type DeskQueue = Got<'/api/v1/desk/queues/{id}'>
export type Desk = Got<'/api/v1/desk'>

/** A range of minutes. */
export interface Minutes {
  low_min: number
  high_min: number
}

/** `15–20`: a range of minutes as people say it; one number where both are the same. */
export function minutes(range: Minutes): string {
  const low = Math.max(0, range.low_min)
  const high = Math.max(low, range.high_min)
  return low === high ? String(high) : `${low}\u2060–\u2060${high}`
}

/** A text that stands in both languages, one below the other, without saying the same twice. */
export function both(text: Text2): { zh: string; en: string | undefined } {
  return { zh: text.zh, en: text.en && text.en !== text.zh ? text.en : undefined }
}
