/** Problems of the waitlist and of missed visits, in words. */
import type { ApiError } from '@shared/api'
import { lookBook } from '../i18n/book'
import { lookRush } from '../i18n/rush'
import { sayWith } from './problems'

export const say = (error: ApiError): string =>
  sayWith((key, args) => lookRush(key, args) ?? lookBook(key, args), error)
