/** What the menu says: part of the console's first load, apart from the words of the pages. */
import { dictionary, type Mirror } from '@shared/i18n/i18n'

export const names = {
  'codes.area': '二维码',
  'codes.list': '二维码和海报',
  'codes.one': '二维码',
} as const

export const english: Mirror<typeof names> = {
  'codes.area': 'Codes',
  'codes.list': 'Codes and posters',
  'codes.one': 'Code',
}

export const { t } = dictionary(names, () => Promise.resolve(english))
