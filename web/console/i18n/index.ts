/** The words that all areas share. An area has its own beside its pages, made in the same way. */
import { dictionary } from '@shared/i18n/i18n'
import { zh } from './zh'

export const { t, look } = dictionary(zh, () => import('./en').then((module) => module.en))
