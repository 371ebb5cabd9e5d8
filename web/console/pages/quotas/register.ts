import type { Area } from '../../lib/areas'
import { t } from './words'

const area: Area = {
  name: 'quotas',
  title: () => t('quo.area'),
  order: 55,
  pages: [
    {
      path: '/quotas',
      title: () => t('quo.title'),
      component: () => import('./Quotas.vue'),
      permission: 'schedule.read',
      menu: true,
    },
    {
      path: '/quotas/:id',
      title: () => t('quo.rule'),
      component: () => import('./QuotaOne.vue'),
      permission: 'schedule.plan',
    },
  ],
}

export default area
