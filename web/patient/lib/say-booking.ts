/** Problems with booking, moving and cancelling, in words. */
import type { ApiError } from '@shared/api'
import { lookBook, tb } from '../i18n/book'
import { sayWith } from './problems'

export const say = (error: ApiError): string => sayWith(lookBook, error)

/** Why a person can't be booked, from the code alone. */
export function sayCode(code: string | null | undefined): string {
  return lookBook(`err.not_eligible_${code}`) ?? lookBook(`err.${code}`) ?? tb('ok.cannot_book')
}
