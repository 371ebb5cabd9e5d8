import { dictionary } from '@shared/i18n/i18n'
import { own } from './zh/own'

/** The words of joining by a code, of cards, and of one's own data. */
export const { t: to, look: lookOwn } = dictionary(own, () => import('./en').then((module) => module.own))
