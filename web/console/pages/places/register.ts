import type { Area } from '../../lib/areas'
import { late } from '../../lib/late'
import { t } from './names'

const area: Area = {
  name: 'places',
  title: () => t('pla.area'),
  order: 60,
  pages: [
    {
      path: '/doctors',
      title: () => t('pla.doctors'),
      component: late(() => import('./Doctors.vue')),
      permission: 'schedule.read',
      menu: true,
    },
    {
      path: '/doctors/:code',
      title: () => t('pla.doctor'),
      component: late(() => import('./DoctorOne.vue')),
      permission: 'schedule.read',
    },
    {
      path: '/departments',
      title: () => t('pla.departments'),
      component: late(() => import('./Departments.vue')),
      permission: 'schedule.read',
      menu: true,
    },
    {
      path: '/departments/:code',
      title: () => t('pla.department'),
      component: late(() => import('./DepartmentOne.vue')),
      permission: 'schedule.read',
    },
    {
      path: '/campuses',
      title: () => t('pla.campuses'),
      component: late(() => import('./Campuses.vue')),
      permission: 'schedule.read',
      menu: true,
    },
  ],
}

export default area
