/** What the menu says: part of the console's first load, apart from the words of the pages. */
import { dictionary, type Mirror } from '@shared/i18n/i18n'

export const names = {
  'fin.area': '财务',
  'fin.day': '收入日报',
  'fin.till': '收费窗口',
  'fin.refunds': '退款',
  'fin.bills': '账单查询',
  'fin.bill': '账单',
  'fin.days': '对账',
  'fin.unplaced': '待查款项',
  'fin.shifts': '班次',
} as const

export const english: Mirror<typeof names> = {
  'fin.area': 'Finance',
  'fin.day': 'Takings',
  'fin.till': 'Till',
  'fin.refunds': 'Refunds',
  'fin.bills': 'Find a bill',
  'fin.bill': 'Bill',
  'fin.days': 'Reconciliation',
  'fin.unplaced': 'Unplaced money',
  'fin.shifts': 'Shifts',
}

export const { t } = dictionary(names, () => Promise.resolve(english))
