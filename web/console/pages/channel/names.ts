/** What the menu says: part of the console's first load, apart from the words of the pages. */
import { dictionary, type Mirror } from '@shared/i18n/i18n'

export const names = {
  'channel.area': '公众号',
  'replies.title': '欢迎语和关键词',
  'menus.title': '菜单',
  'templates.title': '通知模板',
  'figures.title': '关注和使用',
} as const

export const english: Mirror<typeof names> = {
  'channel.area': 'WeChat account',
  'replies.title': 'Welcome and replies',
  'menus.title': 'Menus',
  'templates.title': 'Message templates',
  'figures.title': 'Followers and use',
}

export const { t } = dictionary(names, () => Promise.resolve(english))
