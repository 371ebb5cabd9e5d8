import { prefix } from '@shared/api'
import { nextTick, ref } from 'vue'
import { createRouter, createWebHistory, type Router, type RouterHistory } from 'vue-router'
import { late, wayToBooking } from './lib/ahead'
import { arriving } from './lib/spent'

/** Where the person wanted to go when the network was gone. */
export const unreached = ref<string>()

const RELOADED = 'xl.reloaded'

/** After a deployment the old parts are gone: load the page anew, once in ten seconds. */
function reloadOnce(path: string): void {
  const last = Number(sessionStorage.getItem(RELOADED) ?? 0)
  if (Date.now() - last < 10_000) return
  sessionStorage.setItem(RELOADED, String(Date.now()))
  location.assign(prefix() + path)
}

export function makeRouter(history: RouterHistory = createWebHistory(`${prefix()}/`)): Router {
  const [doctors, doctor, confirm, done] = wayToBooking
  const router = createRouter({
    history,
    routes: [
      { path: '/', component: late(() => import('./screens/Home.vue')) },
      { path: '/departments', component: late(() => import('./screens/Departments.vue')) },
      { path: '/departments/:id', component: doctors, props: true },
      { path: '/doctors/:id', component: doctor, props: true },
      { path: '/confirm', component: confirm },
      { path: '/appointments', component: late(() => import('./screens/Visits.vue')) },
      { path: '/appointments/:id', component: late(() => import('./screens/Visit.vue')), props: true },
      { path: '/appointments/:id/done', component: done, props: true },
      { path: '/persons', component: late(() => import('./screens/Persons.vue')) },
      { path: '/persons/new', component: late(() => import('./screens/PersonNew.vue')) },
      { path: '/persons/bind', component: late(() => import('./screens/PersonBind.vue')) },
      { path: '/sign-in', component: late(() => import('./screens/SignIn.vue')) },
      { path: '/me', component: late(() => import('./screens/Me.vue')) },
      { path: '/help', component: late(() => import('./screens/Help.vue')) },
      { path: '/:rest(.*)*', name: 'gone', component: late(() => import('./screens/Gone.vue')) },
    ],
    scrollBehavior(to, from, saved) {
      if (saved) return saved
      // A sheet that opens or closes, a filter: the page stays where it is.
      return to.path === from.path ? false : { top: 0 }
    },
  })
  // Rarer screens are known by a part of their own, so that the first answer of most people stays small.
  let all = false
  router.beforeEach(async (to) => {
    if (all || to.name !== 'gone') return true
    for (const route of (await import('./more')).more) router.addRoute(route)
    all = true
    return to.fullPath
  })
  router.beforeEach((_, from) => {
    if (from.matched.length) arriving()
  })
  router.afterEach((to, from, failure) => {
    if (failure || to.path === from.path || !from.matched.length) return
    // A screen reader begins with the heading of the new screen.
    void nextTick(() => document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true }))
  })
  router.onError((error: unknown, to) => {
    if (!(error instanceof TypeError) && !/import|module|chunk|preload/i.test(String(error))) return
    // The part of a screen could not be had. Without a network a reload would lose the page that is still there.
    if (navigator.onLine) reloadOnce(to.fullPath)
    else unreached.value = to.fullPath
  })
  router.beforeEach(() => {
    unreached.value = undefined
  })
  return router
}
