/** What a problem is called on screen: our own words by its code, else the server's sentence. */
import type { ApiError } from '@shared/api'
import { day, moment } from '@shared/format'
import { lookCore, t } from '../i18n/core'
import { today } from './session'

const DAY_S = 86_400

type Look = (key: string, args?: Readonly<Record<string, string | number>>) => string | undefined

/** The numbers and times that our sentences take from a problem's own fields. */
function args(error: ApiError): Record<string, string | number> {
  const found: Record<string, string | number> = { n: 1 }
  const retry = error.number('retry_after_s')
  if (retry !== undefined)
    found.n = error.code === 'sms_too_soon' ? retry : Math.max(1, Math.ceil(retry / 60))
  const count = error.number('tries_left') ?? error.number('limit')
  if (count !== undefined) found.n = count
  const when = error.text('opens_at') ?? error.text('until') ?? error.text('cancel_until')
  if (when) found.when = when.includes('T') ? moment(when, today.value) : day(when)
  return found
}

/** The sentence for a problem, from the words of one part of the app. */
export function sayWith(look: Look, error: ApiError): string {
  if (error.offline) return t('err.network')
  const reason = error.text('reason')
  // Minutes are told while they are few; a thousand minutes is tomorrow.
  const long = error.code === 'sms_limit' && (error.number('retry_after_s') ?? DAY_S) > 7200
  if (long) return look('err.sms_limit_day') ?? t('err.unknown')
  const key = reason ? `err.${error.code.replace('_invalid', '')}_${reason}` : `err.${error.code}`
  return look(key, args(error)) ?? lookCore(key) ?? error.problem.detail ?? t('err.unknown')
}

/** Why a person can't be booked, from the code alone. */
export function sayCode(code: string | null | undefined): string {
  return lookCore(`err.not_eligible_${code}`) ?? t('ok.cannot_book')
}
