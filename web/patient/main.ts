import '@shared/tokens.css'
import './patient.css'
import { createApp } from 'vue'
import App from './App.vue'
import { keepFitting } from './lib/fit'
import { begin, loadHospital, loadSession } from './lib/session'
import { makeRouter } from './router'

/** The first screen waits so long for answers that were asked for before it, so that it is drawn once. */
const GRACE_MS = 200
/** What was asked for early and nobody took is old by then. */
const OLD_MS = 15_000

/** Resolves when the promises have settled, or after `ms`. */
function settled(promises: readonly Promise<unknown>[], ms: number): Promise<unknown> {
  return Promise.race([
    Promise.all(promises.map((one) => one.catch(() => undefined))),
    new Promise((resolve) => setTimeout(resolve, ms)),
  ])
}

async function start(): Promise<void> {
  // WeChat's sign-in leaves its own mark behind the address; it is nothing of ours.
  if (location.hash === '#wechat_redirect')
    history.replaceState(history.state, '', location.pathname + location.search)
  await begin()
  const early = Object.values(window.xlEarly ?? {})
  const facts = [loadHospital(), loadSession()]
  const router = makeRouter()
  const app = createApp(App).use(router)
  // The grey rows of index.html stay until the screen's own part is there.
  await router.isReady().catch(() => undefined)
  await settled([...early, ...facts], GRACE_MS)
  keepFitting()
  app.mount('#app')
  setTimeout(() => delete window.xlEarly, OLD_MS)
}

void start()
