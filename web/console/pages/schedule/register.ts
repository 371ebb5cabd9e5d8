import type { Area } from '../../lib/areas'
import { t } from './words'

const area: Area = {
  name: 'schedule',
  title: () => t('sch.area'),
  order: 50,
  pages: [
    {
      path: '/schedule',
      title: () => t('sch.week'),
      component: () => import('./Week.vue'),
      permission: 'schedule.read',
      menu: true,
    },
    {
      path: '/schedule/new',
      title: () => t('sch.new'),
      component: () => import('./ClinicNew.vue'),
      permission: 'schedule.plan',
    },
    {
      path: '/schedule/:id',
      title: () => t('sch.clinic'),
      component: () => import('./ClinicOne.vue'),
      permission: 'schedule.read',
    },
    {
      path: '/templates',
      title: () => t('sch.templates'),
      component: () => import('./Templates.vue'),
      permission: 'schedule.read',
      menu: true,
    },
    {
      path: '/templates/:id',
      title: () => t('sch.template'),
      component: () => import('./TemplateOne.vue'),
      permission: 'schedule.read',
    },
    {
      path: '/calendar',
      title: () => t('sch.calendar'),
      component: () => import('./WorkCalendar.vue'),
      permission: 'schedule.read',
      menu: true,
    },
  ],
}

export default area
