import type { Area } from '../../lib/areas'
import { late } from '../../lib/late'
import { t } from './names'

const area: Area = {
  name: 'trouble',
  title: () => t('tro.area'),
  order: 48,
  pages: [
    {
      path: '/deliveries',
      title: () => t('tro.deliveries'),
      component: late(() => import('./Deliveries.vue')),
      permission: 'notify.see',
      menu: true,
    },
    {
      path: '/trouble',
      title: () => t('tro.work'),
      component: late(() => import('./FailedWork.vue')),
      permission: 'trouble.see',
      menu: true,
    },
  ],
}

export default area
