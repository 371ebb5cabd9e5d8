import '@shared/tokens.css'
import './patient.css'
import { createApp } from 'vue'
import App from './App.vue'
import { keepFitting } from './lib/fit'
import { begin } from './lib/session'
import { makeRouter } from './router'

async function start(): Promise<void> {
  // WeChat's sign-in leaves its own mark behind the address; it is nothing of ours.
  if (location.hash === '#wechat_redirect')
    history.replaceState(history.state, '', location.pathname + location.search)
  await begin()
  keepFitting()
  createApp(App).use(makeRouter()).mount('#app')
}

void start()
