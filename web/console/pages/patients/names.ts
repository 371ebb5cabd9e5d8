/** What the menu says: part of the console's first load, apart from the words of the pages. */
import { dictionary, type Mirror } from '@shared/i18n/i18n'

export const names = {
  'patients.area': '患者',
  'patients.find': '查找患者',
  'join.title': '帮助绑定微信',
  'reach.title': '能否通知到',
  'merge.title': '合并档案',
  'import.title': '批量导入',
} as const

export const english: Mirror<typeof names> = {
  'patients.area': 'Patients',
  'patients.find': 'Find a patient',
  'join.title': 'Help to join on WeChat',
  'reach.title': 'Who can be reached',
  'merge.title': 'Merge records',
  'import.title': 'Import',
}

export const { t } = dictionary(names, () => Promise.resolve(english))
