import type { Area } from '../../lib/areas'
import { late } from '../../lib/late'
import { t } from './names'

const area: Area = {
  name: 'audit',
  title: () => t('audit.area'),
  order: 90,
  pages: [
    {
      path: '/audit',
      title: () => t('audit.title'),
      component: late(() => import('./AuditLog.vue')),
      permission: 'audit.see',
      menu: true,
    },
  ],
}

export default area
