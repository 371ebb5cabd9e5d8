import type { Area } from '../../lib/areas'
import { t } from './words'

const area: Area = {
  name: 'places',
  title: () => t('pla.area'),
  order: 60,
  pages: [
    {
      path: '/doctors',
      title: () => t('pla.doctors'),
      component: () => import('./Doctors.vue'),
      permission: 'schedule.read',
      menu: true,
    },
    {
      path: '/doctors/:code',
      title: () => t('pla.doctor'),
      component: () => import('./DoctorOne.vue'),
      permission: 'schedule.read',
    },
    {
      path: '/departments',
      title: () => t('pla.departments'),
      component: () => import('./Departments.vue'),
      permission: 'schedule.read',
      menu: true,
    },
    {
      path: '/departments/:code',
      title: () => t('pla.department'),
      component: () => import('./DepartmentOne.vue'),
      permission: 'schedule.read',
    },
    {
      path: '/campuses',
      title: () => t('pla.campuses'),
      component: () => import('./Campuses.vue'),
      permission: 'schedule.read',
      menu: true,
    },
  ],
}

export default area
