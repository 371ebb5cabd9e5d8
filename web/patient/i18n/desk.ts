import { dictionary } from '@shared/i18n/i18n'
import { desk } from './zh/desk'

/** The words of what the hospital offers beside booking: after a stop, a return visit, an added number. */
export const { t: td, look: lookDesk } = dictionary(desk, () => import('./en').then((module) => module.desk))
