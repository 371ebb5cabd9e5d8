import { dictionary } from '@shared/i18n/i18n'
import { rush } from './zh/rush'

/** The words of the line at a release, of the waitlist, and of missed visits. */
export const { t: tr, look: lookRush } = dictionary(rush, () => import('./en').then((module) => module.rush))
