/** Problems with checking in and waiting, in words. */
import type { ApiError } from '@shared/api'
import { lookWait } from '../i18n/wait'
import { sayWith } from './problems'

export const say = (error: ApiError): string => sayWith(lookWait, error)
