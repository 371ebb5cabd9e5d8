/** What the menu says: part of the console's first load, apart from the words of the pages. */
import { dictionary, type Mirror } from '@shared/i18n/i18n'

export const names = {
  'set.area': '系统',
  'set.title': '设置',
} as const

export const english: Mirror<typeof names> = {
  'set.area': 'System',
  'set.title': 'Settings',
}

export const { t } = dictionary(names, () => Promise.resolve(english))
