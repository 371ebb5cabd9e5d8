import '@shared/tokens.css'
import { firstLang, setLang } from '@shared/i18n/i18n'
import { createApp } from 'vue'
import App from './App.vue'
import './console.css'
import { onExpired } from './lib/api'
import { loadHospital, loadSession, session } from './lib/session'
import { makeRouter } from './router'

const router = makeRouter()

// Wherever an answer says that the session is over, the sign-in page takes over and leads back here.
onExpired(() => {
  if (!session.value?.me) return
  session.value = undefined
  const to = router.currentRoute.value
  if (!to.meta.open) void router.replace({ path: '/sign-in', query: { to: to.fullPath, over: '1' } })
})

async function start(): Promise<void> {
  await setLang(firstLang()).catch(() => setLang('zh'))
  await Promise.allSettled([loadSession(), loadHospital()])
  createApp(App).use(router).mount('#app')
}
void start()
