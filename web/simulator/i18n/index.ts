import { dictionary } from '@shared/i18n/i18n'
import { zh } from './zh'

/** The words of the phones and of the desk. */
export const { t, look } = dictionary(zh, () => import('./en').then((module) => module.en))
