import type { Area } from '../../lib/areas'
import { late } from '../../lib/late'
import { t } from './names'

const area: Area = {
  name: 'patients',
  title: () => t('patients.area'),
  order: 20,
  pages: [
    {
      path: '/patients',
      title: () => t('patients.find'),
      component: late(() => import('./PatientSearch.vue')),
      permission: 'patients.see',
      menu: true,
    },
    {
      path: '/patients/join/:id',
      title: () => t('join.title'),
      component: late(() => import('./HelpJoin.vue')),
      permission: 'channel.enrol',
    },
    {
      path: '/patients/reach/:id',
      title: () => t('reach.title'),
      component: late(() => import('./PatientReach.vue')),
      permission: 'patients.see',
    },
    {
      path: '/patients/merges',
      title: () => t('merge.title'),
      component: late(() => import('./MergeList.vue')),
      permission: 'patients.merge',
      menu: true,
    },
    {
      path: '/patients/imports',
      title: () => t('import.title'),
      component: late(() => import('./ImportList.vue')),
      permission: 'patients.import',
      menu: true,
    },
  ],
}

export default area
