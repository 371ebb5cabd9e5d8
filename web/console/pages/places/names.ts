/** What the menu says: part of the console's first load, apart from the words of the pages. */
import { dictionary, type Mirror } from '@shared/i18n/i18n'

export const names = {
  'pla.area': '科室与医生',
  'pla.doctors': '医生',
  'pla.doctor': '医生资料',
  'pla.departments': '科室',
  'pla.department': '科室资料',
  'pla.campuses': '院区',
} as const

export const english: Mirror<typeof names> = {
  'pla.area': 'Departments',
  'pla.doctors': 'Doctors',
  'pla.doctor': 'Doctor',
  'pla.departments': 'Departments',
  'pla.department': 'Department',
  'pla.campuses': 'Campuses',
}

export const { t } = dictionary(names, () => Promise.resolve(english))
