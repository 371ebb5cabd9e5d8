/** What the menu says: part of the console's first load, apart from the words of the pages. */
import { dictionary, type Mirror } from '@shared/i18n/i18n'

export const names = {
  'quo.area': '号源',
  'quo.title': '渠道配额',
  'quo.rule': '配额规则',
} as const

export const english: Mirror<typeof names> = {
  'quo.area': 'Numbers',
  'quo.title': 'Quotas',
  'quo.rule': 'Quota rule',
}

export const { t } = dictionary(names, () => Promise.resolve(english))
