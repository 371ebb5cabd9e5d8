/** What the menu says: part of the console's first load, apart from the words of the pages. */
import { dictionary, type Mirror } from '@shared/i18n/i18n'

export const names = {
  'sch.area': '排班',
  'sch.week': '周排班',
  'sch.new': '新增出诊',
  'sch.clinic': '出诊',
  'sch.templates': '出诊模板',
  'sch.template': '出诊模板',
  'sch.calendar': '节假日历',
} as const

export const english: Mirror<typeof names> = {
  'sch.area': 'Schedule',
  'sch.week': 'Week',
  'sch.new': 'New clinic',
  'sch.clinic': 'Clinic',
  'sch.templates': 'Templates',
  'sch.template': 'Template',
  'sch.calendar': 'Holidays',
}

export const { t } = dictionary(names, () => Promise.resolve(english))
