/** What the menu says: part of the console's first load, apart from the words of the pages. */
import { dictionary, type Mirror } from '@shared/i18n/i18n'

export const names = {
  'tro.area': '待处理',
  'tro.deliveries': '未送达通知',
  'tro.work': '失败的任务',
} as const

export const english: Mirror<typeof names> = {
  'tro.area': 'To be settled',
  'tro.deliveries': 'Untold messages',
  'tro.work': 'Failed work',
}

export const { t } = dictionary(names, () => Promise.resolve(english))
