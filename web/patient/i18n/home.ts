import { dictionary } from '@shared/i18n/i18n'
import { home } from './zh/home'

/** The words of home, apart from those of booking: home is where most people arrive. */
export const { t: th } = dictionary(home, () => import('./en').then((module) => module.home))
