import type { Area } from '../../lib/areas'
import { late } from '../../lib/late'
import { t } from './names'

const area: Area = {
  name: 'desk',
  title: () => t('desk.area'),
  order: 10,
  pages: [
    {
      path: '/desk',
      title: () => t('desk.title'),
      component: late(() => import('./Desk.vue')),
      permission: 'queue.call',
      menu: true,
    },
    {
      path: '/reception',
      title: () => t('rec.title'),
      component: late(() => import('./Reception.vue')),
      permission: 'queue.reception',
      menu: true,
    },
    {
      path: '/pickups',
      title: () => t('pick.title'),
      component: late(() => import('./PickUps.vue')),
      permission: 'queue.pickup',
      menu: true,
    },
    {
      path: '/waiting-times',
      title: () => t('stats.title'),
      component: late(() => import('./Stats.vue')),
      permission: 'queue.stats',
      menu: true,
    },
    {
      path: '/queues',
      title: () => t('setup.title'),
      component: late(() => import('./Setup.vue')),
      permission: 'queue.setup',
      menu: true,
    },
  ],
}

export default area
