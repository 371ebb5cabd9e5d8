import type { Area } from '../../lib/areas'
import { t } from './words'

const area: Area = {
  name: 'calls',
  title: () => t('calls.area'),
  order: 25,
  pages: [
    {
      path: '/calls',
      title: () => t('calls.list'),
      component: () => import('./CallList.vue'),
      permission: 'booking.calls',
      menu: true,
    },
  ],
}

export default area
