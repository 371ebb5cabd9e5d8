import type { Area } from '../../lib/areas'
import { late } from '../../lib/late'
import { t } from './names'

const area: Area = {
  name: 'finance',
  title: () => t('fin.area'),
  order: 30,
  pages: [
    {
      path: '/takings',
      title: () => t('fin.day'),
      component: late(() => import('./Takings.vue')),
      permission: 'billing.see',
      menu: true,
    },
    {
      path: '/till',
      title: () => t('fin.till'),
      component: late(() => import('./Till.vue')),
      permission: 'billing.desk',
      menu: true,
    },
    {
      path: '/refunds',
      title: () => t('fin.refunds'),
      component: late(() => import('./Refunds.vue')),
      permission: 'billing.desk',
      menu: true,
    },
    {
      path: '/bills',
      title: () => t('fin.bills'),
      component: late(() => import('./Bills.vue')),
      permission: 'billing.see',
      menu: true,
    },
    {
      path: '/bills/:id',
      title: () => t('fin.bill'),
      component: late(() => import('./BillOne.vue')),
      permission: 'billing.see',
    },
    {
      path: '/reconciliation',
      title: () => t('fin.days'),
      component: late(() => import('./Days.vue')),
      permission: 'billing.see',
      menu: true,
    },
    {
      path: '/unplaced',
      title: () => t('fin.unplaced'),
      component: late(() => import('./Unplaced.vue')),
      permission: 'billing.see',
      menu: true,
    },
    {
      path: '/shifts',
      title: () => t('fin.shifts'),
      component: late(() => import('./Shifts.vue')),
      permission: 'billing.see',
      menu: true,
    },
  ],
}

export default area
