import type { Area } from '../../lib/areas'
import { t } from './words'

const area: Area = {
  name: 'settings',
  title: () => t('set.area'),
  order: 85,
  pages: [
    {
      path: '/settings',
      title: () => t('set.title'),
      component: () => import('./Settings.vue'),
      permission: 'settings.see',
      menu: true,
    },
  ],
}

export default area
