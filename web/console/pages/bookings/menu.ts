/** The names of the desk's pages: part of the first load. Everything else that they say comes with them. */
import { dictionary } from '@shared/i18n/i18n'

const zh = {
  'menu.area': '挂号窗口',
  'menu.list': '预约查询',
  'menu.new': '窗口挂号',
  'menu.one': '预约详情',
  'menu.clinic': '出诊详情',
} as const

export const { t } = dictionary(zh, () => import('./menu.en').then((module) => module.menu))
