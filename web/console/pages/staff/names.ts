/** What the menu says: part of the console's first load, apart from the words of the pages. */
import { dictionary, type Mirror } from '@shared/i18n/i18n'

export const names = {
  'staff.area': '人员与权限',
  'staff.list': '员工',
  'staff.roles': '角色与权限',
  'staff.new': '新增员工',
  'staff.one': '员工资料',
} as const

export const english: Mirror<typeof names> = {
  'staff.area': 'People and permissions',
  'staff.list': 'Staff',
  'staff.roles': 'Roles and permissions',
  'staff.new': 'Add staff',
  'staff.one': 'Member of staff',
}

export const { t } = dictionary(names, () => Promise.resolve(english))
