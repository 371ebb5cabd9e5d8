/** What the menu says: part of the console's first load, apart from the words of the pages. */
import { dictionary } from '@shared/i18n/i18n'

const zh = {
  'dev.area': '设备',
  'dev.title': '屏幕与自助机',
} as const

export const { t } = dictionary(zh, () =>
  Promise.resolve({
    'dev.area': 'Devices',
    'dev.title': 'Screens and kiosks',
  }),
)
