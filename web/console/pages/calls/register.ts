import type { Area } from '../../lib/areas'
import { late } from '../../lib/late'
import { t } from './names'

const area: Area = {
  name: 'calls',
  title: () => t('calls.area'),
  order: 25,
  pages: [
    {
      path: '/calls',
      title: () => t('calls.list'),
      component: late(() => import('./CallList.vue')),
      permission: 'booking.calls',
      menu: true,
    },
  ],
}

export default area
