import { createApp, type Component } from 'vue'
import { firstLang, setLang } from '@shared/i18n/i18n'
import '@shared/tokens.css'
import './css/phone.css'
import './css/chat.css'
import './css/desk.css'
import { t } from './i18n'
import { deskHost, phoneOf } from './lib/host'

// The host name says what this page is: one phone, the desk with all of them, or the way there.
async function begin(): Promise<void> {
  await setLang(firstLang()).catch(() => undefined)
  document.title = t('app.title')
  const id = phoneOf(location.hostname)
  let root: Component
  if (id) {
    root = (await import('./phone/Phone.vue')).default
  } else if (location.hostname === deskHost) {
    root = (await import('./desk/Desk.vue')).default
  } else {
    root = (await import('./desk/Landing.vue')).default
  }
  createApp(root).mount('#app')
}

void begin()
