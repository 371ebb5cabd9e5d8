/** Problems with what the hospital offers, in words: our own first, then those of booking. */
import type { ApiError } from '@shared/api'
import { lookBook } from '../i18n/book'
import { lookDesk } from '../i18n/desk'
import { sayWith } from './problems'

export const sayDesk = (error: ApiError): string =>
  sayWith((key, args) => lookDesk(key, args) ?? lookBook(key, args), error)
