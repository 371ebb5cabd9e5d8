/** What the menu says: part of the console's first load, apart from the words of the pages. */
import { dictionary, type Mirror } from '@shared/i18n/i18n'

export const names = {
  'audit.area': '审计',
  'audit.title': '审计日志',
} as const

export const english: Mirror<typeof names> = {
  'audit.area': 'Audit',
  'audit.title': 'Audit log',
}

export const { t } = dictionary(names, () => Promise.resolve(english))
