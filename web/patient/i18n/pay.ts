import { dictionary } from '@shared/i18n/i18n'
import { pay } from './zh/pay'

/** The words of paying: only who pays needs them. */
export const { t: ty, look: lookPay } = dictionary(pay, () => import('./en/pay').then((module) => module.pay))
