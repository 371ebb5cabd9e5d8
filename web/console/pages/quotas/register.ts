import type { Area } from '../../lib/areas'
import { late } from '../../lib/late'
import { t } from './names'

const area: Area = {
  name: 'quotas',
  title: () => t('quo.area'),
  order: 55,
  pages: [
    {
      path: '/quotas',
      title: () => t('quo.title'),
      component: late(() => import('./Quotas.vue')),
      permission: 'schedule.read',
      menu: true,
    },
    {
      path: '/quotas/:id',
      title: () => t('quo.rule'),
      component: late(() => import('./QuotaOne.vue')),
      permission: 'schedule.plan',
    },
  ],
}

export default area
