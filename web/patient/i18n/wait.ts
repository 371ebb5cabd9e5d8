import { dictionary } from '@shared/i18n/i18n'
import { wait } from './zh/wait'

/** The words of arriving, waiting and being called. */
export const { t: tw, look: lookWait } = dictionary(wait, () => import('./en').then((module) => module.wait))
