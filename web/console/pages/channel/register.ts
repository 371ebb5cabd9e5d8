import type { Area } from '../../lib/areas'
import { late } from '../../lib/late'
import { t } from './names'

const area: Area = {
  name: 'channel',
  title: () => t('channel.area'),
  order: 51,
  pages: [
    {
      path: '/channel/replies',
      title: () => t('replies.title'),
      component: late(() => import('./ReplyList.vue')),
      permission: 'channel.chat',
      menu: true,
    },
    {
      path: '/channel/menus',
      title: () => t('menus.title'),
      component: late(() => import('./MenuPage.vue')),
      permission: 'channel.chat',
      menu: true,
    },
    {
      path: '/channel/templates',
      title: () => t('templates.title'),
      component: late(() => import('./TemplatePage.vue')),
      permission: 'notify.templates',
      menu: true,
    },
    {
      path: '/channel/figures',
      title: () => t('figures.title'),
      component: late(() => import('./FigurePage.vue')),
      permission: 'channel.figures',
      menu: true,
    },
  ],
}

export default area
