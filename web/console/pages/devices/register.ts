import type { Area } from '../../lib/areas'
import { late } from '../../lib/late'
import { t } from './names'

const area: Area = {
  name: 'devices',
  title: () => t('dev.area'),
  order: 78,
  pages: [
    {
      path: '/devices',
      title: () => t('dev.title'),
      component: late(() => import('./Devices.vue')),
      permission: 'device.manage',
      menu: true,
    },
  ],
}

export default area
