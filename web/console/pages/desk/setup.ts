/** What the set-up page edits, and saving it so that nobody overwrites what somebody else has just changed. */
import { call, type Answer } from '../../lib/api'

export type Setup = Answer<'/api/v1/desk/setup', 'get'>
export type AreaSetup = Setup['areas'][number]
export type RoomSetup = Setup['rooms'][number]
export type QueueSetup = Setup['queues'][number]
export type Part = 'areas' | 'rooms' | 'queues'
export const QUEUE_KINDS = ['clinic', 'lab', 'imaging', 'pharmacy', 'optician', 'service'] as const

/** A new one, or the next version of the one that was read; fails with `changed_meanwhile` when that is not the newest. */
export async function save(part: Part, id: string | undefined, version: number, body: object): Promise<void> {
  if (id === undefined) await call('post', `/api/v1/desk/setup/${part}`, { body })
  else
    await call('put', `/api/v1/desk/setup/${part}/{id}`, {
      path: { id },
      body,
      headers: { 'If-Match': `"${version}"` },
    })
}
