/** What the menu says: part of the console's first load, apart from the words of the pages. */
import { dictionary, type Mirror } from '@shared/i18n/i18n'

export const names = {
  'me.area': '我',
  'me.title': '我的账号',
} as const

export const english: Mirror<typeof names> = {
  'me.area': 'Me',
  'me.title': 'My account',
}

export const { t } = dictionary(names, () => Promise.resolve(english))
