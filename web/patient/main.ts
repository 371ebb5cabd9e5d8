import '@shared/tokens.css'
import './patient.css'
import { createApp } from 'vue'
import App from './App.vue'
import { keepFitting } from './lib/fit'
import { begin } from './lib/session'
import { makeRouter } from './router'

async function start(): Promise<void> {
  await begin()
  keepFitting()
  createApp(App).use(makeRouter()).mount('#app')
}

void start()
