/** Problems with codes, cards and one's own data, in words. */
import type { ApiError } from '@shared/api'
import { lookOwn } from '../i18n/own'
import { lookPerson } from '../i18n/person'
import { sayWith } from './problems'

export const say = (error: ApiError): string =>
  sayWith((key, args) => lookOwn(key, args) ?? lookPerson(key, args), error)
