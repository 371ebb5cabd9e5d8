import type { Area } from '../../lib/areas'
import { late } from '../../lib/late'
import { t } from './names'

const area: Area = {
  name: 'attendance',
  title: () => t('attendance.area'),
  order: 30,
  pages: [
    {
      path: '/no-shows',
      title: () => t('attendance.no_shows'),
      component: late(() => import('./NoShows.vue')),
      permission: 'attendance.read',
      menu: true,
    },
    {
      path: '/no-shows/:id',
      title: () => t('attendance.one'),
      component: late(() => import('./NoShowOne.vue')),
      permission: 'attendance.decide',
    },
    {
      path: '/waitlist',
      title: () => t('attendance.waitlist'),
      component: late(() => import('./Waitlist.vue')),
      permission: 'attendance.read',
      menu: true,
    },
  ],
}

export default area
