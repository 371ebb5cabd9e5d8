/** Screens that fewer people come to: known to the router once one of them is asked for. */
import type { RouteRecordRaw } from 'vue-router'
import { late } from './lib/ahead'

export const more: RouteRecordRaw[] = [
  { path: '/today', component: late(() => import('./screens/Today.vue')) },
  { path: '/here/:code', component: late(() => import('./screens/Here.vue')), props: true },
  { path: '/line/:id', component: late(() => import('./screens/Line.vue')), props: true },
  { path: '/pickups/:id', component: late(() => import('./screens/PickUp.vue')), props: true },
  { path: '/waiting', component: late(() => import('./screens/Waiting.vue')) },
  {
    path: '/appointments/:id/offers',
    component: late(() => import('./screens/Offers.vue')),
    props: true,
  },
  {
    path: '/appointments/:id/return',
    component: late(() => import('./screens/ReturnVisit.vue')),
    props: true,
  },
  { path: '/add-on/:code', component: late(() => import('./screens/AddOn.vue')), props: true },
  { path: '/rush/:id', component: late(() => import('./screens/RushLine.vue')), props: true },
  { path: '/waitlist', component: late(() => import('./screens/Waitlist.vue')) },
  { path: '/waitlist/join', component: late(() => import('./screens/WaitlistJoin.vue')) },
  { path: '/no-shows', component: late(() => import('./screens/NoShows.vue')) },
  { path: '/appointments/:id/pay', component: late(() => import('./screens/Pay.vue')), props: true },
  { path: '/bills', component: late(() => import('./screens/Bills.vue')) },
  { path: '/bills/:id', component: late(() => import('./screens/Bill.vue')), props: true },
  { path: '/persons/:id/data', component: late(() => import('./screens/PersonData.vue')), props: true },
  { path: '/join', component: late(() => import('./screens/Join.vue')) },
  { path: '/join/:id', component: late(() => import('./screens/Join.vue')), props: true },
  { path: '/code', component: late(() => import('./screens/Code.vue')) },
]
