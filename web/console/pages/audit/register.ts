import type { Area } from '../../lib/areas'
import { t } from './words'

const area: Area = {
  name: 'audit',
  title: () => t('audit.area'),
  order: 90,
  pages: [
    {
      path: '/audit',
      title: () => t('audit.title'),
      component: () => import('./AuditLog.vue'),
      permission: 'audit.see',
      menu: true,
    },
  ],
}

export default area
