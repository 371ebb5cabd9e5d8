import type { Area } from '../../lib/areas'
import { late } from '../../lib/late'
import { t } from './names'

const area: Area = {
  name: 'me',
  title: () => t('me.area'),
  order: 99,
  pages: [
    { path: '/me', title: () => t('me.title'), component: late(() => import('./MyAccount.vue')), menu: true },
  ],
}

export default area
