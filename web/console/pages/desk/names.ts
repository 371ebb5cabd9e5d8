/** What the menu says: part of the console's first load, apart from the words of the pages. */
import { dictionary } from '@shared/i18n/i18n'

const zh = {
  'desk.area': '候诊叫号',
  'desk.title': '叫号台',
  'rec.title': '报到与取号',
  'pick.title': '领取',
  'stats.title': '候诊时间',
  'setup.title': '队列设置',
} as const

export const { t } = dictionary(zh, () =>
  Promise.resolve({
    'desk.area': 'Waiting and calling',
    'desk.title': 'Calling desk',
    'rec.title': 'Check in and numbers',
    'pick.title': 'Pick-up',
    'stats.title': 'Waiting times',
    'setup.title': 'Lines and rooms',
  }),
)
