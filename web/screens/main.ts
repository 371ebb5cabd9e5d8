import '@shared/tokens.css'
import { createApp } from 'vue'
import App from './App.vue'
import { startHeart } from './lib/heart'
import { stayAwake } from './lib/awake'
import './screens.css'

startHeart()
stayAwake()
createApp(App).mount('#app')
