/** What the menu says: part of the console's first load, apart from the words of the pages. */
import { dictionary, type Mirror } from '@shared/i18n/i18n'

export const names = {
  'attendance.area': '到诊与候补',
  'attendance.no_shows': '爽约与申诉',
  'attendance.one': '爽约记录',
  'attendance.waitlist': '候补',
} as const

export const english: Mirror<typeof names> = {
  'attendance.area': 'Attendance and waitlist',
  'attendance.no_shows': 'No-shows and appeals',
  'attendance.one': 'No-show',
  'attendance.waitlist': 'Waitlist',
}

export const { t } = dictionary(names, () => Promise.resolve(english))
