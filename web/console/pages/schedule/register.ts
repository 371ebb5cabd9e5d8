import type { Area } from '../../lib/areas'
import { late } from '../../lib/late'
import { t } from './names'

const area: Area = {
  name: 'schedule',
  title: () => t('sch.area'),
  order: 50,
  pages: [
    {
      path: '/schedule',
      title: () => t('sch.week'),
      component: late(() => import('./Week.vue')),
      permission: 'schedule.read',
      menu: true,
    },
    {
      path: '/schedule/new',
      title: () => t('sch.new'),
      component: late(() => import('./ClinicNew.vue')),
      permission: 'schedule.plan',
    },
    {
      path: '/schedule/:id',
      title: () => t('sch.clinic'),
      component: late(() => import('./ClinicOne.vue')),
      permission: 'schedule.read',
    },
    {
      path: '/templates',
      title: () => t('sch.templates'),
      component: late(() => import('./Templates.vue')),
      permission: 'schedule.read',
      menu: true,
    },
    {
      path: '/templates/:id',
      title: () => t('sch.template'),
      component: late(() => import('./TemplateOne.vue')),
      permission: 'schedule.read',
    },
    {
      path: '/calendar',
      title: () => t('sch.calendar'),
      component: late(() => import('./WorkCalendar.vue')),
      permission: 'schedule.read',
      menu: true,
    },
  ],
}

export default area
