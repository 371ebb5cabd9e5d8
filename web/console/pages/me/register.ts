import type { Area } from '../../lib/areas'
import { t } from './words'

const area: Area = {
  name: 'me',
  title: () => t('me.area'),
  order: 99,
  pages: [
    { path: '/me', title: () => t('me.title'), component: () => import('./MyAccount.vue'), menu: true },
  ],
}

export default area
