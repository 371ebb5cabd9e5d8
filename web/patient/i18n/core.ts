import { dictionary } from '@shared/i18n/i18n'
import { core } from './zh/core'

/** The words that every screen and the list of departments need: part of the first load. */
export const { t, look: lookCore } = dictionary(core, () => import('./en').then((module) => module.core))
