/** Problems with booking, moving and cancelling, in words. */
import type { ApiError } from '@shared/api'
import { lookBook } from '../i18n/book'
import { sayWith } from './problems'

export const say = (error: ApiError): string => sayWith(lookBook, error)
