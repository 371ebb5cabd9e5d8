import type { Area } from '../../lib/areas'
import { late } from '../../lib/late'
import { t } from './names'

const area: Area = {
  name: 'staff',
  title: () => t('staff.area'),
  order: 80,
  pages: [
    {
      path: '/staff',
      title: () => t('staff.list'),
      component: late(() => import('./StaffList.vue')),
      permission: 'staff.see',
      menu: true,
    },
    {
      path: '/roles',
      title: () => t('staff.roles'),
      component: late(() => import('./Roles.vue')),
      permission: 'staff.see',
      menu: true,
    },
    {
      path: '/staff/new',
      title: () => t('staff.new'),
      component: late(() => import('./StaffNew.vue')),
      permission: 'staff.manage',
    },
    {
      path: '/staff/:id',
      title: () => t('staff.one'),
      component: late(() => import('./StaffOne.vue')),
      permission: 'staff.see',
    },
  ],
}

export default area
