/** What the menu says: part of the console's first load, apart from the words of the pages. */
import { dictionary, type Mirror } from '@shared/i18n/i18n'

export const names = {
  'calls.area': '电话联系',
  'calls.list': '停诊电话名单',
} as const

export const english: Mirror<typeof names> = {
  'calls.area': 'Calls',
  'calls.list': 'Call list after stops',
}

export const { t } = dictionary(names, () => Promise.resolve(english))
