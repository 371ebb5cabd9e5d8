/** The pages: what each area brings by its `register.ts`, behind the sign-in and the permission that it names. */
import { prefix } from '@shared/api'
import { pick } from '@shared/i18n/i18n'
import { nextTick, watch } from 'vue'
import {
  createRouter,
  createWebHistory,
  type RouteRecordRaw,
  type Router,
  type RouterHistory,
} from 'vue-router'
import { areas } from './lib/areas'
import { hospital, may, session } from './lib/session'

declare module 'vue-router' {
  interface RouteMeta {
    /** Shown without a sign-in, and without the frame. */
    open?: boolean
    /** What the page asks for; nothing: any member of staff. */
    permission?: string
    title?: () => string
  }
}

/** Where somebody begins: the first page of the menu that is theirs. */
export function home(): string {
  const pages = areas.flatMap((area) => area.pages)
  return pages.find((page) => page.menu && may(page.permission))?.path ?? '/me'
}

function records(): RouteRecordRaw[] {
  const pages = areas.flatMap((area) => area.pages)
  return pages.map((page) => ({
    path: page.path,
    component: page.component,
    meta: { permission: page.permission, title: page.title },
  }))
}

export function makeRouter(history: RouterHistory = createWebHistory(`${prefix()}/console/`)): Router {
  const router = createRouter({
    history,
    routes: [
      // Who is not signed in yet has no page of their own to come back to.
      { path: '/', redirect: () => (session.value?.me ? home() : '/sign-in') },
      { path: '/sign-in', component: () => import('./SignIn.vue'), meta: { open: true } },
      ...records(),
      { path: '/:rest(.*)*', component: () => import('./Gone.vue') },
    ],
  })
  router.beforeEach((to) => {
    if (to.meta.open) return true
    if (!session.value?.me) return { path: '/sign-in', query: { to: to.fullPath } }
    if (!may(to.meta.permission)) return { path: '/gone', query: { why: 'permission' } }
    return true
  })
  const name = (): void => {
    const title = router.currentRoute.value.meta.title?.()
    const where = hospital.value ? pick(hospital.value.short_name) : '杏林 Xinglin'
    document.title = title ? `${title} · ${where}` : where
  }
  router.afterEach((to, from) => {
    name()
    if (to.path === from.path || !from.matched.length) return
    // A screen reader begins with the heading of the new page.
    void nextTick(() => document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true }))
  })
  watch(() => [hospital.value, session.value], name)
  return router
}
