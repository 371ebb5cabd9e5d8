import type { Area } from '../../lib/areas'
import { t } from './words'

const area: Area = {
  name: 'staff',
  title: () => t('staff.area'),
  order: 80,
  pages: [
    {
      path: '/staff',
      title: () => t('staff.list'),
      component: () => import('./StaffList.vue'),
      permission: 'staff.see',
      menu: true,
    },
    {
      path: '/roles',
      title: () => t('staff.roles'),
      component: () => import('./Roles.vue'),
      permission: 'staff.see',
      menu: true,
    },
    {
      path: '/staff/new',
      title: () => t('staff.new'),
      component: () => import('./StaffNew.vue'),
      permission: 'staff.manage',
    },
    {
      path: '/staff/:id',
      title: () => t('staff.one'),
      component: () => import('./StaffOne.vue'),
      permission: 'staff.see',
    },
  ],
}

export default area
