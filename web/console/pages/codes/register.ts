import type { Area } from '../../lib/areas'
import { late } from '../../lib/late'
import { t } from './names'

const area: Area = {
  name: 'codes',
  title: () => t('codes.area'),
  order: 50,
  pages: [
    {
      path: '/codes',
      title: () => t('codes.list'),
      component: late(() => import('./CodeList.vue')),
      permission: 'channel.codes.see',
      menu: true,
    },
    {
      path: '/codes/:id',
      title: () => t('codes.one'),
      component: late(() => import('./CodeOne.vue')),
      permission: 'channel.codes.see',
    },
  ],
}

export default area
