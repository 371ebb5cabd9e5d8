import type { Area } from '../../lib/areas'
import { t } from './words'

const area: Area = {
  name: 'codes',
  title: () => t('codes.area'),
  order: 50,
  pages: [
    {
      path: '/codes',
      title: () => t('codes.list'),
      component: () => import('./CodeList.vue'),
      permission: 'channel.codes.see',
      menu: true,
    },
    {
      path: '/codes/:id',
      title: () => t('codes.one'),
      component: () => import('./CodeOne.vue'),
      permission: 'channel.codes.see',
    },
  ],
}

export default area
