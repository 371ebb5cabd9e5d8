import type { Area } from '../../lib/areas'
import { t } from './words'

const area: Area = {
  name: 'trouble',
  title: () => t('tro.area'),
  order: 48,
  pages: [
    {
      path: '/deliveries',
      title: () => t('tro.deliveries'),
      component: () => import('./Deliveries.vue'),
      permission: 'notify.see',
      menu: true,
    },
    {
      path: '/trouble',
      title: () => t('tro.work'),
      component: () => import('./FailedWork.vue'),
      permission: 'trouble.see',
      menu: true,
    },
  ],
}

export default area
