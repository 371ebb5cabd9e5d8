/** Problems with codes, documents and persons, in words. */
import type { ApiError } from '@shared/api'
import { lookPerson } from '../i18n/person'
import { sayWith } from './problems'

export const say = (error: ApiError): string => sayWith(lookPerson, error)
