/** What the kiosk asks of the server. */
import type { ApiError } from '@shared/api'
import { lang } from '@shared/i18n/i18n'
import type { paths } from '@shared/openapi'
import type { Waiting } from '@shared/waiting'
import { ask } from '../lib/ask'
import { look, t } from './words'

type Json<R> = R extends { content: { 'application/json': infer J } } ? J : never
type Done = Json<paths['/api/v1/desk/check-ins']['post']['responses'][200]>
export type Slip = Done['slip']

const language = (): string => (lang.value === 'zh' ? 'zh-CN' : 'en')

/** Checks in whatever carries this code: a visit, or a request for an exam. Twice is once. */
export async function checkIn(code: string): Promise<Slip> {
  return (await ask<Done>('POST', '/desk/check-ins', { code }, language())).slip
}

/** A number for somebody who has not booked. */
export async function takeNumber(queue_id: string): Promise<Slip> {
  return (await ask<Done>('POST', '/desk/tickets', { queue_id }, language())).slip
}

export function lines(): Promise<Waiting> {
  return ask<Waiting>('GET', '/queue/waiting')
}

/** Why it did not work, in our own words where we have some. */
export function say(failure: ApiError): string {
  if (failure.offline) return t('k.err.network')
  return look(`k.err.${failure.code}`) ?? failure.problem.detail ?? t('k.desk')
}
