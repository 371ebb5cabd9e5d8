import { dictionary } from '@shared/i18n/i18n'
import { book } from './zh/book'

/** The words of choosing, booking and visits. */
export const { t: tb, look: lookBook } = dictionary(book, () => import('./en').then((module) => module.book))
