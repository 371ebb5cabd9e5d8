import type { Area } from '../../lib/areas'
import { t } from './words'

const area: Area = {
  name: 'patients',
  title: () => t('patients.area'),
  order: 20,
  pages: [
    {
      path: '/patients',
      title: () => t('patients.find'),
      component: () => import('./PatientSearch.vue'),
      permission: 'patients.see',
      menu: true,
    },
    {
      path: '/patients/join/:id',
      title: () => t('join.title'),
      component: () => import('./HelpJoin.vue'),
      permission: 'channel.enrol',
    },
    {
      path: '/patients/merges',
      title: () => t('merge.title'),
      component: () => import('./MergeList.vue'),
      permission: 'patients.merge',
      menu: true,
    },
    {
      path: '/patients/imports',
      title: () => t('import.title'),
      component: () => import('./ImportList.vue'),
      permission: 'patients.import',
      menu: true,
    },
  ],
}

export default area
