import type { Area } from '../../lib/areas'
import { late } from '../../lib/late'
import { t } from './names'

const area: Area = {
  name: 'settings',
  title: () => t('set.area'),
  order: 85,
  pages: [
    {
      path: '/settings',
      title: () => t('set.title'),
      component: late(() => import('./Settings.vue')),
      permission: 'settings.see',
      menu: true,
    },
  ],
}

export default area
